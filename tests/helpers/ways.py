"""What the reference does where a paper is silent or an operation joins maps, written with plain torch.

Each is an autograd Function: forward is the user's own call, backward is autograd's for the method "gradient" and what
docs/mathematics.md says for the others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


@dataclass
class Course:
    """The way back that is being taken: its method, and the graph node whose rule is the start and not applied."""

    method: str = "gradient"
    start: object | None = None


class Through(torch.autograd.Function):
    """Any function of one map: by autograd for the gradient, by `other` for deconvnet and guided."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, function: Callable, other: Callable, course: Course) -> Tensor:
        ctx.function, ctx.other, ctx.course, ctx.x = function, other, course, x.detach().clone()
        return function(x.detach()).clone()

    @staticmethod
    def backward(ctx: Any, *signals: Tensor) -> tuple[Tensor | None, ...]:
        (signal,) = signals
        if ctx.course.method != "gradient":
            return ctx.other(signal, ctx.x, ctx.function, ctx.course.method), None, None, None
        return _derived(ctx.function, ctx.x, signal), None, None, None


class Gated(torch.autograd.Function):
    """A map times its gate."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: Tensor, course: Course) -> Tensor:
        ctx.course = course
        ctx.save_for_backward(x, factor)
        return x * factor

    @staticmethod
    def backward(ctx: Any, *signals: Tensor) -> tuple[Tensor | None, ...]:
        (signal,), (x, factor) = signals, ctx.saved_tensors
        if ctx.course.method != "gradient":
            return signal * factor, None, None
        return signal * factor, (signal * x).sum_to_size(factor.shape), None


def _derived(function: Callable, x: Tensor, signal: Tensor) -> Tensor:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (found,) = torch.autograd.grad(function(x), x, signal)
    return found


def _slope(x: Tensor, function: Callable) -> Tensor:
    """Of the line from (0, f(0)) to (x, f(x)); where that is too short to be measured, of f half way."""
    short = x.abs() < 1e-5
    slope = (function(x) - function(torch.zeros_like(x))) / torch.where(short, 1.0, x)
    return torch.where(short, _derived(function, x / 2, torch.ones_like(x)), slope)


def _rises(signal: Tensor, x: Tensor, function: Callable, method: str) -> Tensor:
    signal = torch.where(signal > 0, signal, 0.0)
    return signal * _slope(x, function) if method == "guided" else signal


def _saturates(signal: Tensor, x: Tensor, function: Callable, method: str) -> Tensor:
    return signal * _slope(x, function)


RISING = (
    *(functional.silu, functional.gelu, functional.hardswish, functional.mish, functional.elu, functional.selu),
    *(functional.celu, functional.softplus, functional.threshold),
)
SATURATING = (
    *(torch.sigmoid, torch.tanh, Tensor.sigmoid, Tensor.tanh, functional.hardsigmoid, functional.softsign),
    *(functional.logsigmoid, functional.hardshrink, functional.softshrink),
)
# Cut off at zero or above they rise from there; else they saturate.
CUTTING = (torch.clamp, Tensor.clamp, functional.hardtanh)
SHARING = (torch.softmax, Tensor.softmax, functional.softmax)
# What makes numbers from 0 to 1, and what hands them on in other places.
GATING = (torch.sigmoid, Tensor.sigmoid, functional.hardsigmoid, *SHARING)
MOVING = (
    *(Tensor.view, Tensor.reshape, Tensor.expand, Tensor.expand_as, Tensor.unsqueeze, Tensor.squeeze),
    *(Tensor.permute, Tensor.transpose, Tensor.__getitem__, Tensor.contiguous, Tensor.clone, functional.interpolate),
)
PRODUCTS = (torch.mul, Tensor.mul, Tensor.__mul__, Tensor.__rmul__)
QUOTIENTS = (torch.div, Tensor.div, Tensor.__truediv__)
# What autograd goes back by the result of, which an in-place call behind may write over.
KEEPING = (torch.exp, torch.reciprocal, torch.rsqrt, torch.sqrt, torch.pow, Tensor.exp, Tensor.reciprocal, Tensor.rsqrt)
KEEPING += (Tensor.sqrt, Tensor.pow, Tensor.__pow__, Tensor.amax)
UNCAUGHT = (
    *("SiluBackward", "GeluBackward", "HardswishBackward", "MishBackward", "EluBackward", "SoftplusBackward"),
    *("SigmoidBackward", "TanhBackward", "HardsigmoidBackward", "LogSigmoidBackward", "NativeGroupNormBackward"),
    *("HardshrinkBackward", "SoftshrinkBackward", "SoftmaxBackward", "GluBackward", "NativeLayerNormBackward"),
)


def _by_deviation(signal: Tensor, x: Tensor, axes: Any, weight: Tensor | None, eps: float) -> Tensor:
    """Times the weight, over the deviation."""
    deviation = (x.var(axes, correction=0, keepdim=True) + eps).sqrt()
    return signal / deviation if weight is None else signal / deviation * weight


def _layer(signal: Tensor, x: Tensor, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    return _by_deviation(signal, x, tuple(range(x.dim() - len(shape), x.dim())), weight, eps)


def _group(signal: Tensor, x: Tensor, count: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    parts = [
        _by_deviation(s, p, (1, 2, 3), None, eps)
        for s, p in zip(signal.chunk(count, 1), x.chunk(count, 1), strict=True)
    ]
    return torch.cat(parts, 1) * (1.0 if weight is None else weight[:, None, None])


def _instance(
    signal: Tensor, x: Tensor, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    weight = None if weight is None else weight[:, None, None]
    if not use_input_stats:  # those of a batch norm, and it is one
        kept = signal / (running_var + eps).sqrt()[:, None, None]
        return kept if weight is None else kept * weight
    return _by_deviation(signal, x, (2, 3), weight, eps)


def _root(signal: Tensor, x: Tensor, shape: Any, weight: Any = None, eps: float | None = None) -> Tensor:
    """Over the root of the mean square, times the weight."""
    mean = x.square().mean(tuple(range(-len(shape), 0)), keepdim=True)
    found = signal / (mean + (torch.finfo(x.dtype).eps if eps is None else eps)).sqrt()
    return found if weight is None else found * weight


def _divided(signal: Tensor, x: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Tensor:
    """Over the norm, of which one is for many numbers."""
    return signal / x.norm(p, dim, keepdim=True).clamp_min(eps)


def _shares(signal: Tensor, x: Tensor, *args: Any, **dims: Any) -> Tensor:
    return signal * torch.softmax(x, *args, **{key: value for key, value in dims.items() if key == "dim"})


NORMS: dict[Any, Callable[..., Tensor]] = {
    functional.layer_norm: _layer, functional.group_norm: _group, functional.instance_norm: _instance,
    functional.local_response_norm: lambda signal, x, *args, **settings: signal,
    functional.rms_norm: _root, functional.normalize: _divided,
    **dict.fromkeys((torch.softmax, Tensor.softmax), _shares),
    functional.softmax: lambda signal, x, dim, *args, **settings: signal * torch.softmax(x, dim),
}  # fmt: skip


def called(func: Any, args: tuple, kwargs: dict, course: Course) -> Any:
    """What a call gives, with the way back that the course asks for."""
    if func in RISING or func in SATURATING or func in CUTTING:
        return _activation(func, args, dict(kwargs), course)
    if func in NORMS:
        x, *rest = args if args else (kwargs.pop("input"),)

        def other(signal: Tensor, at: Tensor, function: Callable, method: str) -> Tensor:
            return NORMS[func](signal, at, *rest, **kwargs)

        found = Through.apply(x, lambda at: func(at, *rest, **kwargs), other, course)
        found.made_by, found.made_of = func, x
        return found
    if func in PRODUCTS and _are_maps(args):
        return _multiplied(func, args, course)
    if func in QUOTIENTS and _are_maps(args) and args[1].numel() < args[0].numel():
        return Gated.apply(args[0], func(1.0, args[1]) if func is torch.div else args[1].reciprocal(), course)
    if func is functional.glu:
        own, other = args[0].chunk(2, kwargs.get("dim", *args[1:] or (-1,)))
        return Gated.apply(own, called(torch.sigmoid, (other,), {}, course), course)
    found = func(*args, **kwargs)
    if func in MOVING and getattr(args[0], "made_by", None) in GATING:
        found.made_by, found.made_of = args[0].made_by, None
    return found.clone() if func in KEEPING else found


def _are_maps(args: tuple) -> bool:
    return all(isinstance(arg, Tensor) and arg.requires_grad for arg in args)


def _activation(func: Any, args: tuple, kwargs: dict, course: Course) -> Tensor:
    x, *rest = args
    inplace = kwargs.pop("inplace", False)
    other = _rises if func in RISING or (func in CUTTING and _lowest(*rest, **kwargs) >= 0) else _saturates
    found = Through.apply(x, lambda at: func(at, *rest, **kwargs), other, course)
    if inplace:
        return x.copy_(found)
    # For the product that this may be the gate of.
    found.made_by, found.made_of = func, x
    return found


def _lowest(min: float | None = None, max: float | None = None, min_val: float = -1.0, max_val: float = 1.0) -> float:
    """Where a call cuts off below; below zero for nowhere. (Hardtanh's are -1 to 1.)"""
    return min_val if min is None else min


def _multiplied(func: Any, args: tuple, course: Course) -> Tensor:
    for own, factor in (args, args[::-1]):
        gates = getattr(factor, "made_by", None) in GATING
        if gates and factor.made_of is own and factor.made_by not in SHARING:
            whole = functional.hardswish if factor.made_by is functional.hardsigmoid else functional.silu
            return Through.apply(own, partial(whole), _rises, course)
        if factor.numel() < own.numel() or (gates and own is not factor):
            return Gated.apply(own, factor, course)
    return func(*args)
