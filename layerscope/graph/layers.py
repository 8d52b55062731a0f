"""Layers: the nodes that a user can name, with their names, aliases and fields.

A block is shown by the name of its call, every other layer by its node's; the name of any call of a module is an
alias of the one node that leaves it. Which of the layers `auto` means is told in `graph/auto.py`.
"""

from collections import defaultdict
from collections.abc import Mapping

from layerscope.core.geometry import Field
from layerscope.core.records import LayerRecord
from layerscope.graph.auto import choose
from layerscope.graph.blocks import ModuleCall, blocks_and_columns, module_calls
from layerscope.graph.graph import INPUT, Graph, Node


def layers_of(graph: Graph, fields: dict[int, Field]) -> tuple[LayerRecord, ...]:
    """Every layer in execution order, those left out that cannot be run."""
    calls = module_calls(graph)
    shown = _shown(graph, calls)
    automatic = set(choose(graph).nodes)
    aliases = _aliases(graph, calls)
    found = []
    maps = maps_of(graph)
    for node in graph.nodes:
        if graph.role(node) == "view" or node.op == INPUT or node.id not in fields or node.id not in maps:
            continue
        name = shown.get(node.id, node.name)
        found.append(
            LayerRecord(
                name=name,
                path=node.name,
                node=node.id,
                kind="block" if node.id in shown else node.op,
                units=node.shape[0],
                map=(node.shape[1], node.shape[2]) if len(node.shape) == 3 else None,
                field=fields[node.id],
                auto=node.id in automatic,
                aliases=tuple(sorted({node.name, *aliases[node.id]} - {name})),
                rectified=graph.ranges[node.id].low >= 0,
                scan_only=why_scan_only(graph, node),
            )
        )
    return tuple(found)


def maps_of(graph: Graph) -> set[int]:
    """The nodes whose numbers are channels of maps, or a dense layer's: what an attention makes of them (heads, tokens)
    is neither, and no layer. Of a call without a row it is known where it keeps the shape of a map."""
    found = {0}
    for node in graph.nodes[1:]:
        known = [source for source in node.sources if source in found]
        if node.refused:
            of_map = any(graph.nodes[source].shape == node.shape for source in known)
        else:
            of_map = graph.role(node) == "filters" or bool(known)
        if of_map and len(node.shape) in (1, 3):
            found.add(node.id)
    return found


def why_scan_only(graph: Graph, node: Node) -> str:
    """Why nothing can be carried back from a node, as a clause; empty where something can."""
    if not graph.behind[node.id]:
        return ""
    first = graph.nodes[min(graph.behind[node.id])]
    return f'"{first.name}" calls {first.op}, through which nothing is carried back: {first.refused}'


def _shown(graph: Graph, calls: Mapping[str, ModuleCall]) -> dict[int, str]:
    """The outputs of blocks and columns, with the names that they are shown by: of two at one node the outer one's."""
    blocks, columns = blocks_and_columns(graph, calls)
    inner_first = sorted([*blocks, *columns], key=lambda call: -len(call.around))
    return {call.output: call.name for call in inner_first if call.output is not None}


def _aliases(graph: Graph, calls: Mapping[str, ModuleCall]) -> dict[int, set[str]]:
    """The name of every call that one node leaves is an alias of that node."""
    found: dict[int, set[str]] = defaultdict(set)
    names = {node.name for node in graph.nodes}
    for call in calls.values():
        if call.output is not None and call.name not in names:
            found[call.output].add(call.name)
    return found
