"""Pooling: the largest of a window, or its mean."""

from collections.abc import Iterator
from math import inf

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.core.geometry import Field, Window
from layerscope.graph.ops.calls import Call, NodeInput, Sample
from layerscope.graph.ops.ranges import ZERO, Range, hull
from layerscope.graph.ops.rules import HeldGates, adjoint, derivative
from layerscope.graph.ops.table import Op, everything, unchanged

aten = torch.ops.aten


def _stride(call: Call) -> tuple[int, int]:
    return call.pair("stride") if call["stride"] else call.pair("kernel_size")


def _pool_window(call: Call) -> tuple[Field, ...]:
    kernel, stride, padding = call.pair("kernel_size"), _stride(call), call.pair("padding")
    dilation = call.pair("dilation") if "dilation" in call.args else (1, 1)
    rows, cols = (
        Window(size=dilation[axis] * (kernel[axis] - 1) + 1, step=stride[axis], start=-padding[axis]) for axis in (0, 1)
    )
    return (Field(rows=rows, cols=cols),)


def _max_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """Back through the switches: the first largest of each window takes its signal; overlapping windows add.

    Zeiler & Fergus 2013, section 2.1. (`torch.nn.MaxUnpool2d` overwrites where windows overlap.)
    """
    (x,) = call.tensors
    geometry = (call.pair("kernel_size"), _stride(call), call.pair("padding"), call.pair("dilation"), call["ceil_mode"])
    _, switches = aten.max_pool2d_with_indices(x, *geometry)
    return (aten.max_pool2d_with_indices_backward(signal, x, *geometry, switches),)


def _max_range(call: Call, inputs: tuple[Range, ...]) -> Range:
    """One of the values; a dilated window that steps over the whole map sees none, and gives minus infinity."""
    sizes, dilation = call.inputs[0][-2:], call.pair("dilation")
    misses = any(call.pair("padding")) and any(step > size for step, size in zip(dilation, sizes, strict=True))
    return Range(-inf, inputs[0].high) if misses else inputs[0]


def _average_range(call: Call, inputs: tuple[Range, ...]) -> Range:
    """A mean of values, of zeros where the padding counts; with a divisor of its own a window's sum over that."""
    if call["divisor_override"]:
        rows, cols = call.pair("kernel_size")
        ends = (0.0, rows * cols / call["divisor_override"])
        return inputs[0].times(Range(min(ends), max(ends)))
    return hull((inputs[0], ZERO)) if any(call.pair("padding")) and call["count_include_pad"] else inputs[0]


def _average_pad(call: Call) -> float | None:
    """Zeros, unless a window at the border is divided by a number of its own."""
    divides_alike = call["count_include_pad"] or call["divisor_override"] or not any(call.pair("padding"))
    kernel, stride, padding = call.pair("kernel_size"), _stride(call), call.pair("padding")
    overhangs = any(
        (call.shape[axis - 2] - 1) * stride[axis] + kernel[axis] > call.inputs[0][axis - 2] + 2 * padding[axis]
        for axis in (0, 1)
    )
    return 0.0 if divides_alike and (call["divisor_override"] or not overhangs) else None


def _average_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    like = signal.new_zeros((1, 1, 1, 1)).expand(signal.shape[0], *call.inputs[0])
    geometry = (call.pair("kernel_size"), _stride(call), call.pair("padding"), call["ceil_mode"])
    return (aten.avg_pool2d_backward(signal, like, *geometry, call["count_include_pad"], call["divisor_override"]),)


def _adaptive_windows(call: Call) -> tuple[Window, Window] | None:
    """The windows where the input divides evenly; uneven ones overlap irregularly."""
    sizes = call.inputs[0][-2:], call.shape[-2:]
    if any(length % count for length, count in zip(*sizes, strict=True)):
        return None
    rows, cols = (
        Window.whole(length) if count == 1 else Window(size=length // count, step=length // count, start=0)
        for length, count in zip(*sizes, strict=True)
    )
    return rows, cols


def _adaptive_window(call: Call) -> tuple[Field, ...]:
    windows = _adaptive_windows(call)
    if windows is None:
        sizes = " to ".join(f"{rows}x{cols}" for rows, cols in (call.inputs[0][-2:], call.shape[-2:]))
        return everything(call, note=f"adaptive pooling from {sizes} is uneven")
    return (Field(rows=windows[0], cols=windows[1]),)


def _adaptive_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    rows, cols = (size // count for size, count in zip(call.inputs[0][-2:], signal.shape[-2:], strict=True))
    if (signal.shape[-2] * rows, signal.shape[-1] * cols) != tuple(call.inputs[0][-2:]):
        like = signal.new_zeros((1, 1, 1, 1)).expand(signal.shape[0], *call.inputs[0])
        return (aten._adaptive_avg_pool2d_backward(signal.contiguous(), like.contiguous()),)
    return (F.interpolate(signal, scale_factor=(rows, cols), mode="nearest") / (rows * cols),)


def _maps() -> Tensor:
    return torch.linspace(-3, 40, 2 * 3 * 9 * 8, dtype=torch.float64).sin().reshape(2, 3, 9, 8)


def _max_samples() -> Iterator[Sample]:
    yield Sample(aten.max_pool2d.default, (_maps(),), (NodeInput(0), [3, 3], [2, 2]))
    yield Sample(aten.max_pool2d.default, (_maps(),), (NodeInput(0), [3, 2], [2, 2], [1, 1], [1, 1], True))
    yield Sample(aten.max_pool2d.default, (_maps(),), (NodeInput(0), [2, 3], [1, 1], [1, 1], [2, 1], False))
    yield Sample(aten.max_pool2d.default, (_maps(),), (NodeInput(0), [2, 2]))


def _average_samples() -> Iterator[Sample]:
    yield Sample(aten.avg_pool2d.default, (_maps(),), (NodeInput(0), [2, 2]))
    yield Sample(aten.avg_pool2d.default, (_maps(),), (NodeInput(0), [3, 2], [2, 1], [1, 1]))
    yield Sample(aten.avg_pool2d.default, (_maps(),), (NodeInput(0), [3, 3], [2, 2], [1, 1], False, False))
    yield Sample(aten.avg_pool2d.default, (_maps(),), (NodeInput(0), [2, 3], [2, 3], [0, 0], True))
    yield Sample(aten.avg_pool2d.default, (_maps(),), (NodeInput(0), [3, 3], [1, 1], [1, 1], False, False, 5))


def _adaptive_samples() -> Iterator[Sample]:
    yield Sample(aten.adaptive_avg_pool2d.default, (_maps(),), (NodeInput(0), [1, 1]))
    yield Sample(aten.adaptive_avg_pool2d.default, (_maps(),), (NodeInput(0), [3, 4]))
    yield Sample(aten.adaptive_avg_pool2d.default, (_maps(),), (NodeInput(0), [9, 8]))
    yield Sample(aten.adaptive_avg_pool2d.default, (_maps(),), (NodeInput(0), [4, 3]))


def _adaptive_max_samples() -> Iterator[Sample]:
    yield Sample(aten.adaptive_max_pool2d.default, (_maps(),), (NodeInput(0), [1, 1]))
    yield Sample(aten.adaptive_max_pool2d.default, (_maps(),), (NodeInput(0), [3, 4]))


ROWS = (
    Op(
        name="max_pool2d",
        sentence="the largest value of each window",
        targets=(aten.max_pool2d.default,),
        window=_pool_window,
        samples=_max_samples,
        linear=False,
        held=HeldGates(),
        pad=-inf,
        range=_max_range,
        gradient=derivative(_max_back),
    ),
    Op(
        name="avg_pool2d",
        sentence="the mean of each window",
        targets=(aten.avg_pool2d.default,),
        window=_pool_window,
        samples=_average_samples,
        linear=True,
        pad=_average_pad,
        range=_average_range,
        gradient=adjoint(_average_back),
    ),
    Op(
        name="adaptive_avg_pool2d",
        sentence="the means of as many windows as the output has positions",
        targets=(aten.adaptive_avg_pool2d.default,),
        window=_adaptive_window,
        samples=_adaptive_samples,
        linear=True,
        range=unchanged,
        gradient=adjoint(_adaptive_back),
    ),
    Op(
        name="adaptive_max_pool2d",
        sentence="the largest of as many windows as the output has positions",
        targets=(aten.adaptive_max_pool2d.default,),
        window=_adaptive_window,
        samples=_adaptive_max_samples,
        linear=False,
        held=HeldGates(),
        range=unchanged,
    ),
)
