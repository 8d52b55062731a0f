"""Who runs a network: what scanning, projecting and looking ask of it, whoever computes and wherever.

`Program` is the one of the house. Another engine need only be a `Runner` to be scanned with; to be projected with it
also knows each call with its weights. All are made by `runner_of`, in `graph/program.py`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from layerscope.core.geometry import Field
from layerscope.graph.graph import Graph
from layerscope.graph.ops.calls import Call
from layerscope.graph.ops.rules import Back, Rule

# Is told of a node, the place of an image in its batch, and the node's values for it and some that follow.
See = Callable[[int, int, Tensor], None]


@dataclass(frozen=True)
class WayBack:
    """How signals go back from one node by one method, where otherwise than by each call's own rule.

    backs: by node, what is done in place of its rule. own: the nodes whose rule gives tensors that nobody else holds.
    """

    backs: Mapping[int, Back]
    own: frozenset[int] = frozenset()


@runtime_checkable
class Runner(Protocol):
    """Runs nodes of a graph on a batch.

    graph: the nodes. dtype, device: in which it computes, and where its values lie.
    """

    @property
    def graph(self) -> Graph: ...

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def device(self) -> torch.device: ...

    def run(self, x: Float[Tensor, "n c h w"], wanted: Collection[int]) -> dict[int, Tensor]:
        """The values of the wanted nodes for a batch of inputs, by node: [n, units, rows, cols] or [n, units]."""
        ...


@runtime_checkable
class Visitor(Runner, Protocol):
    """A runner that shows values as they come, so that they need not all lie in memory."""

    def visit(self, x: Float[Tensor, "n c h w"], wanted: Collection[int], see: See) -> None:
        """Calls `see` with each wanted node, the place of the first image, and the values of it and some that follow,
        which may be written over as soon as that returns. Every image once, in order."""
        ...


def visit(runner: Runner, x: Float[Tensor, "n c h w"], wanted: Collection[int], see: See) -> None:
    """Shows the wanted nodes' values: as they come, where the runner can, else when all are there."""
    if isinstance(runner, Visitor):
        runner.visit(x, wanted, see)
        return
    for node, value in runner.run(x, wanted).items():
        see(node, 0, value)


@runtime_checkable
class Carrier(Visitor, Protocol):
    """A runner that signals can be carried back on.

    weights: by name, as the graph's calls name them.
    """

    @property
    def weights(self) -> Mapping[str, Tensor]: ...

    @property
    def wide(self) -> "Carrier":
        """The same in at least 32 bits: what is carried back on it does not overflow."""
        ...

    def call(self, node: int, /) -> Call:
        """The node's call, with its weights in place."""
        ...

    def windows(self, node: int, /) -> tuple[Field, ...]:
        """What each position of a node sees of each of its inputs, in px of that input."""
        ...

    def on_whole_maps(self, node: int, rule: Rule | None = None, /) -> bool:
        """True for calls that are made on whole maps: every output sees everything, or what windows cannot tell.

        rule: the one that carries a signal back through the call; an input that it skips need not be whole.
        """
        ...

    def way_back(self, start: int, method: str, /) -> WayBack:
        """How a signal goes back from a node by a method, where otherwise than by each call's own rule."""
        ...

    def laid_out(self, tensor: Tensor, /) -> Tensor:
        """The same numbers in the memory layout that it computes in."""
        ...

    def check(self) -> None:
        """Raises TraceError where a weight is not a finite number, or of a kind that is not computed with."""
        ...

    def to(self, device: torch.device | str, /) -> "Carrier":
        """The same on another device."""
        ...
