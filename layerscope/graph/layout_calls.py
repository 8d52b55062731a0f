"""How each kind of call is made on values that are channels first (`graph/layout.py`): a handler for each.

A handler is given a call whose inputs may lie otherwise than their values; it rewrites the call and says True, or says
False, and the call is made on the network's own tensors.
"""

import operator
from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch.fx import Node
from torch.fx.node import map_arg

from layerscope.graph.args import bind
from layerscope.graph.axes import REPEATED, Axes, Part, constant_to_base
from layerscope.graph.layout import Handler, Layout, met, shape
from layerscope.graph.layout_along import ALONG
from layerscope.graph.ops.statistics import channel_norm, channel_rms_norm
from layerscope.graph.rearranged import Emitter

aten = torch.ops.aten


def _copied(layout: Layout, fx: Node) -> bool:
    return layout.lies_in(fx, *layout.of(fx.args[0]))  # type: ignore[arg-type]


def _exchanged(layout: Layout, fx: Node) -> bool:
    call = bind(fx.target, fx.args, fx.kwargs)  # type: ignore[arg-type]
    value, axes = layout.of(call["self"])
    count = len(axes.own) + 1
    order = list(range(count))
    if "dims" in call:
        order = [axis % count for axis in call["dims"]]
    else:
        one, other = call["dim0"] % count, call["dim1"] % count
        order[one], order[other] = other, one
    return order[0] == 0 and layout.lies_in(fx, value, axes.permuted([axis - 1 for axis in order[1:]]))


def _viewed(layout: Layout, fx: Node) -> bool:
    if not _has_batch(layout, fx):
        return False
    value, axes = layout.of(fx.args[0])  # type: ignore[arg-type]
    found = axes.viewed(shape(fx))
    return found is not None and layout.lies_in(fx, value, found)


def _has_batch(layout: Layout, fx: Node) -> bool:
    """True where the first axis of a reshaped tensor is the batch still, and all behind it is of known size."""
    if not layout.is_map(fx.args[0]):
        return False
    sizes, given = fx.meta["val"].shape, fx.args[0].meta["val"].shape  # type: ignore[union-attr]
    return len(sizes) > 1 and str(sizes[0]) == str(given[0]) and all(isinstance(n, int) for n in sizes[1:])


def _expanded(layout: Layout, fx: Node) -> bool:
    if not _has_batch(layout, fx):
        return False
    value, axes = layout.of(fx.args[0])  # type: ignore[arg-type]
    sizes = shape(fx)
    if len(sizes) != len(axes.own):
        return False
    if sizes == axes.shape:
        return layout.lies_in(fx, value, axes)
    pairs = zip(axes.own, axes.shape, sizes, strict=True)
    own = [parts if old == new else (Part(REPEATED, 0, new),) for parts, old, new in pairs]
    return layout.lies_in(fx, value, axes.with_own(own))


def _interleaved(layout: Layout, fx: Node) -> bool:
    """Each place of an axis so many times."""
    call = bind(fx.target, fx.args, fx.kwargs)  # type: ignore[arg-type]
    if call["dim"] is None or not layout.is_map(call["self"]):
        return False
    value, axes = layout.of(call["self"])
    dim = call["dim"] % (len(axes.own) + 1) - 1
    own = [(*parts, Part(REPEATED, 0, call["repeats"])) if d == dim else parts for d, parts in enumerate(axes.own)]
    return dim >= 0 and call["repeats"] > 1 and layout.lies_in(fx, value, axes.with_own(own))


def pointwise(layout: Layout, fx: Node) -> bool:
    """Each number by itself: the result lies as the largest of the maps does, and constants are put in its axes."""
    maps = [source for source in fx.all_input_nodes if layout.is_map(source)]
    lies = {source: layout.settled(source, fx) for source in maps}
    if not maps or all(value is source and axes.is_plain for source, (value, axes) in lies.items()):
        return bool(maps)
    full = [s for s in maps if lies[s][1].shape == shape(fx) and not lies[s][1].repeats]
    if not full:
        return False
    _, axes = lies[full[0]]
    put: dict[Node, Node] = {}
    for source in fx.all_input_nodes:
        found = _put(layout, fx, source, axes)
        if found is None:
            return False
        put[source] = found
    args, kwargs = map_arg((fx.args, fx.kwargs), lambda a: put.get(a, a))
    return layout.becomes(fx, axes, fx.target, *args, **kwargs)


def _put(layout: Layout, fx: Node, source: Node, axes: Axes) -> Node | None:
    """An input of a call in the axes of a value."""
    if source in layout.constants:
        sizes = tuple(source.meta["val"].shape)
        if prod(sizes) == 1:
            return source
        if len(sizes) > len(axes.own) + 1 or (len(sizes) > len(axes.own) and sizes[0] != 1):
            return None
        emit = Emitter(layout.graph, fx, source)
        return constant_to_base(source, sizes, axes, emit.word)
    if not layout.is_map(source):
        return source
    value, other = layout.of(source)
    found = met(axes, other)
    if found is None:
        return None
    return (
        value
        if found[1] == other.base
        else Emitter(layout.graph, fx, source)(aten.reshape.default, value, [-1, *found[1]])
    )


def _layer_norm(layout: Layout, fx: Node) -> bool:
    """Layer or RMS normalisation of each place, over channels that stand last."""
    call = bind(fx.target, fx.args, fx.kwargs)  # type: ignore[arg-type]
    value, axes = layout.ordered(call["input"], fx, -1)
    if len(call["normalized_shape"]) != 1 or axes.is_plain or len(axes.base) != 3:
        return False
    if axes.own[-1] != Axes.plain(axes.base).own[0]:
        return False
    if fx.target is aten.rms_norm.default:
        return layout.becomes(fx, axes, channel_rms_norm, value, call["weight"], call["eps"])
    return layout.becomes(fx, axes, channel_norm, value, call["weight"], call["bias"], call["eps"])


def _dense(layout: Layout, fx: Node) -> bool:
    call = bind(fx.target, fx.args, fx.kwargs)  # type: ignore[arg-type]
    matrix: Any = call.get("weight", call.get("other"))
    given: Any = call.get("input", call.get("self"))
    if matrix not in layout.constants or len(matrix.meta["val"].shape) != 2:
        return False
    value, axes = layout.settled(given, fx)
    emit = Emitter(layout.graph, fx, matrix)
    bias = call.get("bias")
    if axes.is_plain and len(axes.own) == 1 and "weight" in call:
        return False
    weight = matrix if "weight" in call else emit(aten.t.default, matrix)
    if axes.is_plain and len(axes.own) == 1:
        return layout.becomes(fx, None, aten.linear.default, value, weight, bias)
    units, last = weight.meta["val"].shape[0], axes.own[-1]
    whole = axes.of(last)
    if whole is None:
        return False
    weight = _in_order(emit, weight, last)
    if len(axes.own) == 1 and len(axes.base) > 1:
        flat = Emitter(layout.graph, fx, given)
        value = flat(aten.reshape.default, value, [-1, prod(axes.base)])
        return layout.becomes(fx, None, aten.linear.default, value, weight, bias)
    if whole != (0,) or len(axes.base) not in (1, 3):
        return False
    own = Axes((units, *axes.base[1:]), (*axes.own[:-1], (Part(0, 1, units),) if units > 1 else ()))
    if len(axes.base) == 1:
        return layout.becomes(fx, own, aten.linear.default, value, weight, bias)
    kernel = emit(aten.reshape.default, weight, [*weight.meta["val"].shape, 1, 1])
    return layout.becomes(fx, own, aten.conv2d.default, value, kernel, bias)


def _in_order(emit: Emitter, weight: Node, parts: Sequence[Part]) -> Node:
    """A matrix whose inputs come in the order of these parts, with its inputs in the order of the value."""
    real = sorted(parts, key=lambda part: (part.axis, -part.step))
    if list(parts) == real:
        return weight
    count = weight.meta["val"].shape[0]
    cut = emit(aten.reshape.default, weight, [count, *(part.size for part in parts)])
    turned = emit(aten.permute.default, cut, [0, *(1 + list(parts).index(part) for part in real)])
    return emit(aten.reshape.default, turned, list(weight.meta["val"].shape))


def _by_channel(layout: Layout, fx: Node) -> bool:
    """A call with numbers for each channel, the tensor's second axis."""
    value, axes = layout.settled(fx.args[0], fx)  # type: ignore[arg-type]
    if axes.is_plain and value is fx.args[0]:
        return True
    if axes.own[0] != Axes.plain(axes.base).own[0]:
        return False
    return layout.becomes(fx, axes, fx.target, value, *fx.args[1:], **fx.kwargs)


def _first_of(layout: Layout, fx: Node) -> bool:
    """An output of a call that was made on values."""
    source, index = fx.args
    if source in layout.lies and fx not in layout.lies:
        fx.meta["val"] = source.meta["val"][index]  # type: ignore[union-attr]
        layout.lies[fx] = (fx, layout.lies[source][1])  # type: ignore[index]
    return True


HANDLERS: dict[Any, Handler] = {
    **ALONG,
    **dict.fromkeys((aten.clone.default, aten.alias.default, aten.contiguous.default), _copied),
    **dict.fromkeys((aten.detach.default, aten.lift_fresh_copy.default), _copied),
    **dict.fromkeys((aten.permute.default, aten.transpose.int), _exchanged),
    **dict.fromkeys((aten.view.default, aten.reshape.default, aten._unsafe_view.default), _viewed),
    **dict.fromkeys((aten.unsqueeze.default, aten.flatten.using_ints), _viewed),
    **dict.fromkeys((aten.squeeze.dim, aten.squeeze.dims, aten.squeeze.default), _viewed),
    **dict.fromkeys((aten.hardswish.default, aten.log_sigmoid.default), pointwise),
    aten.expand.default: _expanded,
    aten.repeat_interleave.self_int: _interleaved,
    **dict.fromkeys((aten.layer_norm.default, aten.rms_norm.default), _layer_norm),
    **dict.fromkeys((aten.linear.default, aten.matmul.default), _dense),
    **dict.fromkeys((aten._native_batch_norm_legit_no_training.default, aten.prelu.default), _by_channel),
    operator.getitem: _first_of,
}


def handler_of(fx: Node) -> Handler | None:
    """How a call is made on values; None for one that needs the network's own tensors."""
    if fx.target in HANDLERS:
        return HANDLERS[fx.target]
    return pointwise if torch.Tag.pointwise in getattr(fx.target, "tags", ()) else None
