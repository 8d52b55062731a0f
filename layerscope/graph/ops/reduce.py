"""Many numbers made one: means, sums and maxima over axes of a map, the larger of two maps, shares of branches."""

from collections.abc import Iterator

import torch
from torch import Tensor

from layerscope.core.geometry import IDENTITY, Field, Window
from layerscope.graph.ops.calls import Call, Declined, NodeInput, Sample
from layerscope.graph.ops.moments import SHARE
from layerscope.graph.ops.ranges import Range
from layerscope.graph.ops.rules import Back, HeldGates, adjoint, constant_output
from layerscope.graph.ops.table import Op, pointwise, unchanged

aten = torch.ops.aten


def _shares(x: Tensor, outer: int, count: int, inner: int) -> Tensor:
    return x.reshape(x.shape[0], outer, count, inner, *x.shape[2:]).softmax(2).reshape(x.shape)


def _largest(x: Tensor, outer: int, count: int, inner: int, first: bool) -> Tensor:
    parts = x.reshape(x.shape[0], outer, count, inner, *x.shape[2:])
    return (parts.max(2)[0] if first else parts.amax(2)).reshape(x.shape[0], outer * inner, *x.shape[2:])


# ATen's softmax is over a whole axis; tracing makes calls of this where the channels are those of several branches.
_library = torch.library.Library("layerscope", "FRAGMENT")
_library.define("branch_softmax(Tensor input, int outer, int count, int inner) -> Tensor")
_library.impl("branch_softmax", _shares, "CompositeImplicitAutograd")
branch_softmax = torch.ops.layerscope.branch_softmax.default
_library.define("branch_max(Tensor input, int outer, int count, int inner, bool first) -> Tensor")
_library.impl("branch_max", _largest, "CompositeImplicitAutograd")
branch_max = torch.ops.layerscope.branch_max.default


def _axes(call: Call) -> set[int]:
    given = call["dim"]
    dims = (given,) if isinstance(given, int) else given or ()
    return {d % (len(call.inputs[0]) + 1) for d in dims}


def _reduced_window(call: Call) -> tuple[Field, ...]:
    """All of an axis that is reduced, one place of the others."""
    axes, shape = _axes(call), call.inputs[0]
    if len(shape) != 3 or not axes or 0 in axes or call.args.get("dtype") is not None:
        raise Declined(f"reduces {list(shape)} to {list(call.shape)}; only means, sums and maxima of maps are known")
    if not call["keepdim"] and axes != {2, 3}:
        raise Declined("reduces other axes than rows and columns, and leaves them out")
    rows, cols = (Window.whole(shape[axis - 1]) if axis in axes else IDENTITY for axis in (2, 3))
    return (Field(rows=rows, cols=cols),)


def _spread(mean: bool) -> Back:
    def back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
        axes, shape = _axes(call), call.inputs[0]
        count = 1
        for axis in axes:
            count *= shape[axis - 1]
        kept = signal if call["keepdim"] else signal[..., None, None]
        return ((kept / count if mean else kept).expand(-1, *shape),)

    return back


def _sum_range(call: Call, inputs: tuple[Range, ...]) -> Range:
    count = 1.0
    for axis in _axes(call):
        count *= call.inputs[0][axis - 1]
    return inputs[0].times(Range(count, count))


def _branches_window(call: Call) -> tuple[Field, ...]:
    return (Field(rows=IDENTITY, cols=IDENTITY),)


def _larger_window(call: Call) -> tuple[Field, ...]:
    if len(call.inputs) != 2:
        raise Declined("takes the larger of a map and a constant")
    return pointwise(call)


def _larger_range(call: Call, inputs: tuple[Range, ...]) -> Range:
    return Range(max(part.low for part in inputs), max(part.high for part in inputs))


def _maps(seed: int = 0) -> Tensor:
    return torch.linspace(-3 - seed, 40, 2 * 4 * 5 * 6, dtype=torch.float64).sin().reshape(2, 4, 5, 6)


def _mean_samples() -> Iterator[Sample]:
    yield Sample(aten.mean.dim, (_maps(),), (NodeInput(0), [2, 3]))
    yield Sample(aten.mean.dim, (_maps(),), (NodeInput(0), [-1, -2], True))
    yield Sample(aten.mean.dim, (_maps(),), (NodeInput(0), [1], True))
    yield Sample(aten.mean.dim, (_maps(),), (NodeInput(0), [3], True))


def _sum_samples() -> Iterator[Sample]:
    yield Sample(aten.sum.dim_IntList, (_maps(),), (NodeInput(0), [2, 3]))
    yield Sample(aten.sum.dim_IntList, (_maps(),), (NodeInput(0), [1], True))


def _amax_samples() -> Iterator[Sample]:
    yield Sample(aten.amax.default, (_maps(),), (NodeInput(0), [2, 3]))
    yield Sample(aten.amax.default, (_maps(),), (NodeInput(0), [1], True))


def _max_samples() -> Iterator[Sample]:
    yield Sample(aten.max.dim, (_maps(),), (NodeInput(0), 1, True))
    yield Sample(aten.max.dim, (_maps(),), (NodeInput(0), 3, True))


def _branch_max_samples() -> Iterator[Sample]:
    yield Sample(branch_max, (_maps(),), (NodeInput(0), 2, 2, 1, True))
    yield Sample(branch_max, (_maps(),), (NodeInput(0), 1, 2, 2, False))


def _shares_samples() -> Iterator[Sample]:
    yield Sample(branch_softmax, (_maps(),), (NodeInput(0), 1, 2, 2))
    yield Sample(branch_softmax, (_maps()[..., 0, 0],), (NodeInput(0), 2, 2, 1))


ROWS = (
    Op(
        name="mean",
        sentence="the mean of each map, or over the channels or an axis of it",
        targets=(aten.mean.dim,),
        window=_reduced_window,
        samples=_mean_samples,
        linear=True,
        range=unchanged,
        gradient=adjoint(_spread(mean=True)),
    ),
    Op(
        name="sum",
        sentence="the sum over places or channels",
        targets=(aten.sum.dim_IntList,),
        window=_reduced_window,
        samples=_sum_samples,
        linear=True,
        range=_sum_range,
        gradient=adjoint(_spread(mean=False)),
    ),
    Op(
        name="amax",
        sentence="the largest value over places or channels; equal ones share the signal",
        targets=(aten.amax.default,),
        window=_reduced_window,
        samples=_amax_samples,
        linear=False,
        held=HeldGates(),
        range=unchanged,
    ),
    Op(
        name="max",
        sentence="the largest value over an axis; the first of equal ones takes the signal",
        targets=(aten.max.dim,),
        window=_reduced_window,
        samples=_max_samples,
        linear=False,
        held=HeldGates(),
        range=unchanged,
    ),
    Op(
        name="maximum",
        sentence="the larger of two maps, place by place; equal ones share the signal",
        targets=(aten.maximum.default,),
        window=_larger_window,
        samples=lambda: iter([Sample(aten.maximum.default, (_maps(), _maps(1)), (NodeInput(0), NodeInput(1)))]),
        linear=False,
        held=HeldGates(),
        range=_larger_range,
    ),
    Op(
        name="branch_max",
        sentence="the largest of groups of channels; of equal ones the first, or all by shares, as PyTorch has it",
        targets=(branch_max,),
        window=_branches_window,
        samples=_branch_max_samples,
        linear=False,
        held=HeldGates(),
        range=unchanged,
    ),
    Op(
        name="branch_softmax",
        sentence="the shares of several branches, channel by channel",
        targets=(branch_softmax,),
        window=pointwise,
        samples=_shares_samples,
        linear=False,
        range=lambda call, inputs: Range(0.0, 1.0),
        held=constant_output("the shares of branches count as constants"),
        rules={"deconvnet": SHARE, "guided": SHARE},
        stated=False,
    ),
)
