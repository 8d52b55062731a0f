"""Batch norm folded into the weights before it: what was trained with it becomes convolution and ReLU alone.

A trained batch norm is one scale and one shift per unit, so it can be a part of the weights. The network computes the
same to rounding, and its deconvnet is exactly the paper's.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from layerscope.core.errors import TraceError


def fold(trained: nn.Module, plain: nn.Module) -> nn.Module:
    """Put a trained network's weights, batch norm folded in, into the same network built without batch norm.

    trained, plain: alike but for modules named "norm" that follow a convolution or dense layer in a Sequential.
    Returns `plain` in evaluation mode. Raises TraceError where the two do not belong together.
    """
    trained = copy.deepcopy(trained).cpu()  # not every device has float64
    state = trained.state_dict()
    for name, block in trained.named_modules():
        if isinstance(block, nn.Sequential) and hasattr(block, "norm"):
            norm = block.get_submodule("norm")
            assert isinstance(norm, _BatchNorm)
            state = _folded(state, name, first=next(iter(dict(block.named_children()))), eps=norm.eps)
    try:
        plain.load_state_dict(state)
    except RuntimeError as error:
        why = " ".join(str(error).split())
        raise TraceError(f"{type(trained).__name__} cannot be folded into {type(plain).__name__}: {why}") from error
    return plain.eval()


def _folded(state: dict[str, Tensor], block: str, *, first: str, eps: float) -> dict[str, Tensor]:
    weights = f"{block}.{first}"
    held = ("weight", "bias", "running_mean", "running_var")
    gain, offset, mean, variance = (state[f"{block}.norm.{name}"].double() for name in held)
    kept = {name: tensor for name, tensor in state.items() if not name.startswith((f"{block}.norm.", f"{weights}."))}
    weight = state[f"{weights}.weight"].double()
    scale = gain / torch.sqrt(variance + eps)
    shift = offset - mean * scale
    bias = state.get(f"{weights}.bias")
    if bias is not None:
        shift = shift + bias.double() * scale
    scaled = weight * scale.reshape(-1, *[1] * (weight.dim() - 1))
    own = state[f"{weights}.weight"].dtype
    return kept | {f"{weights}.weight": scaled.to(own), f"{weights}.bias": shift.to(own)}
