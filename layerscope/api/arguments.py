"""What users hand over, looked at before anything begins: each mistake is one sentence that says what to write."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from layerscope.core.errors import UsageError


def require_model(model: Any) -> None:
    """Raises UsageError for what is neither a module nor an exported program."""
    if isinstance(model, nn.Module | ExportedProgram):
        return
    owner = getattr(model, "__self__", None)
    if isinstance(model, type) and issubclass(model, nn.Module):
        why = f"the class {model.__name__}, not a network: call it first, trace({model.__name__}(...), ...)"
    elif isinstance(owner, nn.Module):
        why = f"the method {model.__name__} of a {type(owner).__name__}: give the module itself"
    elif isinstance(model, Mapping):
        why = "a dictionary of weights: load them into the module with load_state_dict, and give the module"
    elif isinstance(model, torch.jit.ScriptFunction):
        why = "a TorchScript function: give the Python module that it was made from"
    elif callable(model):  # pyright: ignore[reportUnknownArgumentType]
        why = "a function: give a torch.nn.Module whose forward calls it"
    else:
        why = f"{'None' if model is None else f'a {type(model).__name__}'}"
    raise UsageError(
        f'the network given is {why}; expected a torch.nn.Module, an exported program or a name such as "worldnet"'
    )


def batch_of(x: Any, name: str, shape: tuple[int, ...]) -> Tensor:
    """A batch for a network, as a tensor. Raises UsageError for what is no batch of numbers [n, c, h, w]."""
    wanted = f"{name} expects [n, {', '.join(map(str, shape))}]"
    try:
        tensor = torch.as_tensor(x)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"{wanted}, a tensor or an array, got a {type(x).__name__}") from error
    if tensor.dim() != 4 or tuple(tensor.shape[1:]) != shape:
        hint = "; one picture is a batch of one: x[None]" if tuple(tensor.shape) == shape else ""
        raise UsageError(f"{wanted}, got {list(tensor.shape)}{hint}")
    if tensor.is_complex() or tensor.dtype is torch.bool:
        raise UsageError(f"{wanted} of numbers, got {str(tensor.dtype).removeprefix('torch.')}")
    return tensor.detach()


def indices(key: str, values: Any, size: int, layer: str) -> np.ndarray:
    """Whole numbers below a size, int64[m]. Raises UsageError."""
    try:
        array = np.atleast_1d(np.asarray(values))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{key} must be whole numbers, one per projection, got {values!r}") from error
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise UsageError(f"{key} must be whole numbers, one per projection, got {values!r}")
    wrong = array[(array < 0) | (array >= size)]
    if len(wrong):
        raise UsageError(f"{key} {wrong[0]} does not exist in {layer}: it has {size} ({key} 0 to {size - 1})")
    return array.astype(np.int64)
