"""The part of a network behind some nodes, run as often as wanted: one pass to them serves all that comes after.

The pass to the nodes is the program's own; from there on every call is made plainly, in order, so that the whole
network and a changed one go the same way and differ by nothing but the change.
"""

from collections.abc import Callable, Collection, Mapping

from torch import Tensor

from layerscope.graph import Carrier, Graph
from layerscope.graph.exactly import exactly

# Is given a node and its value, and gives what those behind it are to read; the value itself is left as it is.
Change = Callable[[int, Tensor], Tensor]


def steps_behind(graph: Graph, changed: Collection[int], wanted: int) -> tuple[int, ...]:
    """The nodes that lead from the changed ones to the wanted one, in order, without the first that are changed."""
    behind: set[int] = set()
    for node in graph.nodes:
        if any(source in behind or source in changed for source in node.sources):
            behind.add(node.id)
    return tuple(sorted(behind & graph.ancestors({wanted})))


class Onward:
    """Runs a program from the values that lead into the steps behind some nodes to one node.

    changed: the nodes whose values may be changed on the way. needed: the nodes whose values it begins with.
    """

    def __init__(self, program: Carrier, changed: Collection[int], wanted: int) -> None:
        self.program, self.wanted = program, wanted
        self.steps = steps_behind(program.graph, changed, wanted)
        nodes = program.graph.nodes
        read = {source for node in self.steps for source in nodes[node].sources} | {wanted}
        self.needed = frozenset(read - set(self.steps))
        last = {source: node for node in self.steps for source in nodes[node].sources if source != wanted}
        self._dropped = {node: [source for source, at in last.items() if at == node] for node in self.steps}

    def given(self, x: Tensor) -> dict[int, Tensor]:
        """The values to begin with, of a batch of inputs [n, c, h, w]."""
        return self.program.run(x, self.needed)

    def run(self, given: Mapping[int, Tensor], images: int, change: Change) -> Tensor:
        """The wanted node's value, with every changed node's value changed before it is read. images: of the batch."""
        with exactly(self.program.device):
            values = {node: change(node, value) for node, value in given.items()}
            for node in self.steps:
                sources = self.program.graph.nodes[node].sources
                made = self.program.call(node).run(*(values[source] for source in sources), batch=images)
                values[node] = change(node, made)
                for source in self._dropped[node]:
                    del values[source]
        return values[self.wanted]
