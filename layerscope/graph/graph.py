"""The traced network as plain data: nodes in execution order, each a call of one operation."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from layerscope.graph.axes import Lie
from layerscope.graph.constants import GETITEM, overload
from layerscope.graph.ops import OPERATIONS
from layerscope.graph.ops.calls import Call, TensorShape
from layerscope.graph.ops.ranges import ANYTHING, Range
from layerscope.graph.ops.table import Op, Role

INPUT = "input"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operation's output.

    id: place in execution order; 0 is the network's input. name: canonical, the innermost module path. op: the row's
    name, or the target's for an operation without a row. target: the ATen overload. module: innermost module path.
    classes: the module paths around it, outermost first, as (path, class). calls: these modules' calls, each by its
    path, a second one as path@2. sources: ids of its inputs. args: by name,
    with NodeInput, Weight and BatchSize for what is not plain. shape: without the batch; empty for what is not one
    tensor with the batch in front. refused: why no row speaks for this call, or "": it can be run all the same, so
    that what lies behind is scanned, but nothing is carried back through it. stuck: why it cannot even be run, or "".
    lies: how the network's own tensors lie in it, where otherwise than channels first (`graph/axes.py`).
    """

    id: int
    name: str
    op: str
    target: str
    module: str
    classes: tuple[tuple[str, str], ...] = ()
    calls: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()
    args: Mapping[str, Any] = field(default_factory=dict)
    shape: TensorShape
    refused: str = ""
    stuck: str = ""
    lies: tuple[Lie, ...] = ()


@dataclass(frozen=True)
class Graph:
    """The nodes of a network in execution order. outputs: ids of what the network returns. returned: what an output of
    several is called, by its keys and places in what the network returns (`output.out`, `output.0`), and its node."""

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    returned: tuple[tuple[str, int], ...] = ()

    def call(self, node: Node) -> Call:
        """The node's call, with its row's target, or with the one that was traced where it has no row."""
        shapes = tuple(self.nodes[source].shape for source in node.sources)
        found = OPERATIONS.named(node.target)
        if found is not None:
            return Call(target=found[0], args=node.args, inputs=shapes, shape=node.shape)
        target = operator.getitem if node.target == GETITEM else overload(node.target)
        return Call(target=target, args=node.args, inputs=shapes, shape=node.shape, whole=True)

    def op(self, node: Node) -> Op:
        """The node's row; only for nodes that a row speaks for."""
        found = OPERATIONS.named(node.target)
        assert found is not None, f"no row speaks for {node.target}"
        return found[1]

    def row(self, node: Node) -> Op | None:
        """The row of a node's operation, whether or not it can speak for this call; None where there is none."""
        found = OPERATIONS.named(node.target)
        return None if found is None else found[1]

    def role(self, node: Node) -> Role:
        """What a node is to a reader of the network; a convolution without a row has filters all the same."""
        row = self.row(node)
        return row.role if row is not None else "filters" if "conv" in node.op else "other"

    @cached_property
    def consumers(self) -> tuple[tuple[int, ...], ...]:
        """For every node the nodes that read it."""
        readers: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for source in node.sources:
                readers[source].append(node.id)
        return tuple(tuple(r) for r in readers)

    @cached_property
    def maps(self) -> frozenset[int]:
        """The nodes whose numbers are channels of maps, or a dense layer's: what an attention makes of them (heads,
        tokens) is neither. What has no row gives one where it keeps the shape of one, is known by its name to sample
        one, or has filters. Filters on what is no map give one where their input has the size of a map before it."""
        found, sizes = {0}, {self.nodes[0].shape[1:]}
        for node in self.nodes[1:]:
            read = [self.nodes[source].shape for source in node.sources]
            known = [self.nodes[source].shape for source in node.sources if source in found]
            if self.role(node) == "view" and (node.refused or node.op == "flatten"):
                of_map = any(len(node.shape) == 1 or len(s) == 1 or s[1:] == node.shape[1:] for s in known)
            elif node.refused:
                of_map = node.shape in known or bool(known and ("upsample" in node.op or self.role(node) == "filters"))
            else:
                anew = self.role(node) == "filters" and any(len(s) == 1 or s[1:] in sizes for s in read)
                of_map = bool(known) or anew
            if of_map and len(node.shape) in (1, 3):
                found.add(node.id)
                sizes.add(node.shape[1:])
        return frozenset(found)

    @cached_property
    def factors(self) -> frozenset[int]:
        """The nodes that are read for nothing but the gates of maps: how much of a map passes, not what."""
        found: set[int] = set()
        for node in reversed(self.nodes):
            readers = self.consumers[node.id]
            if readers and node.id not in self.outputs and all(r in found or self._gates(node.id, r) for r in readers):
                found.add(node.id)
        return frozenset(found)

    def _gates(self, node: int, reader: int) -> bool:
        """True where a node is a reader's gate, and not its map."""
        found = self.nodes[reader]
        return found.op == "gate" and found.sources[0] != node

    @cached_property
    def behind(self) -> tuple[frozenset[int], ...]:
        """For every node the refused nodes that it depends on, itself included."""
        found: list[frozenset[int]] = []
        for node in self.nodes:
            own = frozenset([node.id]) if node.refused else frozenset()
            found.append(own.union(*(found[source] for source in node.sources)))
        return tuple(found)

    @cached_property
    def lost(self) -> tuple[frozenset[int], ...]:
        """For every node the nodes that cannot be run and that it depends on, itself included."""
        found: list[frozenset[int]] = []
        for node in self.nodes:
            own = frozenset([node.id]) if node.stuck else frozenset[int]()
            found.append(own.union(*(found[source] for source in node.sources)))
        return tuple(found)

    @cached_property
    def ranges(self) -> tuple[Range, ...]:
        """For every node between which values its map lies, as far as the rows can tell without the weights."""
        found: list[Range] = []
        for node in self.nodes:
            known = node.sources and not self.behind[node.id]
            inputs = tuple(found[source] for source in node.sources)
            found.append(self.op(node).range(self.call(node), inputs) if known else ANYTHING)
        return tuple(found)

    def ancestors(self, wanted: set[int]) -> set[int]:
        """The nodes that these depend on, themselves included."""
        reached = set(wanted)
        for node in reversed(self.nodes):
            if node.id in reached:
                reached.update(node.sources)
        return reached
