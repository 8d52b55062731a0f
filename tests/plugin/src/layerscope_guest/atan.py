"""The arc tangent, an activation that saturates, as a row of the operation table."""

from collections.abc import Iterator
from math import atan

import torch
from torch import Tensor

from layerscope.graph.ops.calls import Call, NodeInput, Sample
from layerscope.graph.ops.ranges import Range
from layerscope.graph.ops.rules import Rule, derivative
from layerscope.graph.ops.table import Op, pointwise

aten = torch.ops.aten


def _scaled(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    (x,) = call.tensors
    return (signal * torch.where(x == 0, 1.0, x.atan() / x),)


def _samples() -> Iterator[Sample]:
    x = torch.linspace(-3, 9, 2 * 3 * 5 * 4, dtype=torch.float64).sin().reshape(2, 3, 5, 4) * 5
    yield Sample(aten.atan.default, (x,), (NodeInput(0),))


row = Op(
    name="atan",
    sentence="the arc tangent of x",
    targets=(aten.atan.default,),
    window=pointwise,
    samples=_samples,
    linear=False,
    role="activation",
    activation="smooth",
    range=lambda call, inputs: Range(atan(inputs[0].low), atan(inputs[0].high)),
    gradient=derivative(lambda signal, call: (signal / (1 + call.tensors[0] ** 2),)),
    rules=dict.fromkeys(("deconvnet", "guided"), Rule(_scaled, inputs=True)),
)
