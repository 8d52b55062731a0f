"""Which layers `auto` means: what a reader of the paper would call the layers, as far as they can be had.

What cannot be run is cut off, and the rest is read like a network of its own. Of every convolution and hidden dense
layer counts what it gives past its own normalisation, the sum that it goes into and its activation; of a block only
what leaves it. What forks and joins again inside a module that is no block counts only with what follows it, as long
as such modules hold no more than half of the network. The classifier's outputs are a layer on request.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from layerscope.graph.blocks import ModuleCall, forked
from layerscope.graph.graph import Graph
from layerscope.graph.structure import structure_of


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What `auto` means of a network, and what it leaves out.

    nodes: the layers' nodes, in execution order. folded: calls of modules inside which something forks and joins, so
    that only what follows them counts, with how many convolutions and dense layers of each. filters: how many the
    network has, the classifier among them. cut: ids of those that cannot be had.
    """

    nodes: tuple[int, ...]
    folded: Mapping[str, int]
    filters: int
    cut: tuple[int, ...]


def choose(graph: Graph) -> Choice:
    """The layers that `auto` means."""
    built = structure_of(graph)
    known = {node.id for node in graph.nodes if not graph.lost[node.id]}
    every = _with_filters(graph)
    classifier = _classifier(graph)
    # What only makes a gate says how much of a map passes, and is no map to look at.
    maps = known - graph.factors - {node for node in known - graph.maps if not graph.nodes[node].refused}
    filters = [node for node in every if node in maps and node != classifier]
    blocks = [block for block in (*built.blocks, *built.branches) if known.intersection(block.leaving)]
    inside = {node for block in blocks for node in block.nodes}
    # A convolution in two parts, with nothing but numbers that add up between them, is one operation with filters.
    parted = {block.leaving[0] for block in blocks if _is_one_operation(graph, block)}
    blocks = [block for block in blocks if not _is_one_operation(graph, block)]
    alone = {node for node in filters if node not in inside} | (parted & known)
    # A column is read like the network that it stands in; so is most of a network, whatever it is wrapped in.
    parts = [call for call in built.calls.values() if call.own and call not in built.columns]
    folded = _folded(graph, [call for call in parts if _at_most_half(call.inside, filters)], alone, known)
    if not _at_most_half(folded, filters):
        folded = {}
    chosen = {node for block in blocks for node in _given(graph, block, known)}
    chosen |= {_end(graph, node, known) for node in alone if node not in folded}
    # What nothing chosen depends on would be lost without a word.
    reached = graph.ancestors(chosen)
    chosen |= {_end(graph, node, known) for node in filters if node not in reached}
    names = [name for node, name in folded.items() if node in reached]
    return Choice(
        nodes=tuple(sorted(chosen)),
        folded={name: names.count(name) for name in names},
        filters=len(every),
        cut=tuple(node for node in every if node not in known),
    )


def _at_most_half(part: Collection[int], filters: list[int]) -> bool:
    return 2 * sum(node in part for node in filters) <= len(filters)


def _folded(graph: Graph, parts: list[ModuleCall], alone: set[int], known: set[int]) -> dict[int, str]:
    """Of these operations with filters those that a way goes around inside a part, with the outermost such part."""
    found: dict[int, str] = {}
    for call in parts:
        if alone & call.inside:
            for node in forked(graph, call, known) & alone:
                found.setdefault(node, call.name)
    return found


def _with_filters(graph: Graph) -> list[int]:
    """Convolutions of every kind, also those without a row, and dense layers."""
    return [node.id for node in graph.nodes if graph.role(node) == "filters"]


def _given(graph: Graph, block: ModuleCall, known: set[int]) -> set[int]:
    """What leaves a block; a pool of what leaves it too, or a view of it, is no layer more."""
    leaving = [node for node in block.leaving if node in known]
    return {_before_views(graph, node) for node in leaving if not _follows(graph, node, leaving)}


def _before_views(graph: Graph, node: int) -> int:
    while graph.role(graph.nodes[node]) == "view" and graph.nodes[node].sources[0] in graph.maps:
        node = graph.nodes[node].sources[0]
    return node


def _follows(graph: Graph, node: int, others: list[int]) -> bool:
    """True where this node only pools, views or scales one of the others."""
    while True:
        current = graph.nodes[node]
        if graph.role(current) in ("filters", "activation") or len(current.sources) != 1 or current.sources[0] == 0:
            return False
        node = current.sources[0]
        if node in others:
            return True


def _end(graph: Graph, node: int, known: set[int]) -> int:
    """The node past the normalisation, the sum and the activation of an operation with filters, if it has them."""
    current, last, summed = graph.nodes[node], node, False
    while len(readers := _readers(graph, current.id, known)) == 1:
        current = graph.nodes[readers[0]]
        role = graph.role(current)
        if role == "activation":
            return current.id
        if role == "normalisation":
            last = last if summed else current.id
        elif role == "sum" and len(current.sources) > 1:
            summed = True
        else:
            break
    return last


def _is_one_operation(graph: Graph, block: ModuleCall) -> bool:
    """True for a call that gives what its filters give: nothing is rectified, scaled or joined in it."""
    return len(block.leaving) == 1 and all(graph.role(graph.nodes[node]) == "filters" for node in block.nodes)


def _readers(graph: Graph, node: int, known: set[int]) -> list[int]:
    """Who reads a node; what has no row reads it beside the others, and parts it from none of them."""
    readers = [reader for reader in graph.consumers[node] if reader in known]
    return [reader for reader in readers if not graph.nodes[reader].refused] or readers


def _classifier(graph: Graph) -> int | None:
    """The last operation with filters, where the network's only output is one number for each of them."""
    last = _with_filters(graph)[-1:]
    outputs = [graph.nodes[output].shape for output in graph.outputs]
    return next((node for node in last if outputs == [graph.nodes[node].shape[:1]]), None)
