"""One call of an operation: its arguments by name, and what stands in place of those that are not plain.

Rows and rules are given calls; they speak of a call's own inputs only.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, NamedTuple

from torch import Tensor
from torch._ops import OpOverload

from layerscope.graph.ops.kernels import computed

TensorShape = tuple[int, ...]


class Declined(Exception):
    """A row cannot speak for this call; the message is the reason, a clause without a subject."""


@dataclass(frozen=True, slots=True)
class NodeInput:
    """In a call's arguments: the call's index-th input, in the order of its node's sources."""

    index: int


@dataclass(frozen=True, slots=True)
class Weight:
    """In a call's arguments: a parameter or buffer of the network."""

    name: str
    shape: TensorShape


@dataclass(frozen=True, slots=True)
class BatchSize:
    """In a call's arguments: the number of images, or `times` as many, known only when the call runs."""

    times: int = 1


class Sample(NamedTuple):
    """A small call for the general tests: the target, its inputs, and its arguments with a NodeInput for each input.

    above: the operation is defined for numbers above this only.
    """

    target: OpOverload
    inputs: tuple[Tensor, ...]
    args: tuple[Any, ...]
    above: float = -inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an operation: its arguments by name, and the shapes it takes and gives, without the batch.

    args: plain values, with NodeInput, Weight and BatchSize in place of what is not plain; in a call that a rule gets,
    tensors stand in place of the weights. tensors: the inputs, for rules that read them. output: what the call gave,
    likewise. memo: what a rule makes of the weights, kept for the next call of the same node. whole: all that the call
    gives is wanted, not its first output alone: it has no row, and later calls take their part of it.
    """

    target: Callable[..., Any]
    args: Mapping[str, Any]
    inputs: tuple[TensorShape, ...]
    shape: TensorShape
    tensors: tuple[Tensor, ...] = ()
    output: Tensor | None = None
    memo: dict[str, Tensor] = field(default_factory=dict, compare=False, repr=False)
    whole: bool = False

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

    def run(self, *tensors: Tensor, batch: int | None = None) -> Any:
        """The operation itself, on these inputs. batch: how many images they are of, where their first axis may be
        another than the images."""
        if batch is None:
            batch = tensors[0].shape[0]
        args = {name: _filled(value, tensors, batch) for name, value in self.args.items()}
        if self.target is operator.getitem:
            return args["of"][args["index"]]
        result = computed(self.target, args, tensors[0] if tensors else None)
        return result[0] if isinstance(result, tuple | list) and not self.whole else result

    def local(
        self,
        inputs: tuple[TensorShape, ...],
        shape: TensorShape,
        tensors: tuple[Tensor, ...] = (),
        output: Tensor | None = None,
    ) -> "Call":
        """The same call on windows cut so that nothing is left to pad, its output's shape the windows' own.

        tensors, output: as for `knowing`.
        """
        no_padding = "valid" if isinstance(self.args.get("padding"), str) else (0, 0)
        sizes = {"output_size": shape[-2:], "extent": shape[-2:], "shape": (BatchSize(), *shape)}
        pad = (0, 0, 0, 0, *self.args.get("pad", ())[4:])
        local = {"padding": no_padding, "ceil_mode": False, "pad": pad, "offset": (0, 0), **sizes}
        args = {name: local.get(name, value) for name, value in self.args.items()}
        return replace(self, args=args, inputs=inputs, shape=shape, tensors=tensors, output=output)

    def knowing(self, tensors: tuple[Tensor, ...], output: Tensor | None = None) -> "Call":
        """The same call, with the values that it was made on and that it gave."""
        return replace(self, tensors=tensors, output=output)

    def changed(self, /, **args: Any) -> "Call":
        """Another call: some arguments are others. What was kept for the weights of the first is not used for it."""
        return replace(self, args={**self.args, **args}, memo={})


def holds_source(value: Any) -> bool:
    """True for an argument that is a map, or a list with one in it."""
    return isinstance(value, NodeInput) or (isinstance(value, tuple) and any(holds_source(v) for v in value))


def _filled(value: Any, tensors: tuple[Tensor, ...], batch: int) -> Any:
    """An argument with its inputs in place."""
    if isinstance(value, NodeInput):
        return tensors[value.index]
    if isinstance(value, BatchSize):
        return batch * value.times
    if isinstance(value, tuple):
        return [_filled(v, tensors, batch) for v in value]
    return value
