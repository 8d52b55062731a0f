"""Pooling and maps of another size, in ONNX."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerscope.graph.forms.nodes import NoOnnxForm, OnnxForm, OnnxNodes, picked
from layerscope.graph.ops.calls import Call


def _windows(call: Call) -> tuple[list[int], list[int], list[int], list[int]]:
    """Kernel, strides, and paddings before and behind; as much behind as the last windows need: nothing is rounded."""
    kernel, before = call.pair("kernel_size"), call.pair("padding")
    stride = call.pair("stride") if call["stride"] else kernel
    dilation = call.pair("dilation") if "dilation" in call.args else (1, 1)
    behind = [
        (call.shape[axis - 2] - 1) * stride[axis]
        + dilation[axis] * (kernel[axis] - 1) + 1
        - call.inputs[0][axis - 2] - before[axis]
        for axis in (0, 1)
    ]  # fmt: skip
    return list(kernel), list(stride), list(before), [max(beyond, 0) for beyond in behind]


def highest(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """The largest of each window; nothing beyond the border is larger."""
    kernel, stride, before, behind = _windows(call)
    return to.node(
        "MaxPool", inputs[:1], dilations=call.pair("dilation"), kernel_shape=kernel, strides=stride,
        pads=[*before, *behind],
    )  # fmt: skip


def average(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """The mean of each window: over its px in the map, in the map with its padding, or by a divisor of its own."""
    kernel, stride, before, behind = _windows(call)
    divisor, value = call["divisor_override"], inputs[0]
    if not divisor and not (call["count_include_pad"] and any(before)):
        return to.node("AveragePool", [value], kernel_shape=kernel, strides=stride, pads=[*before, *behind])
    # What counts becomes a part of the map: of a window that reaches beyond it, ONNX counts what lies in the map.
    beyond = [max(last - own, 0) for last, own in zip(behind, before, strict=True)]
    around = [after if divisor else own for after, own in zip(behind, before, strict=True)]
    value = to.node("Pad", [value, to.whole_numbers([0, 0, *before, 0, 0, *around]), to.constant(0.0)])
    pads = [0, 0, 0, 0] if divisor else [0, 0, *beyond]
    mean = to.node("AveragePool", [value], kernel_shape=kernel, strides=stride, pads=pads)
    return to.node("Mul", [mean, to.constant(kernel[0] * kernel[1] / divisor)]) if divisor else mean


def adaptive_average(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Windows that part the map evenly; uneven ones are weights of rows and of columns."""
    even = _even("AveragePool", to, call, inputs)
    return _weighed(to, call, inputs) if even is None else even


def adaptive_highest(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Windows that part the map evenly."""
    even = _even("MaxPool", to, call, inputs)
    if even is None:
        raise NoOnnxForm("takes maxima of windows that do not part the map evenly")
    return even


def _even(operator: str, to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str | None:
    sizes = list(zip(call.inputs[0][-2:], call.shape[-2:], strict=True))
    if any(length % count for length, count in sizes):
        return None
    if tuple(call.shape[-2:]) == (1, 1):
        return to.node(f"Global{operator}", inputs[:1])
    steps = [length // count for length, count in sizes]
    return to.node(operator, inputs[:1], kernel_shape=steps, strides=steps)


def _weighed(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """What weighs rows, and columns likewise: the weights are asked of the operation itself."""
    rows, cols = (_asked(call, axis) for axis in (-2, -1))
    return to.node("MatMul", [to.node("MatMul", [to.constant(rows), inputs[0]]), to.constant(cols.T)])


def _asked(call: Call, axis: int) -> Tensor:
    """By place of an axis of the output, the weights of the places of the input."""
    length = call.inputs[0][axis]
    one = torch.eye(length, dtype=torch.float64)
    one = one[:, None, :, None] if axis == -2 else one[:, None, None, :]
    found = call.run(one.expand(length, 1, *call.inputs[0][-2:]).contiguous())[:, 0]
    return (found[:, :, 0] if axis == -2 else found[:, 0]).T


def by_places(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """What takes every row and every column from one of the input: from which, the operation itself is asked.

    Runtimes find the nearest place by arithmetic of their own, and near a half another.
    """
    value, size = inputs[0], call.inputs[0][-2:]
    for axis, length in zip((-2, -1), size, strict=True):
        # Whole numbers up to 2^24 are exact in float32, in which the nearest are looked for.
        ramp = torch.arange(length, dtype=torch.float32)
        ramp = ramp[:, None] if axis == -2 else ramp[None, :]
        found = call.run(ramp.expand(1, 1, *size).contiguous())[0, 0].select(1 if axis == -2 else 0, 0)
        value = picked(to, value, 4 + axis, [int(place) for place in found], length)
    return value


def between(mode: str, **attributes: Any) -> OnnxForm:
    """A map of another size, its values between those of the input."""

    def form(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
        factors = call["scale_factors"] or (None, None)
        scales = [_scale(call, axis, factor) for axis, factor in zip((-2, -1), factors, strict=True)]
        corners = "align_corners" if call["align_corners"] else "half_pixel"
        given = [inputs[0], "", to.constant(torch.tensor([1.0, 1.0, *scales], dtype=torch.float64))]
        return to.node("Resize", given, mode=mode, coordinate_transformation_mode=corners, **attributes)

    return form


def _scale(call: Call, axis: int, factor: float | None) -> float:
    """By what an axis is made longer, as float32: so that ONNX, which rounds the product down, gives its length."""
    old, new = call.inputs[0][axis], call.shape[axis]
    scale = np.float32(new / old if factor is None else factor)
    if int(scale * np.float32(old)) < new:
        scale = np.nextafter(scale, np.float32(np.inf))
    if int(scale * np.float32(old)) != new:
        raise NoOnnxForm(f"makes {new} of {old} by a factor of {factor}")
    return float(scale)
