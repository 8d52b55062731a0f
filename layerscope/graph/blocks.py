"""Calls of modules, and what leaves them. Which of them are blocks is told in `graph/structure.py`.

What a call gives is known from the graph's edges: the nodes inside it that something outside reads, or that the
network returns. Where one node leaves, it is the call's output and bears its name; where several do (an auxiliary
head, a skip branch, a tuple), each keeps its own.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from layerscope.graph.graph import Graph
from layerscope.graph.names import LAYERS


@dataclass(frozen=True, kw_only=True)
class ModuleCall:
    """One call of a module.

    name: the module's path, `path@2` for its second call. kind: its class. around: the calls it is made in, outermost
    first. nodes: ids of what runs inside it. leaving: those of them that are read outside or returned.
    """

    name: str
    kind: str
    around: tuple[str, ...]
    nodes: tuple[int, ...]
    leaving: tuple[int, ...]

    @property
    def output(self) -> int | None:
        """The node that the call's name means; None where several leave it."""
        return self.leaving[0] if len(self.leaving) == 1 else None

    @property
    def own(self) -> bool:
        """True for a module of the network's own code: torch's containers only string others together."""
        return not self.kind.startswith(LAYERS)

    @cached_property
    def inside(self) -> frozenset[int]:
        """The nodes, to look one up in."""
        return frozenset(self.nodes)


def module_calls(graph: Graph) -> dict[str, ModuleCall]:
    """Every call of a module that computes something, by name, in the order in which they begin."""
    nodes: dict[str, list[int]] = defaultdict(list)
    about: dict[str, tuple[str, tuple[str, ...]]] = {}
    for node in graph.nodes:
        for depth, (name, (_, kind)) in enumerate(zip(node.calls, node.classes, strict=True)):
            nodes[name].append(node.id)
            about.setdefault(name, (kind, node.calls[:depth]))
    return {
        name: ModuleCall(
            name=name,
            kind=kind,
            around=around,
            nodes=tuple(nodes[name]),
            leaving=tuple(n for n in nodes[name] if _leaves(graph, n, name)),
        )
        for name, (kind, around) in about.items()
    }


def filters_of(graph: Graph, call: ModuleCall) -> list[int]:
    """The operations with filters that run in a call."""
    return [node for node in call.nodes if graph.role(graph.nodes[node]) == "filters"]


def _leaves(graph: Graph, node: int, call: str) -> bool:
    return node in graph.outputs or any(call not in graph.nodes[reader].calls for reader in graph.consumers[node])


def forked(graph: Graph, call: ModuleCall, known: set[int]) -> set[int]:
    """The known nodes of a call that another way goes around: it parts before them and joins again behind them.

    Only ways inside the call count, from wherever something enters it.
    """
    inside = sorted(call.inside & known)
    before: dict[int, int] = {}
    for node in inside:
        bits = 0
        for source in graph.nodes[node].sources:
            bits |= before.get(source, 0) | 1 << source
        before[node] = bits
    return {node for node in inside if _gone_around(graph, node, inside, before)}


def _gone_around(graph: Graph, node: int, inside: list[int], before: dict[int, int]) -> bool:
    behind = [other for other in inside if before[other] >> node & 1]
    joining = 0
    for other in behind:
        joining |= before[other] | 1 << other
    beside = [n for n in inside if joining >> n & 1 and n != node and not before[node] >> n & 1]
    return any(before[node] >> source & 1 for n in beside for source in graph.nodes[n].sources)
