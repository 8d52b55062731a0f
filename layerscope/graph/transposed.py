"""A transposed convolution with a stride as plain ones, with filters that lie as oneDNN likes them.

It is carried back by one for each of its phases, and each makes every n-th row and column: equal to the transposed
convolution to rounding. One of stride 1 is left to oneDNN's own way back, which is as fast or faster: as a plain one of
the filters turned round, AlexNet's cones took 1.7 times as long.
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
    """The way back of a convolution with a stride; None where its rule is as good."""
    kernel, stride, dilation = call["weight"].shape[-2:], call.pair("stride"), call.pair("dilation")
    padding = padding_of(call)
    if padding is None or any(p > d * (k - 1) for p, d, k in zip(padding, dilation, kernel, strict=True)):
        return None
    if stride == (1, 1) or dilation != (1, 1) or not _worth_phases(call):
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
        self.stride = call.pair("stride")
        kernel = call["weight"].shape[-2:]
        rows, cols = (range(min(step, size)) for step, size in zip(self.stride, kernel, strict=True))
        self.phases = [self._phase(call["weight"], call.shape, row, col) for row in rows for col in cols]

    def _phase(self, weight: Tensor, shape: TensorShape, row: int, col: int) -> _Phase:
        filters = weight[..., row :: self.stride[0], col :: self.stride[1]].flip(-2, -1).transpose(0, 1)
        rows, cols = (size - 1 for size in filters.shape[-2:])
        laid = reordered(filters, (rows, cols), (1, 1), (1, 1), 1, (LAID_OUT_FOR, *shape))
        return _Phase(row, col, (rows, cols), laid)

    def __call__(self, signal: Tensor, call: Call) -> tuple[Tensor, ...]:
        signal = signal.contiguous(memory_format=torch.channels_last)
        padding = padding_of(call)
        assert padding is not None
        size = (len(signal), *call.inputs[0])
        out = torch.empty(size, dtype=signal.dtype, memory_format=torch.channels_last).zero_()
        for phase in self.phases:
            ways = (list(phase.reach), [1, 1], [1, 1], 1)
            part = onednn._convolution_pointwise(signal, phase.weight, None, *ways, "none", [], "")
            here, there = zip(
                *map(_places, (phase.row, phase.col), self.stride, padding, part.shape[-2:], size[-2:]), strict=True
            )
            out[..., there[0], there[1]] = part[..., here[0], here[1]]
        return (out,)


def _places(phase: int, step: int, padding: int, made: int, wanted: int) -> tuple[slice, slice]:
    """Along one axis, which of the places that a phase makes lie on the map, and where."""
    first = max(-(-(padding - phase) // step), 0)
    start = first * step + phase - padding
    count = max(min(made - first, -(-(wanted - start) // step)), 0)
    return slice(first, first + count), slice(start, start + (count - 1) * step + 1 if count else start, step)
