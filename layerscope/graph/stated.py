"""Rules that no paper states: through which operations a method goes back from a layer by a rule of this house."""

from collections.abc import Iterable

from layerscope.graph.graph import Graph


def unstated(graph: Graph, start: int, methods: Iterable[str]) -> dict[str, str]:
    """The operations that any of these methods goes back through from a node by such a rule: the first node of each.

    What stands at the other end of a gate is not gone through, and is not told.
    """
    found: dict[str, str] = {}
    for method in methods:
        reached = {start}
        for node in reversed(graph.nodes[1 : start + 1]):
            if node.id not in reached or graph.behind[node.id]:
                continue
            op, skipped = graph.op(node), frozenset[int]()
            if not (node.id == start and op.activation == "rectifier"):
                skipped = op.rule(method).skips(graph.call(node))
                if not op.stated and method in op.rules:
                    found[node.op] = node.name
            reached.update(source for index, source in enumerate(node.sources) if index not in skipped)
    return found
