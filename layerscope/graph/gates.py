"""Which products are gates: of two maps that are multiplied, the one that only says how much of the other passes.

It is the smaller one (a number for each channel, or for each place), or of two of one size the one that was made to lie
between 0 and 1. A product of two maps that are neither has no gate. A map times a function of itself is an activation
written out; a map over another is told from a map over a constant.
"""

from collections.abc import Container
from typing import Any, TypeGuard

import torch
from torch.fx import Graph, Node

from layerscope.graph.args import bind
from layerscope.graph.ops.activations import softsign
from layerscope.graph.ops.gate import gate, product, quotient
from layerscope.graph.ops.reduce import branch_softmax
from layerscope.graph.rewriting import before

aten = torch.ops.aten

# What gives numbers from 0 to 1, and what hands them on.
_GATING = (aten.sigmoid.default, aten.hardsigmoid.default, aten.softmax.int, aten._softmax.default, branch_softmax)
_HANDS_ON = (
    *(aten.view.default, aten.reshape.default, aten.expand.default, aten.unsqueeze.default, aten.permute.default),
    *(aten.slice.Tensor, aten.select.int, aten.squeeze.dim, aten.transpose.int, aten.upsample_nearest2d.vec),
    *(aten.clone.default, aten.contiguous.default),
)


def mark(graph: Graph, constants: Container[Node], known: Container[Node] = ()) -> None:
    """Every product and quotient of two maps becomes a call of the row that it is, in place. known: calls that are
    parts of a chain which is one operation."""
    for fx in list(graph.nodes):
        if fx.op != "call_function" or fx in constants or fx in known:
            continue
        found = None
        if fx.target is aten.mul.Tensor:
            found = _product(fx, constants)
        elif fx.target is aten.div.Tensor:
            found = _quotient(fx, constants)
        elif fx.target in (aten.where.self, aten.where.ScalarOther, aten.where.ScalarSelf):
            found = _shrunk(fx) or _chosen(fx)
        if found is not None:
            fx.target, fx.args, fx.kwargs = found[0], found[1:], {}


def _maps_of(fx: Node, constants: Container[Node]) -> tuple[Node, Node] | None:
    """The two factors, or map and divisor, where both are maps."""
    call = bind(fx.target, fx.args, fx.kwargs)  # type: ignore[arg-type]
    one, other = call["self"], call["other"]
    if not all(isinstance(side, Node) and _is_map(side) and side not in constants for side in (one, other)):
        return None
    return one, other


def _product(fx: Node, constants: Container[Node]) -> tuple[Any, ...] | None:
    sides = _maps_of(fx, constants)
    if sides is None:
        return None
    written = _written_out(*sides) or _written_out(*sides[::-1])
    if written is not None:
        return written
    found = _map_and_gate(fx, sides)
    return (gate, *found) if found is not None else (product, *sides)


def _quotient(fx: Node, constants: Container[Node]) -> tuple[Any, ...] | None:
    sides = _maps_of(fx, constants)
    if sides is not None:
        one, other = sides
        # x / (1 + |x|)
        if other.target is aten.add.Tensor and {1}.intersection(other.args[:2]):
            inner = [arg for arg in other.args[:2] if isinstance(arg, Node)]
            if inner and inner[0].target is aten.abs.default and inner[0].args[0] is one:
                return (softsign, one)
        shapes = [side.meta["val"].shape for side in sides]
        return (quotient, one, other, shapes[0] == fx.meta["val"].shape != shapes[1])
    # x * min(max(x + 3, 0), 6) / 6, and the same without its first factor
    call = bind(aten.div.Tensor, fx.args, fx.kwargs)
    if call["other"] == 6 and isinstance(call["self"], Node):
        above = call["self"]
        if (inner := _three_above(above)) is not None:
            return (aten.hardsigmoid.default, inner)
        if above.target is product or above.target is gate:
            one, other = above.args
            for own, factor in ((one, other), (other, one)):
                if _three_above(factor) is own:
                    return (aten.hardswish.default, own)
    if isinstance(call["other"], Node) and call["other"] not in constants and call["self"] in constants:
        turned = before(fx, aten.reciprocal.default, call["other"])
        return (aten.mul.Tensor, turned, call["self"])
    return None


def _three_above(fx: Any) -> Node | None:
    """x, of min(max(x + 3, 0), 6)."""
    bounds = {"min_val": 0, "max_val": 6}
    if not isinstance(fx, Node) or fx.target not in (aten.hardtanh.default, aten.relu6.default):
        return None
    call = bind(fx.target, fx.args, fx.kwargs)  # type: ignore[arg-type]
    inner = call["self"]
    if any(call.get(key, value) != value for key, value in bounds.items()) or inner.target is not aten.add.Tensor:
        return None
    return inner.args[0] if inner.args[1] == 3 and not inner.kwargs else None


# A map times this function of itself.
_TIMES_ITSELF: dict[Any, Any] = {
    aten.sigmoid.default: aten.silu.default,
    aten.hardsigmoid.default: aten.hardswish.default,
}


def _written_out(own: Node, factor: Node) -> tuple[Any, ...] | None:
    """The activation that a map times a function of itself is."""
    whole = _TIMES_ITSELF.get(factor.target)
    if whole is not None and factor.args[0] is own:
        return (whole, own)
    if factor.target is aten.tanh.default:
        inner = factor.args[0]
        if isinstance(inner, Node) and inner.target is aten.softplus.default and tuple(inner.args) == (own,):
            return (aten.mish.default, own)
    return (aten.relu.default, own) if _above_zero(factor) is own else None


def _above_zero(fx: Any) -> Node | None:
    """x, of a mask of where x is above zero."""
    while isinstance(fx, Node) and fx.target in (aten._to_copy.default, aten.to.dtype):
        fx = fx.args[0]
    if isinstance(fx, Node) and fx.target is aten.gt.Scalar and fx.args[1] == 0:
        return fx.args[0]  # type: ignore[return-value]
    return None


def _chosen(fx: Node) -> tuple[Any, ...] | None:
    """x where it is above zero, and elsewhere nothing or a part of it."""
    mask, own, other = fx.args
    if _above_zero(mask) is not own:
        return None
    if not isinstance(other, Node):
        return (aten.relu.default, own) if other == 0 else None
    if other.target is aten.mul.Tensor and other.args[0] is own and isinstance(other.args[1], int | float):
        return (aten.leaky_relu.default, own, other.args[1])
    nothing = (aten.zeros_like.default, aten.zeros.default, aten.new_zeros.default, aten.scalar_tensor.default)
    zero = other.target in nothing[:3] or (other.target is nothing[3] and other.args[0] == 0)
    return (aten.relu.default, own) if zero else None


def _shrunk(fx: Node) -> tuple[Any, ...] | None:
    """Hardshrink and softshrink, which exporting takes apart: x where it is far from zero, perhaps drawn nearer."""
    mask, one, other = fx.args
    if not _calls(mask, aten.le.Scalar, aten.gt.Scalar):
        return None
    size, bound = mask.args[:2]
    if not _calls(size, aten.abs.default):
        return None
    own = size.args[0]
    if mask.target is aten.le.Scalar:
        return (aten.hardshrink.default, own, bound) if one == 0 and other is own else None
    if not _calls(other, aten.mul.Tensor) or tuple(other.args) != (own, 0):
        return None
    if not _calls(one, aten.sub.Tensor) or one.args[0] is not own or one.kwargs:
        return None
    taken = one.args[1]
    if not _calls(taken, aten.mul.Tensor) or taken.args[1] != bound or not _calls(taken.args[0], aten.sign.default):
        return None
    return (aten.softshrink.default, own, bound) if taken.args[0].args[0] is own else None


def _calls(fx: Any, *targets: Any) -> TypeGuard[Any]:
    return isinstance(fx, Node) and fx.target in targets


def _map_and_gate(fx: Node, sides: tuple[Node, Node]) -> tuple[Node, Node] | None:
    """The map and its gate, or None."""
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
