"""A transposed convolution as plain ones, with filters that lie as oneDNN likes them.

A convolution of stride 1 is carried back by one, of the filters turned round, that makes the very map that the first
was made on: nothing is computed to be cut off. One with a stride, where that pays, is carried back by one for each of
its phases, and each makes every n-th row and column. All of it is equal to the transposed convolution to rounding.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from layerscope.graph.fused import can_join, onednn, padding_of, reordered
from layerscope.graph.ops.calls import Call, TensorShape

# Filters are laid out for as many signals, whatever comes: what is carried back alone must be what it is among others.
LAID_OUT_FOR = 4
# Phases of a stride are made where there are so many times more numbers in the filters than in the map.
HEAVY = 4


def can_turn(dtype: torch.dtype, device: torch.device) -> bool:
    """True where oneDNN takes filters as it likes them: float32 on a processor."""
    return can_join(dtype, device)


def turned(call: Call) -> "Transposed | None":
    """A convolution's way back; None where its rule is as good, or where one border is wider than the other."""
    kernel, stride, dilation = call["weight"].shape[-2:], call.pair("stride"), call.pair("dilation")
    padding = padding_of(call)
    if padding is None or any(p > d * (k - 1) for p, d, k in zip(padding, dilation, kernel, strict=True)):
        return None
    if stride != (1, 1) and (dilation != (1, 1) or not _worth_phases(call)):
        return None
    return Transposed(call)


def _worth_phases(call: Call) -> bool:
    """Whether filters are heavy enough for several calls, whose rows and columns are then laid among each other."""
    channels, *size = call.inputs[0]
    return call["groups"] == 1 and call["weight"].numel() >= HEAVY * channels * size[0] * size[1]


class _Phase(NamedTuple):
    """The filters of one phase. row, col: of the stride, at which it begins. reach: rows and columns that a filter
    sees beyond its own."""

    row: int
    col: int
    reach: tuple[int, int]
    weight: Tensor


class Transposed:
    """The rule of one convolution, as plain convolutions."""

    def __init__(self, call: Call) -> None:
        self.stride, self.dilation, self.groups = call.pair("stride"), call.pair("dilation"), call["groups"]
        kernel = call["weight"].shape[-2:]
        rows, cols = (range(min(step, size)) for step, size in zip(self.stride, kernel, strict=True))
        self.phases = [self._phase(call["weight"], call.shape, row, col) for row in rows for col in cols]

    def _phase(self, weight: Tensor, shape: TensorShape, row: int, col: int) -> _Phase:
        part = weight[..., row :: self.stride[0], col :: self.stride[1]].flip(-2, -1)
        outputs, inputs, *kernel = part.shape
        grouped = part.reshape(self.groups, outputs // self.groups, inputs, *kernel).transpose(1, 2)
        filters = grouped.reshape(self.groups * inputs, outputs // self.groups, *kernel)
        rows, cols = (d * (k - 1) for d, k in zip(self.dilation, kernel, strict=True))
        ways = ((rows, cols), (1, 1), self.dilation, self.groups)
        return _Phase(row, col, (rows, cols), reordered(filters, *ways, (LAID_OUT_FOR, *shape)))

    def __call__(self, signal: Tensor, call: Call) -> tuple[Tensor, ...]:
        signal = signal.contiguous(memory_format=torch.channels_last)
        padding = padding_of(call)
        assert padding is not None
        if self.stride == (1, 1):
            (phase,) = self.phases
            rows, cols = (reach - p for reach, p in zip(phase.reach, padding, strict=True))
            return (self._made(phase, signal, (rows, cols)),)
        size = (len(signal), *call.inputs[0])
        out = torch.empty(size, dtype=signal.dtype, memory_format=torch.channels_last).zero_()
        for phase in self.phases:
            part = self._made(phase, signal, phase.reach)
            here, there = zip(
                *map(_places, (phase.row, phase.col), self.stride, padding, part.shape[-2:], size[-2:]), strict=True
            )
            out[..., there[0], there[1]] = part[..., here[0], here[1]]
        return (out,)

    def _made(self, phase: _Phase, signal: Tensor, padding: tuple[int, int]) -> Tensor:
        ways = (list(padding), [1, 1], list(self.dilation), self.groups)
        return onednn._convolution_pointwise(signal, phase.weight, None, *ways, "none", [], "")


def _places(phase: int, step: int, padding: int, made: int, wanted: int) -> tuple[slice, slice]:
    """Along one axis, which of the places that a phase makes lie on the map, and where."""
    first = max(-(-(padding - phase) // step), 0)
    start = first * step + phase - padding
    count = max(min(made - first, -(-(wanted - start) // step)), 0)
    return slice(first, first + count), slice(start, start + (count - 1) * step + 1 if count else start, step)
