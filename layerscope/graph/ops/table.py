"""The operation table: what the program knows of an operation is one row.

Tracing binds calls to rows, receptive fields compose their windows, projecting applies their rules, tests and docs
loop over them. A row speaks of its own inputs only; how calls hang together is the graph's matter.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch._ops import OpOverload

from layerscope.core.geometry import IDENTITY, Field, Window
from layerscope.graph.args import bind

Shape = tuple[int, ...]


class Declined(Exception):
    """A row cannot speak for this call; the message is the reason, a clause without a subject."""


@dataclass(frozen=True, slots=True)
class Source:
    """In a call's arguments: the call's index-th input, in the order of its node's sources."""

    index: int


@dataclass(frozen=True, slots=True)
class Weight:
    """In a call's arguments: a parameter or buffer of the network."""

    name: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class BatchSize:
    """In a call's arguments: the number of images, known only when the call runs."""


class Sample(NamedTuple):
    """A small call for the general tests: the target, its inputs, and its arguments with a Source for each input."""

    target: OpOverload
    inputs: tuple[Tensor, ...]
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an operation: its arguments by name, and the shapes it takes and gives, without the batch.

    args: plain values, with Source, Weight and BatchSize in place of what is not plain; in a call that a rule gets,
    tensors stand in place of the weights. tensors: the inputs, for rules of rows that are not linear. memo: what a
    rule makes of the weights, kept for the next call of the same node.
    """

    target: OpOverload
    args: Mapping[str, Any]
    inputs: tuple[Shape, ...]
    shape: Shape
    tensors: tuple[Tensor, ...] = ()
    memo: dict[str, Tensor] = field(default_factory=dict, compare=False, repr=False)

    def __getitem__(self, name: str) -> Any:
        return self.args[name]

    def pair(self, name: str) -> tuple[int, int]:
        """An argument per axis: rows, columns; one number counts for both."""
        value = self.args[name]
        values = (value,) if isinstance(value, int) else tuple(value)
        return (values[0], values[0]) if len(values) == 1 else (values[0], values[1])

    def once(self, name: str, make: Callable[[], Tensor]) -> Tensor:
        """What a rule makes of the weights: made on the first call of a node, then kept."""
        if name not in self.memo:
            self.memo[name] = make()
        return self.memo[name]

    def run(self, *tensors: Tensor) -> Tensor:
        """The operation itself, on these inputs."""
        batch = tensors[0].shape[0]
        result = self.target(**{name: _filled(value, tensors, batch) for name, value in self.args.items()})
        return result[0] if isinstance(result, tuple | list) else result

    def local(self, inputs: tuple[Shape, ...], shape: Shape, tensors: tuple[Tensor, ...]) -> "Call":
        """The same call on windows cut so that nothing is left to pad, its output's shape the windows' own."""
        no_padding = "valid" if isinstance(self.args.get("padding"), str) else (0, 0)
        sizes = {"output_size": shape[-2:], "shape": (BatchSize(), *shape)}
        local = {"padding": no_padding, "ceil_mode": False, "pad": (0, 0, 0, 0), **sizes}
        args = {name: local.get(name, value) for name, value in self.args.items()}
        return replace(self, args=args, inputs=inputs, shape=shape, tensors=tensors)

    def with_tensors(self, tensors: tuple[Tensor, ...]) -> "Call":
        """The same call, knowing its inputs."""
        return replace(self, tensors=tensors)


def holds_source(value: Any) -> bool:
    """True for an argument that is a map, or a list with one in it."""
    return isinstance(value, Source) or (isinstance(value, tuple) and any(holds_source(v) for v in value))


def _filled(value: Any, tensors: tuple[Tensor, ...], batch: int) -> Any:
    """An argument with its inputs in place."""
    if isinstance(value, Source):
        return tensors[value.index]
    if isinstance(value, BatchSize):
        return batch
    if isinstance(value, tuple):
        return [_filled(v, tensors, batch) for v in value]
    return value


Signal = Float[Tensor, "m *shape"]
# A rule carries the signal at a call's output to its inputs: one signal per input, in the order of the sources.
Rule = Callable[[Tensor, Call], tuple[Tensor, ...]]


def vjp(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """The gradient rule of any operation: the vector-Jacobian product, by autograd, at the call's inputs."""
    inputs = call.tensors or tuple(signal.new_zeros((signal.shape[0], *shape)) for shape in call.inputs)
    inputs = tuple(x.detach().requires_grad_() for x in inputs)
    with torch.enable_grad():
        output = call.run(*inputs)
    return torch.autograd.grad(output, inputs, signal)


@dataclass(frozen=True, kw_only=True)
class Op:
    """One row.

    name: as atlases store it; never renamed. targets: the ATen overloads it speaks for. window: what each position
    of the output sees of each input, in px of that input; raises Declined. samples: small float64 calls that the
    general tests run on. linear: y(x) - y(0) is linear, so all methods are its adjoint and no rule needs the inputs.
    pad: what lies beyond the border of the inputs, or None where no constant tells the truth: then the call is made
    on whole maps. gradient: its rule. deconvnet: the rule of the deconvnet, for rows where it is not the gradient.
    guided: likewise; without it a row with a deconvnet rule is a rectifier, and guided is gradient(deconvnet(signal)).
    """

    name: str
    targets: tuple[OpOverload, ...]
    window: Callable[[Call], tuple[Field, ...]]
    samples: Callable[[], Iterator[Sample]] = field(repr=False)
    linear: bool
    pad: float | Callable[[Call], float | None] | None = 0.0
    gradient: Rule = vjp
    deconvnet: Rule | None = None
    guided: Rule | None = None

    @cached_property
    def inputs(self) -> frozenset[str]:
        """The arguments in which a map may stand: those in which one stands in a sample. All others are constants."""
        bound = (bind(sample.target, sample.args, {}) for sample in self.samples())
        return frozenset(name for call in bound for name, value in call.items() if holds_source(value))

    @property
    def rectifier(self) -> bool:
        """True for ReLU and its kin: a chosen layer's own rectifier is where its projection starts."""
        return self.deconvnet is not None and self.guided is None

    def rule(self, method: str) -> Rule:
        """The rule of this row for a method."""
        if method == "gradient" or self.deconvnet is None:
            return self.gradient
        if method == "deconvnet":
            return self.deconvnet
        return self.guided or self._both

    def _both(self, signal: Tensor, call: Call) -> tuple[Tensor, ...]:
        """Guided backpropagation (Springenberg 2014): the deconvnet's mask and the gradient's."""
        assert self.deconvnet is not None
        return self.gradient(self.deconvnet(signal, call)[0], call)

    def needs_inputs(self, method: str) -> bool:
        """True where the rule for this method reads the call's inputs."""
        if self.linear:
            return False
        if method == "deconvnet":
            return self.deconvnet is None
        return not (method == "guided" and self.guided is not None)

    def beyond(self, call: Call) -> float | None:
        """What lies beyond the border of this call's inputs."""
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
