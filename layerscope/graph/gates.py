"""Which products are gates: of two maps that are multiplied, the one that only says how much of the other passes.

It is the smaller one (a number for each channel, or for each place), or of two of one size the one that was made to lie
between 0 and 1. A product of two maps that are neither has no gate.
"""

from collections.abc import Container

import torch
from torch.fx import Graph, Node

from layerscope.graph.args import bind
from layerscope.graph.ops.gate import gate
from layerscope.graph.ops.reduce import branch_softmax

aten = torch.ops.aten

# What gives numbers from 0 to 1, and what hands them on.
_GATING = (aten.sigmoid.default, aten.hardsigmoid.default, aten.softmax.int, aten._softmax.default, branch_softmax)
_HANDS_ON = (
    *(aten.view.default, aten.reshape.default, aten.expand.default, aten.unsqueeze.default, aten.permute.default),
    *(aten.slice.Tensor, aten.select.int, aten.squeeze.dim, aten.transpose.int, aten.upsample_nearest2d.vec),
    *(aten.clone.default, aten.contiguous.default),
)


def mark(graph: Graph, constants: Container[Node]) -> None:
    """Every product of a map and its gate becomes a call of the gate's row, in place."""
    for fx in graph.nodes:
        if fx.op == "call_function" and fx.target is aten.mul.Tensor and fx not in constants:
            found = _told_apart(fx, constants)
            if found is not None:
                fx.target, fx.args, fx.kwargs = gate, found, {}


def _told_apart(fx: Node, constants: Container[Node]) -> tuple[Node, Node] | None:
    """The map and its gate, or None."""
    call = bind(aten.mul.Tensor, fx.args, fx.kwargs)
    sides = (call["self"], call["other"])
    if not all(isinstance(side, Node) and _is_map(side) and side not in constants for side in sides):
        return None
    for own, other in (sides, sides[::-1]):
        shape, factor = own.meta["val"].shape, other.meta["val"].shape
        fits = shape == fx.meta["val"].shape and len(factor) == len(shape)
        if fits and (factor != shape or (_gating(other) and own is not other)):
            return own, other
    return None


def _is_map(fx: Node) -> bool:
    return isinstance(fx.meta.get("val"), torch.Tensor)


def _gating(fx: Node) -> bool:
    while fx.target in _HANDS_ON:
        fx = fx.all_input_nodes[0]
    return fx.target in _GATING
