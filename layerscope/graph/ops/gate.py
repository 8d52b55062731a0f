"""Gates: a map times another that says how much of it passes, channel by channel, place by place or both.

The papers of the methods know no gates. Here a gate counts as a constant factor for the deconvnet and guided, which
send nothing into the branch that makes it, and is differentiated for the gradient.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from layerscope.core.geometry import IDENTITY, Field, Window
from layerscope.graph.ops.calls import Call, Declined, NodeInput, Sample
from layerscope.graph.ops.ranges import Range
from layerscope.graph.ops.rules import Rule, derivative
from layerscope.graph.ops.table import Op

# ATen has one product for factors and for gates; tracing tells which of two maps is the gate (graph/spelling.py).
_library = torch.library.Library("layerscope", "FRAGMENT")
_library.define("gate(Tensor input, Tensor gate) -> Tensor")
_library.impl("gate", torch.mul, "CompositeImplicitAutograd")
gate = torch.ops.layerscope.gate.default

BEYOND = "is scaled by a gate, which sees the whole map"


def _axis(length: int, spread: int) -> Window:
    return IDENTITY if length == spread else Window.whole(1)


def _window(call: Call) -> tuple[Field, ...]:
    """The map's own position, and the gate's: that of the same place, or the only one of an axis."""
    own, other = call.inputs
    if own != call.shape or len(other) != len(own) or any(b not in (1, a) for a, b in zip(own, other, strict=True)):
        raise Declined(f"joins maps of different shapes by a product, {list(own)} and {list(other)}")
    if len(own) != 3:
        return (Field(rows=IDENTITY, cols=IDENTITY),) * 2
    rows, cols = (_axis(other[axis], own[axis]) for axis in (1, 2))
    return (Field(rows=IDENTITY, cols=IDENTITY), Field(rows=rows, cols=cols, beyond=BEYOND))


def _gradient(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    x, factor = call.tensors
    back = signal * x
    spread = [axis for axis in range(1, back.dim()) if factor.shape[axis] == 1 and back.shape[axis] > 1]
    return signal * factor, back.sum(spread, keepdim=True) if spread else back


def _constant(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return signal * call.tensors[1], torch.zeros_like(call.tensors[1])


def _range(call: Call, inputs: tuple[Range, ...]) -> Range:
    return inputs[0].times(inputs[1])


def _samples() -> Iterator[Sample]:
    x = torch.linspace(-3, 9, 2 * 3 * 5 * 4, dtype=torch.float64).sin().reshape(2, 3, 5, 4) * 7
    for factor in (x[:, :, :1, :1], x[:, :1], x.flip(2), x[:, :, :, :1]):
        yield Sample(gate, (x, factor.sigmoid()), (NodeInput(0), NodeInput(1)))
    yield Sample(gate, (x[:, :, 0, 0], x[:, :, 1, 1]), (NodeInput(0), NodeInput(1)))


_CONSTANT = Rule(_constant, inputs=True, word="factor", skips=lambda call: frozenset([1]))

ROWS = (
    Op(
        name="gate",
        sentence="a map times another that says how much of it passes",
        targets=(gate,),
        window=_window,
        samples=_samples,
        linear=False,
        range=_range,
        gradient=derivative(_gradient),
        rules={"deconvnet": _CONSTANT, "guided": _CONSTANT},
    ),
)
