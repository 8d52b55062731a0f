"""What tells how large or how spread the numbers of a map are: norms, variances, deviations; and shares of channels.

Mostly they are divisors or gates, which count as constants for the deconvnet and guided; by themselves they are
differentiated by every method. A softmax's denominator is a constant for the two, so that its output is its slope.
"""

from collections.abc import Callable, Iterator
from math import inf
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

from layerscope.core.geometry import IDENTITY, Field, Window
from layerscope.graph.ops.calls import Call, Declined, NodeInput, Sample
from layerscope.graph.ops.ranges import Range
from layerscope.graph.ops.rules import GRADIENT, HeldGates, Rule, constant_output, holding
from layerscope.graph.ops.table import Op, pointwise

aten = torch.ops.aten

# A row's samples by overload: the arguments that follow the map.
_Samples = dict[OpOverload, tuple[tuple[Any, ...], ...]]


def _over_axes(call: Call) -> tuple[Field, ...]:
    """All of an axis that is gone through, one place of the others."""
    (shape,) = call.inputs
    axes = {axis % (len(shape) + 1) for axis in call["dim"] or ()}
    if len(shape) not in (1, 3) or not axes or 0 in axes or call.args.get("dtype") is not None:
        raise Declined(
            f"goes over other axes than channels, rows and columns, from {list(shape)} to {list(call.shape)}"
        )
    if len(shape) == 1:
        return (Field(rows=IDENTITY, cols=IDENTITY),)
    if not call["keepdim"] and axes not in ({2, 3}, {1}):
        raise Declined(f"leaves axes out, from {list(shape)} to {list(call.shape)}")
    rows, cols = (Window.whole(shape[axis - 1]) if axis in axes else IDENTITY for axis in (2, 3))
    return (Field(rows=rows, cols=cols),)


def _among_channels(call: Call) -> tuple[Field, ...]:
    if call["dim"] % (len(call.shape) + 1) != 1 or len(call.shape) not in (1, 3) or call["dtype"] is not None:
        raise Declined("shares out over other axes than the channels")
    return pointwise(call)


def _samples(table: _Samples) -> Callable[[], Iterator[Sample]]:
    def made() -> Iterator[Sample]:
        x = torch.linspace(-3, 9, 2 * 3 * 4 * 3, dtype=torch.float64).sin().reshape(2, 3, 4, 3) * 2
        for target, calls in table.items():
            for args in calls:
                yield Sample(target, (x,), (NodeInput(0), *args))

    return made


def _share_samples() -> Iterator[Sample]:
    yield from _samples({aten.softmax.int: ((1,),)})()
    x = torch.linspace(-3, 9, 2 * 5, dtype=torch.float64).sin().reshape(2, 5)
    yield Sample(aten.softmax.int, (x,), (NodeInput(0), -1))


def _half(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """Of what grows with the square of its input, which is half its gradient times that."""
    return tuple(part / 2 for part in GRADIENT(signal, call))


def _row(name: str, sentence: str, table: _Samples, held: HeldGates) -> Op:
    return Op(
        name=name,
        sentence=sentence,
        targets=tuple(table),
        window=_over_axes,
        samples=_samples(table),
        linear=False,
        held=held,
        pad=None,  # of equal numbers, as any constant beyond the border gives, a deviation has no derivative
        range=lambda call, inputs: Range(0.0, inf),
    )


def _shared_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    assert call.output is not None
    return (signal * call.output,)


# Of any softmax, over all channels or over branches.
SHARE = Rule(_shared_back, output=True, word="factor")

ROWS = (
    _row(
        "norm", "the norm over channels or places",
        {aten.linalg_vector_norm.default: ((2, (2, 3), True), (2, (1,), True), (1, (2, 3)))},
        HeldGates(),
    ),
    _row(
        "var", "the variance over channels or places",
        {aten.var.correction: (((2, 3),),), aten.var.dim: (((1,), False, True),)},
        HeldGates(holding(_half)),
    ),
    _row(
        "std", "the standard deviation over channels or places",
        {aten.std.correction: (((2, 3),),), aten.std.dim: (((1,), False, True),)},
        HeldGates(),
    ),
    Op(
        name="softmax",
        sentence="shares of the channels, which sum to one",
        targets=(aten.softmax.int,),
        window=_among_channels,
        samples=_share_samples,
        linear=False,
        range=lambda call, inputs: Range(0.0, 1.0),
        rules={"deconvnet": SHARE, "guided": SHARE},
        held=constant_output("the shares of a softmax count as constants"),
        stated=False,
    ),
)  # fmt: skip
