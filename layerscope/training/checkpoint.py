"""A training run on disk: the newest state, the weights of some epochs, a log, a card. Each file is whole or absent."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from layerscope.core.errors import LayerscopeError, UsageError
from layerscope.core.failures import of_the_machine, out_of_memory, plain_failures
from layerscope.core.files import write_whole

# Zeiler & Fergus 2013, Figure 4.
PAPER_EPOCHS = (1, 2, 5, 10, 20, 30, 40, 64)
STATE, LOG, SETTINGS = "state.pt", "log.json", "run.json"
CARD, CARD_TEXT = "card.json", "card.md"


class RunFolder:
    """The folder of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def require(self, settings: dict[str, Any]) -> None:
        """Make the folder, or see that it holds a run with these settings, or some of them.

        Raises UsageError for a folder that cannot be made, or that holds another run or other files.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f'the run folder "{self.path}" cannot be made: {error.strerror}') from error
        held = self._read(SETTINGS)
        if held is not None:
            self._require_same(held, settings)
        elif any(not file.name.startswith(".") for file in self.path.iterdir()):
            raise UsageError(f'"{self.path}" is not empty and holds no training run; choose another --out')

    def open(self, settings: dict[str, Any]) -> dict[str, Any] | None:
        """The newest state, None for a new run. settings: all that must be equal for a run to go on, as JSON values."""
        self.require(settings)
        if not (self.path / SETTINGS).exists():
            self.save_json(SETTINGS, settings)
        return self.state()

    def state(self) -> dict[str, Any] | None:
        """The newest state, None where there is none yet."""
        state = self.path / STATE
        try:
            return torch.load(state, map_location="cpu", weights_only=True) if state.exists() else None
        except Exception as error:
            # A sound state must not be removed for want of memory, or because a disk fails.
            if out_of_memory(error) or (isinstance(error, OSError) and of_the_machine(error)):
                raise
            raise UsageError(
                f'"{state}" cannot be read ({str(error).splitlines()[0]}); remove it to begin this run anew'
            ) from error

    def network(self) -> dict[str, Tensor]:
        """The weights that the run has now, as they are trained. Raises UsageError where there are none."""
        state = self.state()
        if state is None:
            raise UsageError(f'"{self.path}" holds no training run to start from ({STATE} is missing)')
        return state["network"]

    def card(self) -> dict[str, Any] | None:
        """The card of a finished run; None before its end."""
        return self._read(CARD)

    def _read(self, name: str) -> Any:
        file = self.path / name
        try:
            with plain_failures(file, kind=UsageError):
                return json.loads(file.read_text()) if file.exists() else None
        except ValueError as error:
            raise UsageError(f'"{file}" cannot be read ({error}); choose another --out') from error

    def _require_same(self, held: dict[str, Any], settings: dict[str, Any]) -> None:
        theirs, mine = _flat(held), _flat(json.loads(json.dumps(settings)))
        for key in mine:
            if theirs.get(key) != mine[key]:
                raise UsageError(
                    f'"{self.path}" holds another training run ({key}: {json.dumps(theirs.get(key))}, not '
                    f"{json.dumps(mine[key])}); choose another --out, or the same {key.split()[-1]}"
                )

    def save_state(self, state: dict[str, Any]) -> None:
        held = BytesIO()
        torch.save(state, held)
        # By Python, since torch says of a full disk only that a position was unexpected.
        self._write(STATE, held.getbuffer())

    def save_json(self, name: str, value: Any) -> None:
        self._write(name, json.dumps(value, indent=1).encode())

    def save_text(self, name: str, text: str) -> None:
        self._write(name, text.encode())

    def save_weights(self, name: str, weights: dict[str, Tensor], notes: dict[str, str]) -> Path:
        """Weights as NAME.safetensors, contiguous as others expect them."""
        plain = {key: tensor.detach().cpu().contiguous() for key, tensor in weights.items()}
        return self._write(f"{name}.safetensors", save(plain, metadata=notes))

    def _write(self, name: str, content: bytes | memoryview) -> Path:
        """A stop leaves the old file or the new."""
        file = self.path / name
        try:
            write_whole(file, content)
        except OSError as error:
            raise LayerscopeError(
                f'"{file}" cannot be written ({error.strerror or error}): make room, then give the same command '
                "again; it goes on from the last state that was kept"
            ) from error
        return file


def _flat(settings: dict[str, Any], of: str = "") -> dict[str, Any]:
    """Settings inside settings under one name: "recipe's rate"."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{of}{key}'s ") if isinstance(value, dict) else {f"{of}{key}": value}
    return flat


def checkpoints(folder: Path) -> dict[int, Path]:
    """The weights that a run kept, by epoch. Raises UsageError where there are none."""
    found = {int(file.stem.split("-")[1]): file for file in folder.glob("epoch-*.safetensors")}
    if not found:
        raise UsageError(f'"{folder}" holds no checkpoints of a training run (epoch-001.safetensors, ...)')
    return dict(sorted(found.items()))


def read_checkpoint(file: Path) -> dict[str, Tensor]:
    return load_file(file)
