"""The operation table: what the program knows of an operation is one row.

Tracing binds calls to rows, receptive fields compose their windows, layers are chosen by their roles and ranges,
projecting applies their rules, tests and docs loop over them. A row speaks of its own inputs only; how calls hang
together is the graph's matter.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from torch._ops import OpOverload

from layerscope.core.errors import UsageError
from layerscope.core.geometry import IDENTITY, Field, Window
from layerscope.core.methods import METHODS
from layerscope.core.registry import Row
from layerscope.graph.args import bind
from layerscope.graph.ops.calls import Call, Declined, Sample, holds_source
from layerscope.graph.ops.ranges import ANYTHING, Range
from layerscope.graph.ops.rules import GRADIENT, HeldGates, Rule

# Of an operation with filters to learn `auto` makes a layer, past its normalisation, the sum that it goes into and its
# activation. A view gives the numbers of its input, perhaps in the same memory, and is no layer of its own.
Role = Literal["filters", "normalisation", "sum", "activation", "view", "other"]
# A rectifier lets positive numbers through as they are: where it is the chosen layer, the projection starts before it.
# A smooth activation changes them too, so that the way back from it begins with its own rule.
Activation = Literal["rectifier", "smooth"]


# No method of projection, but a way back of its own: by each operation's factors while its gates are held.
GATES_HELD = "gates held"


def anything(call: Call, inputs: tuple[Range, ...]) -> Range:
    """The range of an operation of which nothing is known."""
    return ANYTHING


def unchanged(call: Call, inputs: tuple[Range, ...]) -> Range:
    """The range of an operation that moves, chooses or averages the numbers of its one input."""
    return inputs[0]


@dataclass(frozen=True, kw_only=True)
class Op(Row):
    """One row.

    name: as atlases store it. targets: the ATen overloads it speaks for. window: what each position of the output sees
    of each input, in px of that input; raises Declined. samples: small float64 calls that the general tests run on.
    linear: y(x) - y(0) is linear, and the gradient rule is its adjoint, which reads no inputs. pad: what lies beyond
    the border of the inputs, or None where no constant tells the truth: then the call is made on whole maps. role: what
    it is to `auto`. activation: of which kind, where it is one. range: between which values its output lies, given its
    inputs' ranges. gradient: its rule. rules: by method, where a method goes another way than the gradient. stated:
    a paper states these rules; otherwise they are this house's. held: what it is while its gates are held; None where
    that is not known, so that nothing is said of what comes through it; a linear row has none to hold. jumps: it is not
    continuous, so that no bound on an error before it bounds the one behind it.
    """

    targets: tuple[OpOverload, ...]
    window: Callable[[Call], tuple[Field, ...]]
    samples: Callable[[], Iterator[Sample]] = field(repr=False)
    linear: bool
    pad: float | Callable[[Call], float | None] | None = 0.0
    role: Role = "other"
    activation: Activation | None = None
    range: Callable[[Call, tuple[Range, ...]], Range] = anything
    gradient: Rule = GRADIENT
    rules: Mapping[str, Rule] = field(default_factory=dict)
    stated: bool = True
    held: HeldGates | None = None
    jumps: bool = False

    def __post_init__(self) -> None:
        if self.linear and self.held is None:
            object.__setattr__(self, "held", HeldGates())
        assert (self.role == "activation") == (self.activation is not None), f"{self.name}: say which activation it is"

    @cached_property
    def inputs(self) -> frozenset[str]:
        """The arguments in which a map may stand: those in which one stands in a sample. All others are constants."""
        bound = (bind(sample.target, sample.args, {}) for sample in self.samples())
        return frozenset(name for call in bound for name, value in call.items() if holds_source(value))

    def rule(self, method: str) -> Rule:
        """The rule for a method: this row's own, else the method's own for this operation, else the gradient; for
        GATES_HELD that of `held`.

        Raises UsageError for a method that is not installed.
        """
        if method == GATES_HELD:
            return (self.held.rule if self.held else None) or self.gradient
        row = METHODS.known(method)
        rule = self.rules.get(method) or (row.rules(self.name) if row.rules else None) or self.gradient
        if not isinstance(rule, Rule):
            raise UsageError(f'the method "{method}" gives no Rule for {self.name}, but a {type(rule).__name__}')
        return rule

    def pad_value(self, call: Call) -> float | None:
        """What the operation sees beyond the border of this call's inputs; None where no constant tells the truth."""
        return self.pad(call) if callable(self.pad) else self.pad


def pointwise(call: Call) -> tuple[Field, ...]:
    """The window of an operation that looks at one position only."""
    for shape in call.inputs:
        same = shape[-2:] == call.shape[-2:] if len(shape) > 1 else shape == call.shape
        if not same or len(shape) != len(call.shape):
            raise Declined(f"joins maps of different shapes, {list(shape)} and {list(call.shape)}")
    return tuple(Field(rows=IDENTITY, cols=IDENTITY) for _ in call.inputs)


def everything(call: Call, note: str = "") -> tuple[Field, ...]:
    """The window of an operation whose every output sees all of its inputs."""
    return tuple(
        Field(rows=Window.whole(shape[-2]), cols=Window.whole(shape[-1]), note=note)
        if len(shape) > 1
        else Field(rows=Window.whole(1), cols=Window.whole(1), note=note)
        for shape in call.inputs
    )
