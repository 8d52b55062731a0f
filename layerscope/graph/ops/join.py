"""Where branches meet: sums and concatenations send the signal to all of them."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from layerscope.core.geometry import IDENTITY, Field
from layerscope.graph.ops.calls import Call, Declined, NodeInput, Sample
from layerscope.graph.ops.gate import gathered, spread_over
from layerscope.graph.ops.pointwise import differs_by_place
from layerscope.graph.ops.ranges import Range, constant, hull
from layerscope.graph.ops.rules import Back, HeldGates, adjoint
from layerscope.graph.ops.table import Op, everything, pointwise

aten = torch.ops.aten


BEYOND = "has something added that sees the whole map"


def _sum_window(call: Call) -> tuple[Field, ...]:
    if len(call.inputs) == 1 and call.inputs[0] != call.shape:
        raise Declined(f"spreads {list(call.inputs[0])} to {list(call.shape)}")
    return spread_over(call, BEYOND)


def _sum_pad(call: Call) -> float | None:
    """A constant that differs from place to place is added on whole maps."""
    return None if differs_by_place(call) else 0.0


def _sum_range(sign: float) -> Callable[[Call, tuple[Range, ...]], Range]:
    def within(call: Call, inputs: tuple[Range, ...]) -> Range:
        own, other = (
            inputs[side.index] if isinstance(side, NodeInput) else constant(side)
            for side in (call["self"], call["other"])
        )
        return own.plus(other.times(constant(sign * call["alpha"])))

    return within


def _sum_back(sign: float) -> Back:
    def back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
        factor = {"self": 1.0, "other": sign * call["alpha"]}
        sides = [name for name in ("self", "other") if isinstance(call[name], NodeInput)]
        parts = (signal if factor[side] == 1 else signal * factor[side] for side in sides)
        return tuple(gathered(part, shape) for part, shape in zip(parts, call.inputs, strict=True))

    return back


def added_constant(call: Call) -> Tensor | None:
    """The constant of a map and a constant: what comes of nothing."""
    if len(call.inputs) > 1:
        return None
    sides = [side for side in (call["self"], call["other"]) if isinstance(side, Tensor)]
    like = sides[0] if sides else torch.zeros((), dtype=torch.float64)
    return call.run(like.new_zeros((1, *next(iter(call.inputs)))))


def _cat_window(call: Call) -> tuple[Field, ...]:
    if call["dim"] % (len(call.shape) + 1) != 1:
        return everything(call, "a call before it joins maps side by side in space")
    if len(call.shape) == 1:
        return tuple(Field(rows=IDENTITY, cols=IDENTITY) for _ in call.inputs)
    return pointwise(call)


def _cat_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    axis = call["dim"] % signal.dim()
    return signal.split([shape[axis - 1] for shape in call.inputs], dim=axis)


def _maps(seed: int, channels: int = 3) -> Tensor:
    count = 2 * channels * 5 * 4
    return torch.linspace(-3 - seed, 9, count, dtype=torch.float64).sin().reshape(2, channels, 5, 4)


def _add_samples() -> Iterator[Sample]:
    yield Sample(aten.add.Tensor, (_maps(0), _maps(1)), (NodeInput(0), NodeInput(1)))
    yield Sample(aten.add.Tensor, (_maps(0),), (NodeInput(0), 0.7))
    yield Sample(aten.add.Tensor, (_maps(0)[:, :, :1, :1], _maps(1)), (NodeInput(0), NodeInput(1)))
    yield Sample(aten.add.Tensor, (_maps(0),), (NodeInput(0), _maps(1)[:1, :1]))


def _sub_samples() -> Iterator[Sample]:
    yield Sample(aten.sub.Tensor, (_maps(0), _maps(1)), (NodeInput(0), NodeInput(1)))
    yield Sample(aten.sub.Tensor, (_maps(0),), (NodeInput(0), torch.ones(1, 3, 1, 1, dtype=torch.float64)))
    yield Sample(aten.sub.Tensor, (_maps(0),), (torch.ones(1, 3, 1, 1, dtype=torch.float64), NodeInput(0)))


def _cat_samples() -> Iterator[Sample]:
    yield Sample(aten.cat.default, (_maps(0), _maps(1, 2)), ((NodeInput(0), NodeInput(1)), 1))
    yield Sample(aten.cat.default, (_maps(0), _maps(1), _maps(2, 1)), ((NodeInput(0), NodeInput(1), NodeInput(2)), -3))
    yield Sample(aten.cat.default, (_maps(0)[..., 0, 0], _maps(1, 2)[..., 0, 0]), ((NodeInput(0), NodeInput(1)), 1))
    yield Sample(aten.cat.default, (_maps(0), _maps(1)), ((NodeInput(0), NodeInput(1)), 2))


ROWS = (
    Op(
        name="add",
        sentence="the sum of two maps, or of a map and a constant",
        targets=(aten.add.Tensor,),
        window=_sum_window,
        samples=_add_samples,
        linear=True,
        pad=_sum_pad,
        role="sum",
        range=_sum_range(1.0),
        gradient=adjoint(_sum_back(1.0)),
        held=HeldGates(beside=added_constant),
    ),
    Op(
        name="sub",
        sentence="the difference of two maps, or of a map and a constant",
        targets=(aten.sub.Tensor,),
        window=_sum_window,
        samples=_sub_samples,
        linear=True,
        pad=_sum_pad,
        range=_sum_range(-1.0),
        gradient=adjoint(_sum_back(-1.0)),
        held=HeldGates(beside=added_constant),
    ),
    Op(
        name="cat",
        sentence="maps side by side, as the channels of one or in space",
        targets=(aten.cat.default,),
        window=_cat_window,
        samples=_cat_samples,
        linear=True,
        range=lambda call, inputs: hull(inputs),
        gradient=adjoint(_cat_back),
    ),
)
