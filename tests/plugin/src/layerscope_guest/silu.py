"""SiLU, x times its sigmoid, as a row of the operation table."""

from collections.abc import Iterator
from math import exp

import torch

from layerscope.graph.ops.calls import Call, NodeInput, Sample
from layerscope.graph.ops.ranges import Range
from layerscope.graph.ops.rules import GRADIENT, rectifying
from layerscope.graph.ops.table import Op, pointwise

aten = torch.ops.aten
LOWEST = -0.2784645427610738


def _range(call: Call, inputs: tuple[Range, ...]) -> Range:
    low, high = (x / (1 + exp(-x)) if x > 0 else 0.0 for x in inputs[0])
    return Range(LOWEST if inputs[0].low < 0 else low, high)


def _samples() -> Iterator[Sample]:
    x = torch.linspace(-3, 9, 2 * 3 * 5 * 4, dtype=torch.float64).sin().reshape(2, 3, 5, 4) * 5
    yield Sample(aten.silu.default, (x,), (NodeInput(0),))


row = Op(
    name="silu",
    sentence="x times its sigmoid, a smooth rectifier",
    targets=(aten.silu.default,),
    window=pointwise,
    samples=_samples,
    linear=False,
    role="activation",
    activation="smooth",
    range=_range,
    rules=rectifying(lambda signal, call: (signal.clamp(min=0),), GRADIENT),
)
