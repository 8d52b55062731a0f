"""Layers: the nodes that a user can name, with their names, aliases and fields.

A block is shown by the name of its call, every other layer by its node's; the name of any call of a module is an
alias of the one node that leaves it, and so is the place of an output in the dict or list that the network returns.
Which of the layers `auto` means is told in `graph/auto.py`.
"""

from collections import defaultdict
from collections.abc import Mapping

from layerscope.core.geometry import Field
from layerscope.core.records import LayerRecord
from layerscope.graph.auto import choose
from layerscope.graph.blocks import ModuleCall
from layerscope.graph.graph import INPUT, Graph, Node
from layerscope.graph.parts import parts_of
from layerscope.graph.structure import Structure, structure_of


def layers_of(graph: Graph, fields: dict[int, Field]) -> tuple[LayerRecord, ...]:
    """Every layer in execution order, those left out that cannot be run."""
    built = structure_of(graph)
    shown = _shown(graph, built)
    parts = parts_of(graph, built)
    automatic = set(choose(graph).nodes)
    aliases = _aliases(graph, built.calls)
    blocks = {call.output for call in (*built.blocks, *built.branches, *built.columns)}
    found = []
    for node in graph.nodes:
        if graph.role(node) == "view" or node.op == INPUT or node.id not in fields or node.id not in graph.maps:
            continue
        name = shown.get(node.id, node.name)
        found.append(
            LayerRecord(
                name=name,
                path=node.name,
                node=node.id,
                kind="block" if node.id in blocks else node.op,
                units=node.shape[0],
                map=(node.shape[1], node.shape[2]) if len(node.shape) == 3 else None,
                field=fields[node.id],
                auto=node.id in automatic,
                aliases=tuple(sorted({node.name, *aliases[node.id]} - {name})),
                rectified=graph.ranges[node.id].low >= 0,
                scan_only=why_scan_only(graph, node),
                part=parts.get(node.id, ""),
            )
        )
    return tuple(found)


def why_scan_only(graph: Graph, node: Node) -> str:
    """Why nothing can be carried back from a node, as a clause; empty where something can."""
    if not graph.behind[node.id]:
        return ""
    first = graph.nodes[min(graph.behind[node.id])]
    return f'"{first.name}" calls {first.op}, through which nothing is carried back: {first.refused}'


def _shown(graph: Graph, built: Structure) -> dict[int, str]:
    """The outputs of blocks, branches and columns, with the names that they are shown by: of two at one node the outer
    one's. What stands in a list with blocks goes by its number as they do, unless its node has a number of its own or
    is a rectifier: these bear the names that atlases have known them by."""
    inner_first = sorted((*built.blocks, *built.branches, *built.columns), key=lambda call: -len(call.around))
    found = {call.output: call.name for call in inner_first if call.output is not None}
    for call in built.listed:
        if call.output is not None and not _has_own_name(graph, graph.nodes[call.output]):
            found.setdefault(call.output, call.name)
    return found


def _has_own_name(graph: Graph, node: Node) -> bool:
    row = graph.row(node)
    return node.name.rpartition(".")[2].isdigit() or (row is not None and row.activation == "rectifier")


def _aliases(graph: Graph, calls: Mapping[str, ModuleCall]) -> dict[int, set[str]]:
    """The name of every call that one node leaves, and of every output that has one, is an alias of that node."""
    found: dict[int, set[str]] = defaultdict(set)
    names = {node.name for node in graph.nodes}
    for call in calls.values():
        if call.output is not None and call.name not in names:
            found[call.output].add(call.name)
    taken = names | calls.keys()
    for name, node in graph.returned:
        if name not in taken:
            found[node].add(name)
    return found
