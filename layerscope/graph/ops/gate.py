"""Two maps in one product: a map and its gate, a map over its norm, and products of equals.

The papers of the methods know none of these. Here a gate, which says how much of a map passes, channel by channel,
place by place or both, counts as a constant factor for the deconvnet and guided, which send nothing into the branch
that makes it, and is differentiated for the gradient; so is a divisor that is smaller than what it divides. Maps of one
size of which neither is a gate are differentiated by every method.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch._ops import OpOverload

from layerscope.core.geometry import IDENTITY, Field, Window
from layerscope.graph.ops.calls import Call, Declined, NodeInput, Sample
from layerscope.graph.ops.ranges import ANYTHING, Range
from layerscope.graph.ops.rules import HeldGates, Rule, derivative, holding, vjp
from layerscope.graph.ops.table import Op, pointwise

aten = torch.ops.aten

# ATen has one product for factors and for gates; tracing tells which of two maps is the gate (graph/gates.py).
_library = torch.library.Library("layerscope", "FRAGMENT")
_library.define("gate(Tensor input, Tensor gate) -> Tensor")
_library.impl("gate", torch.mul, "CompositeImplicitAutograd")
_library.define("product(Tensor input, Tensor other) -> Tensor")
_library.impl("product", torch.mul, "CompositeImplicitAutograd")
# by_one: the divisor is one number for many of the map's, and counts as a constant factor.
_library.define("quotient(Tensor input, Tensor divisor, bool by_one=False) -> Tensor")
_library.impl("quotient", lambda input, divisor, by_one=False: input / divisor, "CompositeImplicitAutograd")
gate = torch.ops.layerscope.gate.default
product = torch.ops.layerscope.product.default
quotient = torch.ops.layerscope.quotient.default

BEYOND = "is scaled by a gate, which sees the whole map"


DIVIDED = "is divided by what sees the whole map"


def _axis(length: int, spread: int) -> Window:
    return IDENTITY if length == spread else Window.whole(1)


def spread_over(call: Call, beyond: str) -> tuple[Field, ...]:
    """Each map's own position, and of a smaller one that of the same place, or the only one of an axis."""
    if any(len(shape) != len(call.shape) for shape in call.inputs) or len(call.shape) not in (1, 2, 3):
        raise Declined(f"joins maps of different shapes, {' and '.join(str(list(shape)) for shape in call.inputs)}")
    if len(call.shape) == 1:
        return tuple(Field(rows=IDENTITY, cols=IDENTITY) for _ in call.inputs)
    largest = call.shape in call.inputs
    return tuple(
        Field(rows=_axis(shape[-2], call.shape[-2]), cols=_axis(shape[-1], call.shape[-1]),
              beyond=beyond if largest and shape[-2:] != call.shape[-2:] else "")
        for shape in call.inputs
    )  # fmt: skip


def gathered(signal: Tensor, shape: tuple[int, ...]) -> Tensor:
    """What a map that was spread gets back: the sum over all places that it was spread to."""
    axes = [axis for axis in range(1, signal.dim()) if shape[axis - 1] == 1 and signal.shape[axis] > 1]
    return signal.sum(axes, keepdim=True) if axes else signal


def _window(call: Call) -> tuple[Field, ...]:
    """The map's own position, and the gate's: that of the same place, or the only one of an axis."""
    own, other = call.inputs
    if own != call.shape or len(other) != len(own) or any(b not in (1, a) for a, b in zip(own, other, strict=True)):
        raise Declined(f"joins maps of different shapes by a product, {list(own)} and {list(other)}")
    if len(own) != 3:
        return (Field(rows=IDENTITY, cols=IDENTITY),) * 2
    rows, cols = (_axis(other[axis], own[axis]) for axis in (1, 2))
    return (Field(rows=IDENTITY, cols=IDENTITY), Field(rows=rows, cols=cols, beyond=BEYOND))


def _quotient_rule(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    if not call["by_one"]:
        return vjp(signal, call)
    return signal / call.tensors[1], torch.zeros_like(call.tensors[1])


def _quotient_range(call: Call, inputs: tuple[Range, ...]) -> Range:
    own, divisor = inputs
    if divisor.low <= 0 <= divisor.high:
        # What is a norm or a sum of exponentials is above zero wherever the quotient is a number.
        return Range(0.0) if own.low >= 0 and divisor.low >= 0 else ANYTHING
    return own.times(Range(1 / divisor.high, 1 / divisor.low))


def _gradient(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    x, factor = call.tensors
    return gathered(signal * factor, call.inputs[0]), gathered(signal * x, call.inputs[1])


def _constant(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return signal * call.tensors[1], torch.zeros_like(call.tensors[1])


def _halves(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return tuple(part / 2 for part in _gradient(signal, call))


def _divided(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    divisor = call.tensors[1]
    return gathered(signal / divisor, call.inputs[0]), torch.zeros_like(divisor)


def _range(call: Call, inputs: tuple[Range, ...]) -> Range:
    return inputs[0].times(inputs[1])


def _samples() -> Iterator[Sample]:
    x = torch.linspace(-3, 9, 2 * 3 * 5 * 4, dtype=torch.float64).sin().reshape(2, 3, 5, 4) * 7
    for factor in (x[:, :, :1, :1], x[:, :1], x.flip(2), x[:, :, :, :1]):
        yield Sample(gate, (x, factor.sigmoid()), (NodeInput(0), NodeInput(1)))
    yield Sample(gate, (x[:, :, 0, 0], x[:, :, 1, 1]), (NodeInput(0), NodeInput(1)))


def _pair_samples(target: OpOverload, offset: float = 0.0) -> Callable[[], Iterator[Sample]]:
    def made() -> Iterator[Sample]:
        x = torch.linspace(-3, 9, 2 * 3 * 4 * 3, dtype=torch.float64).sin().reshape(2, 3, 4, 3) * 7
        for other in (x.flip(2), x[:, :, :1, :1].cos() + offset, x[:, :1] + offset):
            yield Sample(target, (x, other), (NodeInput(0), NodeInput(1)))

    return made


def _positive_samples() -> Iterator[Sample]:
    for target, inputs, args, _ in _pair_samples(quotient)():
        positive = tuple(x.abs() + 0.5 for x in inputs)
        yield Sample(target, positive, (*args, inputs[1].shape != inputs[0].shape), above=0.4)


def _smaller_samples() -> Iterator[Sample]:
    yield next(_pair_samples(aten.minimum.default)())


_QUOTIENT = Rule(
    _quotient_rule, inputs=True, word="factor", skips=lambda call: frozenset([1] if call["by_one"] else [])
)
_DIVIDED = Rule(_divided, inputs=True, word="held", skips=lambda call: frozenset([1]))
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
        held=HeldGates(_CONSTANT, note="a gate counts as a constant"),
        stated=False,
    ),
    Op(
        name="product",
        sentence="the product of two maps of which neither is a gate",
        targets=(product,),
        window=lambda call: spread_over(call, BEYOND),
        samples=_pair_samples(product),
        linear=False,
        range=_range,
        gradient=derivative(_gradient),
        held=HeldGates(holding(_halves), note="of a product of two maps each gets half"),
    ),
    Op(
        name="quotient",
        sentence="a map over another, its norm for one",
        targets=(quotient,),
        window=lambda call: spread_over(call, DIVIDED),
        samples=_positive_samples,
        linear=False,
        pad=1.0,  # beyond the border nothing is divided by zero
        range=_quotient_range,
        rules={"deconvnet": _QUOTIENT, "guided": _QUOTIENT},
        held=HeldGates(_DIVIDED, note="a divisor counts as a constant"),
        stated=False,
    ),
    Op(
        name="minimum",
        sentence="the smaller of two maps, place by place; equal ones share the signal",
        targets=(aten.minimum.default,),
        window=pointwise,
        samples=_smaller_samples,
        linear=False,
        held=HeldGates(),
        range=lambda call, inputs: Range(min(one.low for one in inputs), min(one.high for one in inputs)),
    ),
)
