"""What acts on each number by itself: the rectifiers, where the three methods part, and constant factors."""

from collections.abc import Iterator
from math import inf
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.core.geometry import Field
from layerscope.graph.ops.calls import Call, Declined, NodeInput, Sample, Weight
from layerscope.graph.ops.ranges import ANYTHING, Range, constant
from layerscope.graph.ops.rules import HeldGates, Rule, adjoint, derivative, holding, rectifying
from layerscope.graph.ops.table import Op, pointwise

aten = torch.ops.aten


def _clamp_signal(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """The deconvnet's rectification: of the signal, whatever the input was (Zeiler & Fergus 2013, section 2.1)."""
    return (signal.clamp(min=0),)


def _clamp_over(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (signal.clamp_(min=0),)


def _relu_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (aten.threshold_backward(signal, call.tensors[0], 0),)


def _bounds(call: Call) -> tuple[float, float]:
    return (call["min_val"], call["max_val"]) if "min_val" in call.args else (0.0, 6.0)


def _hardtanh_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (aten.hardtanh_backward(signal, call.tensors[0], *_bounds(call)),)


def _let_through(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """By the rectifier's output, which whoever shares out a value reads anyhow."""
    return (aten.threshold_backward(signal, call.output, 0),)


def _as_a_factor(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """Times y / x; x, where it is not zero, has a y of its own sign, or none."""
    (x,) = call.tensors
    return (signal * torch.where(x == 0, 0, call.run(x) / x),)


def _leaky_signal(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (F.leaky_relu(signal, call["negative_slope"]),)


def _leaky_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (aten.leaky_relu_backward(signal, call.tensors[0], call["negative_slope"], False),)


def _slopes(call: Call, like: Tensor) -> Tensor:
    """PReLU's slopes below zero, one for all channels or one each."""
    return call["weight"].reshape(-1, *(1,) * (like.dim() - 2))


def _prelu_signal(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (torch.where(signal > 0, signal, signal * _slopes(call, signal)),)


def _prelu_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (torch.where(call.tensors[0] > 0, signal, signal * _slopes(call, signal)),)


def _prelu_range(call: Call, inputs: tuple[Range, ...]) -> Range:
    above, below = inputs[0].clipped(0.0, inf), inputs[0].clipped(-inf, 0.0)
    return above.plus(below.times(constant(call["weight"])))


def _factor(call: Call) -> Any:
    """The constant: a number, or a tensor; a Weight in a call that has not got its weights yet."""
    factor = call["self"] if isinstance(call["other"], NodeInput) else call["other"]
    return factor if isinstance(factor, Tensor | Weight) else float(factor)


def _leaky_range(call: Call, inputs: tuple[Range, ...]) -> Range:
    above, below = inputs[0].clipped(0.0, inf), inputs[0].clipped(-inf, 0.0)
    return above.plus(below.times(constant(call["negative_slope"])))


def _product_range(call: Call, inputs: tuple[Range, ...]) -> Range:
    return inputs[0].times(constant(_factor(call)))


def _quotient_range(call: Call, inputs: tuple[Range, ...]) -> Range:
    divisor = constant(_factor(call))
    if divisor.low <= 0 <= divisor.high:
        return ANYTHING
    return inputs[0].times(Range(1 / divisor.high, 1 / divisor.low))


def differs_by_place(call: Call) -> bool:
    """True where a constant of a map's call is not the same at all places."""
    sides = (call["self"], call["other"])
    constants = (side for side in sides if isinstance(side, Weight | Tensor))
    return len(call.shape) > 1 and any(size != 1 for side in constants for size in tuple(side.shape)[-2:])


def _product_window(call: Call) -> tuple[Field, ...]:
    """One map and a constant: a number, or a weight."""
    if len(call.inputs) != 1:
        raise Declined("joins maps of different shapes by a product")
    if call.inputs[0] != call.shape:
        raise Declined(f"spreads {list(call.inputs[0])} to {list(call.shape)}")
    return pointwise(call)


def _product_pad(call: Call) -> float | None:
    """A constant that differs from place to place is applied on whole maps."""
    return None if differs_by_place(call) else 0.0


def _maps() -> Tensor:
    return torch.linspace(-3, 9, 2 * 3 * 5 * 4, dtype=torch.float64).sin().reshape(2, 3, 5, 4) * 7


def _relu_samples() -> Iterator[Sample]:
    yield Sample(aten.relu.default, (_maps(),), (NodeInput(0),))


def _hardtanh_samples() -> Iterator[Sample]:
    yield Sample(aten.hardtanh.default, (_maps(),), (NodeInput(0), 0.0, 6.0))
    yield Sample(aten.relu6.default, (_maps(),), (NodeInput(0),))


def _leaky_samples() -> Iterator[Sample]:
    yield Sample(aten.leaky_relu.default, (_maps(),), (NodeInput(0), 0.1))


def _prelu_samples() -> Iterator[Sample]:
    yield Sample(aten.prelu.default, (_maps(),), (NodeInput(0), torch.tensor([0.25], dtype=torch.float64)))
    yield Sample(aten.prelu.default, (_maps(),), (NodeInput(0), torch.tensor([0.1, -0.5, 2.0], dtype=torch.float64)))


def _per_channel() -> Tensor:
    return torch.tensor([0.5, -2.0, 3.0], dtype=torch.float64).reshape(1, 3, 1, 1)


def _mul_samples() -> Iterator[Sample]:
    yield Sample(aten.mul.Tensor, (_maps(),), (NodeInput(0), -0.5))
    yield Sample(aten.mul.Tensor, (_maps(),), (NodeInput(0), _per_channel()))
    yield Sample(aten.mul.Tensor, (_maps(),), (_per_channel(), NodeInput(0)))
    yield Sample(aten.mul.Tensor, (_maps(),), (NodeInput(0), _maps()[:1, :1]))
    yield Sample(aten.mul.Tensor, (_maps()[..., 0, 0],), (NodeInput(0), _per_channel().flatten()))


def _div_samples() -> Iterator[Sample]:
    yield Sample(aten.div.Tensor, (_maps(),), (NodeInput(0), 4))
    yield Sample(aten.div.Tensor, (_maps(),), (NodeInput(0), _per_channel()))


_RELU_BACK, _HARDTANH_BACK, _LEAKY_BACK, _PRELU_BACK = (
    derivative(back) for back in (_relu_back, _hardtanh_back, _leaky_back, _prelu_back)
)

ROWS = (
    Op(
        name="relu",
        sentence="the rectifier: what is below zero becomes zero",
        targets=(aten.relu.default,),
        window=pointwise,
        samples=_relu_samples,
        linear=False,
        role="activation",
        activation="rectifier",
        range=lambda call, inputs: inputs[0].clipped(0.0, inf),
        gradient=_RELU_BACK,
        rules=rectifying(_clamp_signal, _RELU_BACK, _clamp_over),
        held=HeldGates(Rule(_let_through, output=True, word="held")),
    ),
    Op(
        name="hardtanh",
        sentence="a rectifier with a ceiling, ReLU6 among them",
        targets=(aten.hardtanh.default, aten.relu6.default),
        window=pointwise,
        samples=_hardtanh_samples,
        linear=False,
        role="activation",
        activation="rectifier",
        range=lambda call, inputs: inputs[0].clipped(*_bounds(call)),
        gradient=_HARDTANH_BACK,
        rules=rectifying(_clamp_signal, _HARDTANH_BACK, _clamp_over),
        held=HeldGates(holding(_as_a_factor)),
    ),
    Op(
        name="leaky_relu",
        sentence="a rectifier that lets a part of what is below zero through",
        targets=(aten.leaky_relu.default,),
        window=pointwise,
        samples=_leaky_samples,
        linear=False,
        role="activation",
        activation="rectifier",
        range=_leaky_range,
        gradient=_LEAKY_BACK,
        rules=rectifying(_leaky_signal, _LEAKY_BACK),
        held=HeldGates(),
    ),
    Op(
        name="prelu",
        sentence="a rectifier with learned slopes for what is below zero",
        targets=(aten.prelu.default,),
        window=pointwise,
        samples=_prelu_samples,
        linear=False,
        role="activation",
        activation="rectifier",
        range=_prelu_range,
        gradient=_PRELU_BACK,
        rules=rectifying(_prelu_signal, _PRELU_BACK),
        held=HeldGates(),
    ),
    Op(
        name="mul",
        sentence="a map times a constant",
        targets=(aten.mul.Tensor,),
        window=_product_window,
        pad=_product_pad,
        samples=_mul_samples,
        linear=True,
        range=_product_range,
        gradient=adjoint(lambda signal, call: (signal * _factor(call),)),
    ),
    Op(
        name="div",
        sentence="a map over a constant",
        targets=(aten.div.Tensor,),
        window=_product_window,
        pad=_product_pad,
        samples=_div_samples,
        linear=True,
        range=_quotient_range,
        gradient=adjoint(lambda signal, call: (signal / _factor(call),)),
    ),
)
