"""A network whose weights file lacks some of its weights: what needs them is refused, and all else stays to be had.

Weights that no file gave hold NaN (see `models.weights`), and so does every constant that was made from them while the
network was traced. So whatever depends on them is found, under whichever name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from layerscope.graph.graph import Node
from layerscope.graph.ops.calls import Weight
from layerscope.graph.trace import Traced


def without(traced: Traced, unloaded: Mapping[str, str]) -> Traced:
    """The same network, its nodes refused that read what is not loaded, with the reason; such weights are dropped.

    unloaded: why a tensor has no weights, by its name.
    """
    if not unloaded:
        return traced
    reason = next(iter(unloaded.values()))
    lost = {name: unloaded.get(name, reason) for name, w in traced.weights.items() if name in unloaded or _holds_nan(w)}
    nodes = tuple(_marked(node, lost) for node in traced.graph.nodes)
    kept = {name: weight for name, weight in traced.weights.items() if name not in lost}
    return replace(traced, graph=replace(traced.graph, nodes=nodes), weights=kept)


def _marked(node: Node, lost: Mapping[str, str]) -> Node:
    reasons = [lost[name] for name in _weights(node.args.values()) if name in lost]
    if not reasons:
        return node
    return replace(node, refused=node.refused or reasons[0], stuck=node.stuck or reasons[0])


def _weights(values: Iterable[Any]) -> Iterable[str]:
    for value in values:
        if isinstance(value, Weight):
            yield value.name
        elif isinstance(value, tuple):
            yield from _weights(value)


def _holds_nan(weight: Tensor) -> bool:
    return weight.is_floating_point() and bool(weight.isnan().any())
