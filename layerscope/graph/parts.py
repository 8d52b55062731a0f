"""Backbone, neck and head of a network that gives maps: told by the names of its modules, else by its maps.

A network that narrows its maps and widens them again has a turning point: what is before it is the backbone (of a
network that gives maps as large as the picture, the encoder), what is behind it the neck (the decoder), and the module
that the network's outputs leave is the head.
"""

from collections.abc import Iterable, Mapping

from layerscope.graph.blocks import ModuleCall
from layerscope.graph.graph import Graph, Node
from layerscope.graph.structure import Structure

# What authors call the parts, as a component of a path or its last word, and what is said of them here.
WORDS = {
    "backbone": "backbone", "body": "backbone", "trunk": "backbone", "encoder": "encoder",
    "neck": "neck", "fpn": "neck", "pan": "neck", "decoder": "decoder",
    "head": "head", "heads": "head", "classifier": "head",
}  # fmt: skip


def parts_of(graph: Graph, built: Structure) -> Mapping[int, str]:
    """The part that a node belongs to, by node; empty for a network that gives numbers of the whole picture, which is
    one part, and where nothing tells parts apart."""
    if all(len(graph.nodes[output].shape) < 2 for output in graph.outputs):
        return {}
    named = {node.id: part for node in graph.nodes[1:] if (part := _named(node))}
    placed = _by_place(graph, built) if len(set(named.values())) < 2 else {}
    found = placed | named
    return found if len(set(found.values())) > 1 else {}


def _named(node: Node) -> str:
    """What the outermost module that has such a name says."""
    for name in node.module.split("."):
        for word, part in WORDS.items():
            if name == word or name.endswith(f"_{word}"):
                return part
    return ""


def _by_place(graph: Graph, built: Structure) -> dict[int, str]:
    turn = _turning_point(graph)
    if turn is None:
        return {}
    whole = any(graph.nodes[output].shape[1:] == graph.nodes[0].shape[1:] for output in graph.outputs)
    before, behind = ("encoder", "decoder") if whole else ("backbone", "neck")
    found = {node.id: before if node.id < turn else behind for node in graph.nodes[1:]}
    return found | dict.fromkeys(_head(graph, built.calls.values(), turn), "head")


def _turning_point(graph: Graph) -> int | None:
    """The first node behind the smallest map whose map is larger than those that it reads; single places aside."""
    sizes = {node.id: node.shape[1] * node.shape[2] for node in graph.nodes if len(node.shape) == 3}
    sizes = {node: size for node, size in sizes.items() if size > 1 and node in graph.maps}
    if not sizes:
        return None
    smallest = min(sizes, key=lambda node: sizes[node])
    for node in graph.nodes[smallest + 1 :]:
        read = [sizes[source] for source in node.sources if source in sizes]
        if read and sizes.get(node.id, 0) > max(read):
            return node.id
    return None


def _head(graph: Graph, calls: Iterable[ModuleCall], turn: int) -> Iterable[int]:
    """What runs in the outermost modules behind the turning point that only outputs leave."""
    ends = [
        call for call in calls
        if call.nodes[0] > turn and call.leaving
        and all(node in graph.outputs and call.inside.issuperset(graph.consumers[node]) for node in call.leaving)
    ]  # fmt: skip
    inner = {call.name for call in ends}
    return [node for call in ends if inner.isdisjoint(call.around) for node in call.nodes]
