"""Rules that no paper states: through which operations a method goes back from a layer by a rule of this house."""

from collections.abc import Iterable, Iterator

from layerscope.core.methods import METHODS
from layerscope.graph.graph import Graph, Node
from layerscope.graph.ops.rules import Rule


def unstated(graph: Graph, start: int, methods: Iterable[str]) -> dict[str, str]:
    """The operations that any of these methods goes back through from a node by such a rule: the first node of each.

    What stands at the other end of a gate is not gone through, and is not told.
    """
    return {node.op: node.name for method in methods for node, _ in _gone_through(graph, start, method)}


def own_rules(graph: Graph, start: int) -> tuple[tuple[str, str, str], ...]:
    """The same of every method of this house: method, operation, and the word of its rule."""
    found = {
        (method, node.op, rule.word) for method in METHODS.own for node, rule in _gone_through(graph, start, method)
    }
    return tuple(sorted(found))


def _gone_through(graph: Graph, start: int, method: str) -> Iterator[tuple[Node, Rule]]:
    """The nodes that a method goes back through from a node by a rule of this house, the last first."""
    reached = {start}
    for node in reversed(graph.nodes[1 : start + 1]):
        if node.id not in reached or graph.behind[node.id]:
            continue
        op, skipped = graph.op(node), frozenset[int]()
        if not (node.id == start and op.activation == "rectifier"):
            rule = op.rule(method)
            skipped = rule.skips(graph.call(node))
            if not op.stated and method in op.rules:
                yield node, rule
        reached.update(source for index, source in enumerate(node.sources) if index not in skipped)
