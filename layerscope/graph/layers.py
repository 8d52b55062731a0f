"""Layers: the nodes that a user can name, and among them those that `auto` means.

`auto` is what a reader of the paper would call the layers: the nodes that every path from input to output crosses,
moved past their activation. Inside a block (a user's module class that occurs at least twice and holds at least two
convolutions, outermost) only the block's output counts. The classifier's outputs are a layer on request.
"""

from collections import defaultdict

import torch

from layerscope.core.geometry import Field
from layerscope.core.records import LayerRecord
from layerscope.graph.graph import INPUT, Graph, Node
from layerscope.graph.ops import VIEWS
from layerscope.graph.ops.table import Weight


def layers_of(graph: Graph, fields: dict[int, Field]) -> tuple[LayerRecord, ...]:
    """Every layer in execution order, those behind a refused operation left out."""
    blocks = block_outputs(graph)
    shown = {node: path for path, node in blocks.items()}
    automatic = set(auto(graph, blocks))
    aliases = _aliases(graph)
    rectified = _rectified(graph)
    found = []
    for node in graph.nodes:
        if node.op in VIEWS or node.op == INPUT or node.id not in fields or len(node.shape) not in (1, 3):
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
                rectified=node.id in rectified,
            )
        )
    return tuple(found)


def block_outputs(graph: Graph) -> dict[str, int]:
    """The outermost blocks: module path -> the node that is the block's output."""
    classes: dict[str, str] = {}
    convolutions: dict[str, int] = defaultdict(int)
    for node in graph.nodes:
        for path, kind in node.classes:
            classes[path] = kind
            convolutions[path] += node.op == "conv2d"
    often = {kind for kind in classes.values() if list(classes.values()).count(kind) > 1}
    blocks = {
        path for path, kind in classes.items()
        if kind in often and convolutions[path] > 1 and not kind.startswith("torch.nn.")
    }  # fmt: skip
    outermost = {path for path in blocks if not any(path.startswith(f"{other}.") for other in blocks)}
    last = _last_nodes(graph)
    return {path: last[path] for path in outermost}


def auto(graph: Graph, blocks: dict[str, int]) -> list[int]:
    """The nodes that `auto` means, in execution order."""
    crossed = set(_crossed_by_every_path(graph))
    inside = {node.id for node in graph.nodes if any(path in blocks for path, _ in node.classes)}
    classifier = _classifier(graph)
    chosen = set(blocks.values()) & crossed
    for node in graph.nodes:
        if node.op in ("conv2d", "linear") and node.id in crossed and node.id not in inside and node.id != classifier:
            chosen.add(_past_activation(graph, node))
    return sorted(chosen)


def _crossed_by_every_path(graph: Graph) -> list[int]:
    """Nodes that no edge skips: in execution order, nothing before them is read after them."""
    found, reach = [], 0
    for node in graph.nodes:
        if reach <= node.id:
            found.append(node.id)
        reach = max([reach, *graph.consumers[node.id]])
    return found


def _past_activation(graph: Graph, node: Node) -> int:
    """The node after the convolution's own normalisation and rectifier, if it has them."""
    current, last = node, node.id
    while len(graph.consumers[current.id]) == 1:
        current = graph.nodes[graph.consumers[current.id][0]]
        if current.refused:
            break
        if graph.op(current).rectifier:
            return current.id
        if current.op != "batch_norm":
            break
        last = current.id
    return last


def _classifier(graph: Graph) -> int | None:
    """The last operation with filters, where the network's only output is one number for each of them."""
    weighted = [node for node in graph.nodes if node.op in ("conv2d", "linear")]
    outputs = [graph.nodes[output].shape for output in graph.outputs]
    if not weighted or len(outputs) != 1 or outputs[0] != weighted[-1].shape[:1]:
        return None
    return weighted[-1].id


def _last_nodes(graph: Graph) -> dict[str, int]:
    return {path: node.id for node in graph.nodes for path, _ in node.classes}


def _aliases(graph: Graph) -> dict[int, set[str]]:
    """Every container's path is an alias of its output node."""
    found: dict[int, set[str]] = defaultdict(set)
    names = {node.name for node in graph.nodes}
    for path, node in _last_nodes(graph).items():
        if path not in names:
            found[node].add(path)
    return found


def _clamps(graph: Graph, node: Node) -> bool:
    """True for a rectifier that lets nothing below zero through: its own deconvnet rule says so."""
    op = graph.op(node)
    return op.rectifier and float(op.rule("deconvnet")(torch.tensor([[-1.0]]), graph.call(node))[0]) == 0


def _rectified(graph: Graph) -> set[int]:
    """Nodes whose values are never below zero: behind a ReLU, and what only pools, joins or moves such values."""
    found: set[int] = set()
    for node in graph.nodes[1:]:
        if node.refused:
            continue
        own = _clamps(graph, node)
        constant = any(isinstance(v, Weight | float) for v in node.args.values()) or type(node.args.get("other")) is int
        if own or (not constant and node.op != "sub" and node.sources and set(node.sources) <= found):
            found.add(node.id)
    return found
