"""Weights from files as people have them: safetensors or .pt, half precision, wrapped, saved on another device."""

from pathlib import Path

import torch
from torch import Tensor, nn

from layerscope.core.errors import TraceError, UsageError

# Keys under which checkpoints keep the state dict, and what wrappers put before the names.
_NESTED = ("state_dict", "model_state_dict", "model")
_PREFIXES = ("module.", "_orig_mod.", "model.")


def load_weights(model: nn.Module, path: Path) -> None:
    """Put a file's state dict into a model, in the model's own precision.

    Raises TraceError that lists missing, surplus and misshapen keys; UsageError where there is no such file.
    """
    wanted = model.state_dict()
    found = _fitted(read_weights(path), set(wanted))
    problems = _problems(wanted, found)
    if problems:
        raise TraceError(f'"{path.name}" does not fit {type(model).__name__}: {"; ".join(problems)}')
    model.load_state_dict({name: found.get(name, tensor) for name, tensor in wanted.items()})


def class_names(path: Path) -> tuple[str, ...]:
    """The names of the outputs that a training run wrote into its safetensors file; empty where there are none."""
    if path.suffix != ".safetensors":
        return ()
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        listed = (file.metadata() or {}).get("classes", "")
    return tuple(listed.split("\n")) if listed else ()


def read_weights(path: Path) -> dict[str, Tensor]:
    """The state dict in a file. Raises UsageError where there is no such file, TraceError where it holds none."""
    if not path.is_file():
        raise UsageError(f'there is no weights file "{path}"')
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TraceError(f'"{path}" cannot be read as weights (safetensors or a .pt state dict): {first}') from error
    for key in _NESTED:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise TraceError(f'"{path}" holds no state dict (a dictionary of named tensors)')
    return state


def _fitted(state: dict[str, Tensor], wanted: set[str]) -> dict[str, Tensor]:
    """The state without a prefix that a wrapper put before every name."""
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in state) and not any(name.startswith(prefix) for name in wanted):
            state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state


def _problems(wanted: dict[str, Tensor], found: dict[str, Tensor]) -> list[str]:
    # A counter that only training reads; older checkpoints lack it.
    missing = [n for n in wanted if n not in found and not n.endswith("num_batches_tracked")]
    surplus = [n for n in found if n not in wanted]
    misshapen = [
        f"{n} is {list(found[n].shape)}, expected {list(wanted[n].shape)}"
        for n in wanted
        if n in found and found[n].shape != wanted[n].shape
    ]
    named = [("missing", missing), ("surplus", surplus), ("misshapen", misshapen)]
    return [f"{kind}: {_listed(names)}" for kind, names in named if names]


def _listed(names: list[str], most: int = 8) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
