"""Calls of modules, and what leaves them: the blocks among them, and the columns.

What a call gives is known from the graph's edges: the nodes inside it that something outside reads, or that the
network returns. Where one node leaves, it is the call's output and bears its name; where several do (an auxiliary
head, a skip branch, a tuple), each keeps its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
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


def _leaves(graph: Graph, node: int, call: str) -> bool:
    return node in graph.outputs or any(call not in graph.nodes[reader].calls for reader in graph.consumers[node])


def blocks_and_columns(graph: Graph, calls: Mapping[str, ModuleCall]) -> tuple[list[ModuleCall], list[ModuleCall]]:
    """The outermost blocks, and the columns outside of them.

    Both are calls of an own class that is called at least twice, with at least two convolutions. A block has another
    of its class before or behind it; a column only beside it, or inside it.
    """
    repeated = _repeated(graph, calls.values())
    before = _before(graph)
    in_series = {one.name for one in repeated if any(_follow(before, one, other) for other in repeated)}
    outside = [one for one in repeated if in_series.isdisjoint(one.around)]
    return (
        [one for one in outside if one.name in in_series],
        [one for one in outside if one.name not in in_series],
    )


def _repeated(graph: Graph, calls: Iterable[ModuleCall]) -> list[ModuleCall]:
    kinds: dict[str, list[ModuleCall]] = defaultdict(list)
    for call in calls:
        if call.own and sum(graph.nodes[node].op == "conv2d" for node in call.nodes) > 1:
            kinds[call.kind].append(call)
    return [call for alike in kinds.values() if len(alike) > 1 for call in alike]


def _follow(before: list[int], one: ModuleCall, other: ModuleCall) -> bool:
    """True where one of two calls of a class reads, in the end, what the other gives; neither is made in the other."""
    if one.kind != other.kind or one.name in (other.name, *other.around) or other.name in one.around:
        return False
    return any(before[a] >> b & 1 or before[b] >> a & 1 for a in one.leaving for b in other.leaving)


def _before(graph: Graph) -> list[int]:
    """For every node the set of those that it depends on, as bits."""
    found: list[int] = []
    for node in graph.nodes:
        bits = 0
        for source in node.sources:
            bits |= found[source] | 1 << source
        found.append(bits)
    return found


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
