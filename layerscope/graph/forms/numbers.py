"""What acts on each number by itself, in ONNX: activations, constants, and pairs of maps."""

from collections.abc import Sequence
from math import pi, sqrt
from typing import Any

import torch

from layerscope.graph.forms.nodes import OnnxForm, OnnxNodes, side, weights
from layerscope.graph.ops.calls import Call


def two(operator: str) -> OnnxForm:
    """A sum, difference, product or quotient of maps and constants; the second may be taken `alpha` times."""

    def form(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
        own, other = (side(to, call[name], inputs) for name in ("self", "other"))
        times = call.args.get("alpha", 1)
        if times != 1:
            other = to.node("Mul", [other, to.constant(float(times))])
        return to.node(operator, [own, other])

    return form


def told(operator: str, **arguments: str) -> OnnxForm:
    """An operation with numbers as attributes: arguments of the call, by the attributes' names."""

    def form(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
        return to.node(operator, inputs[:1], **{name: float(call[own]) for name, own in arguments.items()})

    return form


def chained(*operators: str) -> OnnxForm:
    """One operation behind another."""

    def form(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
        value = inputs[0]
        for operator in operators:
            value = to.node(operator, [value])
        return value

    return form


def times(inner: OnnxForm) -> OnnxForm:
    """A map times what is made of it."""
    return lambda to, call, inputs: to.node("Mul", [inputs[0], inner(to, call, inputs)])


def bounded(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """A rectifier with a ceiling; ReLU6 does not say where."""
    low, high = (call.args.get(name, usual) for name, usual in (("min_val", 0.0), ("max_val", 6.0)))
    return to.node("Clip", [inputs[0], to.constant(low), to.constant(high)])


def clamped(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Cut off on either side, or on one."""
    ends: list[Any] = [call["min"], call["max"]]
    return to.node("Clip", [inputs[0], *("" if end is None else to.constant(float(end)) for end in ends)])


def own_slopes(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """PReLU: one slope for all channels, or one each."""
    (slopes,) = weights(call, "weight")
    assert slopes is not None
    return to.node("PRelu", [inputs[0], to.constant(slopes.reshape(-1, *(1,) * (len(call.shape) - 1)))])


def gelu(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """By the error function, or by the hyperbolic tangent that is near it. ONNX has it as one from version 20 on."""
    x = inputs[0]
    if call["approximate"] == "tanh":
        cube = to.node("Mul", [to.node("Mul", [x, x]), x])
        near = to.node("Add", [x, to.node("Mul", [cube, to.constant(0.044715)])])
        share = to.node("Tanh", [to.node("Mul", [near, to.constant(sqrt(2 / pi))])])
    else:
        share = to.node("Erf", [to.node("Mul", [x, to.constant(sqrt(0.5))])])
    half = to.node("Mul", [x, to.constant(0.5)])
    return to.node("Mul", [half, to.node("Add", [share, to.constant(1.0)])])


def elu(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """With factors of its own before it and behind, ONNX's is taken of what is below zero alone."""
    alpha, scale, before = (float(call[name]) for name in ("alpha", "scale", "input_scale"))
    if scale == before == 1:
        return to.node("Elu", inputs[:1], alpha=alpha)
    above = to.node("Relu", inputs[:1])
    below = to.node("Mul", [to.node("Sub", [inputs[0], above]), to.constant(before)])
    both = to.node("Add", [above, to.node("Elu", [below], alpha=alpha)])
    return to.node("Mul", [both, to.constant(scale)])


def softplus(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Above a threshold it is the number itself."""
    x, beta = inputs[0], float(call["beta"])
    steep = to.node("Mul", [x, to.constant(beta)])
    soft = to.node("Mul", [to.node("Softplus", [steep]), to.constant(1 / beta)])
    return to.node("Where", [to.node("Greater", [steep, to.constant(float(call["threshold"]))]), x, soft])


def threshold(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """What is not above it becomes one value."""
    above = to.node("Greater", [inputs[0], to.constant(float(call["threshold"]))])
    return to.node("Where", [above, inputs[0], to.constant(float(call["value"]))])


def shrunk(*, drawn: bool) -> OnnxForm:
    """What is near zero becomes zero. drawn: all else is drawn towards it."""

    def form(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
        near = float(call["lambd"])
        return to.node("Shrink", inputs[:1], lambd=near, bias=near if drawn else 0.0)

    return form


def log1p(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """The logarithm of one more."""
    return to.node("Log", [to.node("Add", [inputs[0], to.constant(1.0)])])


def power(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """To a constant power, one for all or one for each number."""
    exponent = call["exponent"]
    return to.node("Pow", [inputs[0], to.constant(exponent if isinstance(exponent, torch.Tensor) else float(exponent))])
