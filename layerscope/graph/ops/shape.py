"""What moves numbers without changing them: flattening before a dense layer, one channel taken out or put back."""

from collections.abc import Iterator

import torch
from torch import Tensor

from layerscope.core.geometry import IDENTITY, Field
from layerscope.graph.ops.calls import BatchSize, Call, Declined, NodeInput, Sample
from layerscope.graph.ops.rules import adjoint
from layerscope.graph.ops.table import Op, everything, pointwise, unchanged

aten = torch.ops.aten


def _flatten_window(call: Call) -> tuple[Field, ...]:
    (shape,) = call.inputs
    if call["shape"][0] not in (BatchSize(), -1):
        raise Declined("reshapes the batch")
    if shape == call.shape:
        return pointwise(call)
    if len(call.shape) != 1 and (len(shape), len(call.shape)) != (1, 3):
        raise Declined(f"reshapes {list(shape)} to {list(call.shape)}; only flattening is known")
    return everything(call)


def _flatten_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (signal.reshape(signal.shape[0], *call.inputs[0]),)


def _select_window(call: Call) -> tuple[Field, ...]:
    if call["dim"] != 1 or len(call.inputs[0]) != 3:
        raise Declined(f"selects along axis {call['dim']}; only one channel can be taken out")
    return (Field(rows=IDENTITY, cols=IDENTITY),)


def _select_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    back = signal.new_zeros((signal.shape[0], call.inputs[0][0], *signal.shape[1:]))
    back[:, call["index"]] = signal
    return (back,)


def _unsqueeze_window(call: Call) -> tuple[Field, ...]:
    if call["dim"] != 1 or len(call.inputs[0]) != 2:
        raise Declined("adds an axis elsewhere than in front of a single map")
    return (Field(rows=IDENTITY, cols=IDENTITY),)


def _maps() -> Tensor:
    return torch.linspace(-3, 9, 2 * 3 * 5 * 4, dtype=torch.float64).sin().reshape(2, 3, 5, 4)


def _flatten_samples() -> Iterator[Sample]:
    yield Sample(aten.reshape.default, (_maps(),), (NodeInput(0), (BatchSize(), 60)))
    yield Sample(aten.reshape.default, (_maps(),), (NodeInput(0), (BatchSize(), 3, 5, 4)))
    yield Sample(aten.reshape.default, (_maps()[:, :, 0, 0],), (NodeInput(0), (-1, 3, 1, 1)))
    yield Sample(aten.reshape.default, (_maps()[:, :, :, 0].flatten(1),), (NodeInput(0), (BatchSize(), 3, 5, 1)))


def _select_samples() -> Iterator[Sample]:
    yield Sample(aten.select.int, (_maps(),), (NodeInput(0), 1, 2))


def _unsqueeze_samples() -> Iterator[Sample]:
    yield Sample(aten.unsqueeze.default, (_maps()[:, 0],), (NodeInput(0), 1))


ROWS = (
    Op(
        name="flatten",
        sentence="a map's numbers in a row, before a dense layer, or a row's as a map",
        targets=(aten.reshape.default,),
        window=_flatten_window,
        samples=_flatten_samples,
        linear=True,
        role="view",
        range=unchanged,
        gradient=adjoint(_flatten_back),
    ),
    Op(
        name="select",
        sentence="one channel taken out",
        targets=(aten.select.int,),
        window=_select_window,
        samples=_select_samples,
        linear=True,
        role="view",
        range=unchanged,
        gradient=adjoint(_select_back),
    ),
    Op(
        name="unsqueeze",
        sentence="one channel put back as a map of one channel",
        targets=(aten.unsqueeze.default,),
        window=_unsqueeze_window,
        samples=_unsqueeze_samples,
        linear=True,
        role="view",
        range=unchanged,
        gradient=adjoint(lambda signal, call: (signal.squeeze(1),)),
    ),
)
