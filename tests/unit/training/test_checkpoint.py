"""Each file of a run is whole or absent; a full disk loses nothing."""

import os
import resource
from pathlib import Path

import pytest
import torch

from layerscope.core.errors import LayerscopeError, UsageError
from layerscope.training.checkpoint import RunFolder, checkpoints
from tests.helpers.building import in_a_child

SETTINGS = {"network": "zfnet64", "recipe": {"rate": 0.1, "phases": [{"side": 32, "epochs": 1}]}}


def test_settings_are_compared_by_their_parts(tmp_path: Path) -> None:
    """Some of them, before all are known; what differs is named."""
    folder = RunFolder(tmp_path)
    assert folder.open(SETTINGS | {"images": 9}) is None
    folder.require(SETTINGS)
    with pytest.raises(UsageError, match=r"training run \(images: 9, not 8\); choose another --out, or the same"):
        folder.open(SETTINGS | {"images": 8})
    with pytest.raises(UsageError, match=r"recipe's phases: \[\{\"side\": 32, \"epochs\": 1\}\], not \[\]"):
        folder.require({"recipe": {"phases": []}})


def test_the_state_comes_back(tmp_path: Path) -> None:
    """What was kept last."""
    folder = RunFolder(tmp_path)
    folder.open(SETTINGS)
    for number in (1, 2):
        folder.save_state({"done": number, "network": {"w": torch.full((3,), float(number))}})
    state = folder.open(SETTINGS)
    assert state is not None and state["done"] == 2 and state["network"]["w"].tolist() == [2, 2, 2]


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """The sentence says which file and what to do; the state before stands, and no piece of the new one."""
    folder, said = RunFolder(tmp_path), tmp_path / "said.txt"
    folder.save_state({"done": 1})

    def filled() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        messages = []
        for save in (
            lambda: folder.save_state({"done": 2, "w": torch.zeros(100_000)}),
            lambda: folder.save_weights("last", {"w": torch.zeros(100_000)}, {}),
        ):
            try:
                save()
            except LayerscopeError as error:
                messages.append(str(error))
        said.write_text("\n".join(messages))
        os._exit(0)

    assert in_a_child(filled) == 0
    state, weights = said.read_text().splitlines()
    assert state.startswith(f'"{tmp_path / "state.pt"}" cannot be written (File too large)')
    assert weights.startswith(f'"{tmp_path / "last.safetensors"}" cannot be written (File too large)')
    assert state.endswith("make room, then give the same command again; it goes on from the last state that was kept")
    assert {path.name for path in tmp_path.iterdir()} == {"state.pt", "said.txt"}
    assert folder.state() == {"done": 1}


def test_a_damaged_state_is_a_sentence(tmp_path: Path) -> None:
    """It names the file and what removing it would mean."""
    (tmp_path / "state.pt").write_bytes(b"zip?")
    with pytest.raises(UsageError, match=r'state.pt" cannot be read .*; remove it to begin this run anew'):
        RunFolder(tmp_path).state()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    """Here a file stands in the way."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be made: "):
        RunFolder(tmp_path / "file" / "run").require(SETTINGS)


def test_checkpoints_are_found_by_epoch(tmp_path: Path) -> None:
    """In their order; a folder without any is a sentence."""
    with pytest.raises(UsageError, match="holds no checkpoints of a training run"):
        checkpoints(tmp_path)
    for epoch in (40, 1, 5):
        RunFolder(tmp_path).save_weights(f"epoch-{epoch:03d}", {"w": torch.zeros(1)}, {})
    assert list(checkpoints(tmp_path)) == [1, 5, 40]
