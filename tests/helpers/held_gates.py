"""The slow way to share out a value: the user's eager model, in which all but linear calls are made linear by hand.

Under a ``TorchFunctionMode`` an activation f becomes x times a constant, (f(x) - f(0)) / x, plus f(0); a normalisation
uses constants in place of its own mean and deviation; of a product with a gate the gate is a constant, and of a product
of two maps each is for half of it. All constants are detached, so that autograd's plain backward gives the factors.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float64
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

POINTWISE = {
    F.relu, torch.relu, Tensor.relu, torch.relu_, Tensor.relu_, F.relu6, F.hardtanh, F.silu, F.gelu, F.hardswish,
    F.sigmoid, torch.sigmoid, Tensor.sigmoid, torch.tanh, Tensor.tanh, F.softplus, F.elu, F.leaky_relu, F.hardsigmoid,
    F.prelu, torch.prelu, F.mish,
}  # fmt: skip


class HeldByHand(TorchFunctionMode):
    """Calls that are not linear, made so."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in POINTWISE:
            return _scaled(lambda x: func(x, *args[1:], **{k: v for k, v in kwargs.items() if k != "inplace"}), args[0])
        if func is F.layer_norm:
            return _normalised(*args, **kwargs)
        if func is F.local_response_norm:
            x = args[0]
            return x * (func(x.detach(), *args[1:], **kwargs) / x.detach())
        if func in (torch.mul, Tensor.mul, Tensor.__mul__) and all(_is_map(side) for side in args[:2]):
            own, other = args[:2]
            if own.shape == other.shape:
                return (own * other.detach() + own.detach() * other) / 2
            return own * other.detach() if own.numel() > other.numel() else other * own.detach()
        return func(*args, **kwargs)


def _is_map(side: Any) -> bool:
    return isinstance(side, Tensor) and side.dim() == 4


def _scaled(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    plain = x.detach().clone()
    zero = function(torch.zeros_like(plain))
    factor = torch.where(plain == 0, 0.0, (function(plain.clone()) - zero) / plain)
    return x * factor.detach() + zero.detach()


def _normalised(x: Tensor, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    axes = tuple(range(-len(shape), 0))
    mean = x.detach().mean(axes, keepdim=True)
    factor = (x.detach().var(axes, correction=0, keepdim=True) + eps).rsqrt()
    made = (x - mean) * factor
    made = made if weight is None else made * weight
    return made if bias is None else made + bias


@contextmanager
def _kept(model: nn.Module, names: tuple[str, ...]) -> Iterator[dict[str, Tensor]]:
    """What some modules gave, as they gave it."""
    found: dict[str, Tensor] = {}
    hooks = [
        model.get_submodule(name).register_forward_hook(lambda m, i, o, name=name: found.update({name: o}))
        for name in names
    ]
    yield found
    for hook in hooks:
        hook.remove()


def amounts(
    model: nn.Module, image: Float64[np.ndarray, "c h w"], later: str, earlier: str, place: tuple[int, ...]
) -> tuple[Float64[np.ndarray, "units *map"], float]:
    """What each number of an earlier module's output adds to one number of a later one's, and that number itself."""
    found, value = amounts_by_layer(model, image, later, (earlier,), place)
    return found[earlier], value


def amounts_by_layer(
    model: nn.Module, image: Float64[np.ndarray, "c h w"], later: str, earlier: tuple[str, ...], place: tuple[int, ...]
) -> tuple[dict[str, Float64[np.ndarray, "units *map"]], float]:
    """The same of several earlier modules, by one pass. later: "" for what the network gives."""
    x = torch.from_numpy(image)[None].requires_grad_()
    with _kept(model, (later, *earlier)) as found, HeldByHand():
        model(x)
    value = found[later][(0, *place)]
    maps = [found[name] for name in earlier]
    signals = torch.autograd.grad(value, maps, allow_unused=True, materialize_grads=True)
    shared = {name: (one * signal)[0] for name, one, signal in zip(earlier, maps, signals, strict=True)}
    return {name: one.detach().numpy() for name, one in shared.items()}, float(value.detach())
