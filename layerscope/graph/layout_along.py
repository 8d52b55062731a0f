"""How calls along axes are made on values that are channels first (`graph/layout.py`): reductions, pieces, joins.

Each axis of the network's tensor is found among those of the value; of a piece of the channels (a branch, a group) it
is a slice of them.
"""

from typing import Any

import torch
from torch.fx import Node

from layerscope.graph.args import bind
from layerscope.graph.axes import REPEATED, Axes, Part
from layerscope.graph.layout import Handler, Layout, nodes_in, shape
from layerscope.graph.layout_borders import axis_of, flipped, padded
from layerscope.graph.ops.channels import crop
from layerscope.graph.ops.reduce import branch_max, branch_softmax
from layerscope.graph.rearranged import Emitter

aten = torch.ops.aten


def _reduced(layout: Layout, fx: Node) -> bool:
    """Means, sums, maxima, norms, deviations over axes: over the same axes of the value, which stay, one long."""
    call = bind(fx.target, fx.args, fx.kwargs)  # type: ignore[arg-type]
    value, axes = layout.settled(call["self"], fx)
    given = call["dim"]
    count = len(axes.own) + 1
    dims = [axis_of(d, count) for d in ((given,) if isinstance(given, int) else given or ())]
    if not dims or -1 in dims or len(axes.base) != 3:
        return False
    keeps = call["keepdim"]
    if axes.is_plain and value is call["self"] and (keeps or len(dims) > 1):
        return False
    whole = axes.of([part for d in dims for part in axes.own[d]])
    if whole is None:
        return len(dims) == 1 and _over_pieces(layout, fx, value, axes, dims[0], keeps=keeps)
    base = tuple(1 if axis in whole else size for axis, size in enumerate(axes.base))
    own = [() if d in dims else parts for d, parts in enumerate(axes.own) if keeps or d not in dims]
    found = Axes(base, tuple(own))
    if not whole:
        return fx.target is not aten.max.dim and layout.lies_in(fx, value, found)
    flat = not keeps and set(whole) == {1, 2} and len(found.own) == 1
    args = {**call, "self": value, "dim": [axis + 1 for axis in whole], "keepdim": not flat}
    if isinstance(given, int):
        if len(whole) != 1:
            return False
        args["dim"] = whole[0] + 1
    found = Axes(base[:1], found.own) if flat else found
    return layout.becomes(fx, found, fx.target, **_schema(fx, args))


# What sums over a piece of the channels are of two of their slices.
_OF_TWO = {
    aten.sum.dim_IntList: aten.add.Tensor,
    aten.mean.dim: aten.add.Tensor,
    aten.amax.default: aten.maximum.default,
}
_OF_TWO[aten.max.dim] = aten.maximum.default


def _over_pieces(layout: Layout, fx: Node, value: Node, axes: Axes, dim: int, *, keeps: bool) -> bool:
    """A sum or maximum over groups of channels, or over branches."""
    if fx.target not in _OF_TWO or len(axes.own[dim]) != 1 or axes.own[dim][0].axis != 0:
        return False
    if fx.target in (aten.amax.default, aten.max.dim):
        return _largest(layout, fx, value, axes, dim, keeps=keeps)
    of_two = _OF_TWO[fx.target]  # type: ignore[index]
    (part,) = axes.own[dim]
    emit = Emitter(layout.graph, fx, fx)
    cuts = [_piece(axes, dim, range(index, index + 1), keeps=keeps) for index in range(part.size)]
    if None in cuts:
        return False
    lies, bounds = zip(*(cut for cut in cuts if cut), strict=True)
    pieces = [emit(aten.slice.Tensor, value, 1, *bound) for bound in bounds]
    total = pieces[0]
    for piece in pieces[1:]:
        total = emit(of_two, total, piece)
    if fx.target is aten.mean.dim:
        total = emit(aten.mul.Tensor, total, 1 / part.size)
    return layout.lies_in(fx, total, lies[0])


def _largest(layout: Layout, fx: Node, value: Node, axes: Axes, dim: int, *, keeps: bool) -> bool:
    first = fx.target is aten.max.dim
    if first and any(user.args[1] != 0 for user in fx.users):
        return False
    ((_, inner, count),) = axes.own[dim]

    def left(parts: tuple[Part, ...]) -> list[Part]:
        return [p._replace(step=p.step // count) if p.axis == 0 and p.step > inner else p for p in parts]

    base = (axes.base[0] // count, *axes.base[1:])
    own = [left(parts) if d != dim else [] for d, parts in enumerate(axes.own) if d != dim or keeps]
    found = Axes(base, ()).with_own(own)
    outer = axes.base[0] // (count * inner)
    total = Emitter(layout.graph, fx, fx)(branch_max, value, outer, count, inner, first)
    for user in list(fx.users) if first else ():
        layout.lies_in(user, total, found)
    return layout.lies_in(fx, total, found)


def _schema(fx: Node, args: dict[str, Any]) -> dict[str, Any]:
    return {argument.name: args[argument.name] for argument in fx.target._schema.arguments if argument.name in args}  # type: ignore[union-attr]


def _along(layout: Layout, fx: Node) -> bool:
    """A call along one axis that keeps its length: softmax."""
    call = bind(fx.target, fx.args, fx.kwargs)  # type: ignore[arg-type]
    value, axes = layout.settled(call["self"], fx)
    if axes.is_plain and value is call["self"]:
        return True
    dim = axis_of(call["dim"], len(axes.own) + 1)
    whole = axes.of(axes.own[dim]) if dim >= 0 else None
    branches = dim >= 0 and fx.target is aten.softmax.int and [part.axis for part in axes.own[dim]] == [0]
    if whole is None and branches:
        ((_, inner, count),) = axes.own[dim]
        return layout.becomes(fx, axes, branch_softmax, value, axes.base[0] // (inner * count), count, inner)
    if whole is None or len(whole) != 1:
        return False
    return layout.becomes(fx, axes, fx.target, **_schema(fx, {**call, "self": value, "dim": whole[0] + 1}))


def _sliced(layout: Layout, fx: Node) -> bool:
    """Every so-many-th of an axis, or of the outer of its parts."""
    call = bind(fx.target, fx.args, fx.kwargs)  # type: ignore[arg-type]
    value, axes = layout.settled(call["self"], fx)
    dim = axis_of(call["dim"], len(axes.own) + 1)
    if dim < 0:
        full = call["start"] in (None, 0) and call["end"] in (None, 2**63 - 1) and call["step"] == 1
        return full and layout.lies_in(fx, value, axes)
    start, end, step = slice(call["start"], call["end"], call["step"]).indices(axes.shape[dim])
    if (start, end, step) == (0, axes.shape[dim], 1):
        return layout.lies_in(fx, value, axes)
    plain = axes.is_plain and value is call["self"]
    if plain and (dim == 0 or len(axes.base) != 3):
        return True
    return _cut(layout, fx, value, axes, dim, range(start, end, step), keeps=True)


def _selected(layout: Layout, fx: Node) -> bool:
    call = bind(fx.target, fx.args, fx.kwargs)  # type: ignore[arg-type]
    value, axes = layout.settled(call["self"], fx)
    dim = axis_of(call["dim"], len(axes.own) + 1)
    if dim < 0 or (axes.is_plain and value is call["self"] and dim == 0 and len(axes.base) == 3):
        return dim == 0
    if axes.shape[dim] == 1:
        return layout.lies_in(fx, value, axes.with_own([p for d, p in enumerate(axes.own) if d != dim]))
    index = call["index"] % axes.shape[dim]
    return _cut(layout, fx, value, axes, dim, range(index, index + 1), keeps=False)


def _piece(axes: Axes, dim: int, taken: range, *, keeps: bool) -> tuple[Axes, tuple[int, int, int]] | None:
    """How a piece of one axis of a tensor lies in a slice of one axis of its value, and start, end, step of that."""
    if len(axes.own[dim]) != 1 or len(axes.base) not in (1, 3) or not len(taken):
        return None
    (part,) = axes.own[dim]
    length, count = axes.base[part.axis], len(taken)
    if part.axis == REPEATED:
        return None
    thinned = 1
    if part.size == length:
        new, bounds = Part(part.axis, 1, count), (taken.start, taken[-1] + 1, taken.step)
    elif part.step * part.size == length and taken.step == 1:
        new, bounds = part._replace(size=count), (taken.start * part.step, taken.stop * part.step, 1)
    elif part.step == 1 and count == 1:
        new, bounds, thinned = part, (taken.start, length, part.size), part.size
    else:
        return None
    base = tuple(len(range(*bounds)) if axis == part.axis else n for axis, n in enumerate(axes.base))
    own = []
    for place, parts in enumerate(axes.own):
        if place != dim:
            own.append(tuple(p._replace(step=p.step // thinned) if p.axis == part.axis else p for p in parts))
        elif keeps:
            own.append((new,) if count > 1 else ())
    return Axes(base, ()).with_own(own), bounds


def _cut(layout: Layout, fx: Node, value: Node, axes: Axes, dim: int, taken: range, *, keeps: bool) -> bool:
    """A piece of one axis of a tensor, where that is a slice of one axis of its value."""
    found = _piece(axes, dim, taken, keeps=keeps)
    if found is None:
        return False
    lie, bounds = found
    (axis,) = {part.axis for part in axes.own[dim]}
    if axis == 0:
        return layout.becomes(fx, lie, aten.slice.Tensor, value, 1, *bounds)
    offset, step = ([bounds[i] if place == axis else i // 2 for place in (1, 2)] for i in (0, 2))
    return layout.becomes(fx, lie, crop, value, offset, list(lie.base[1:]), step)


def _listed(layout: Layout, fx: Node) -> bool:
    """Channels chosen by a list."""
    source, indices = fx.args[0], list(fx.args[1])  # type: ignore[arg-type]
    if not layout.is_map(source) or not indices or any(i is not None for i in indices[:-1]):
        return False
    dim, listed = len(indices) - 2, indices[-1]
    if listed not in layout.constants or listed.meta["val"].dim() != 1 or dim < 0:
        return False
    value, axes = layout.ordered(source, fx, dim)  # type: ignore[arg-type]
    whole = axes.of(axes.own[dim])
    if whole != (0,) or len(axes.own[dim]) != 1 or listed.meta["val"].dtype != torch.int64:
        return False
    count = len(listed.meta["val"])
    own = [(Part(0, 1, count),) if place == dim else parts for place, parts in enumerate(axes.own)]
    found = Axes((count, *axes.base[1:]), ()).with_own(own)
    return layout.becomes(fx, found, aten.index_select.default, value, 1, listed)


def _joined(layout: Layout, fx: Node) -> bool:
    """Tensors side by side along an axis, or along a new one: their values along one of theirs."""
    call = bind(fx.target, fx.args, fx.kwargs)  # type: ignore[arg-type]
    tensors, new = nodes_in(call["tensors"]), fx.target is aten.stack.default
    if not all(layout.is_map(t) for t in tensors):
        return False
    lies = [layout.settled(t, fx) for t in tensors]
    if not new and all(v is t and a.is_plain for t, (v, a) in zip(tensors, lies, strict=True)):
        return True
    axes = lies[0][1]
    if len(axes.base) not in ((1, 2, 3) if new else (1, 3)) or any(len(a.own) != len(axes.own) for _, a in lies):
        return False
    dim = axis_of(call["dim"], len(axes.own) + (2 if new else 1))
    if dim < 0:
        return False
    if new:
        if any(a != axes for _, a in lies):
            lies = [(layout.own(t, fx), Axes.plain(shape(t))) for t in tensors]
        return _stacked(layout, fx, lies, lies[0][1], dim)
    lies = [layout.ordered(t, fx, dim) for t in tensors]
    if any(len(a.own[dim]) > 1 for _, a in lies):
        return False
    whole = {a.of(a.own[dim]) for _, a in lies}
    (along,) = whole if len(whole) == 1 else (None,)
    if along is None or len(along) != 1 or any(_others(a, dim) != _others(axes, dim) for _, a in lies):
        return False
    (axis,) = along
    size = sum(a.base[axis] for _, a in lies)
    base = tuple(size if i == axis else n for i, n in enumerate(axes.base))
    own = tuple((Part(axis, 1, size),) if place == dim else parts for place, parts in enumerate(axes.own))
    return layout.becomes(fx, Axes(base, own), aten.cat.default, [v for v, _ in lies], axis + 1)


def _others(axes: Axes, dim: int) -> tuple[Any, ...]:
    own = tuple(parts for place, parts in enumerate(axes.own) if place != dim)
    return own, tuple(n for axis, n in enumerate(axes.base) if all(p.axis != axis for p in axes.own[dim]))


def _stacked(layout: Layout, fx: Node, lies: list[tuple[Node, Axes]], axes: Axes, dim: int) -> bool:
    if len(axes.base) == 2:  # channels that were taken out, one by one
        if not axes.is_plain or dim:
            return False
        emit = Emitter(layout.graph, fx, fx)
        return layout.becomes(fx, None, aten.cat.default, [emit(aten.unsqueeze.default, v, 1) for v, _ in lies], 1)
    count, channels = len(lies), axes.base[0]
    base = (count * channels, *axes.base[1:])
    own = list(axes.own)
    own.insert(dim, (Part(0, channels, count),))
    return layout.becomes(fx, Axes(base, ()).with_own(own), aten.cat.default, [v for v, _ in lies], 1)


ALONG: dict[Any, Handler] = {
    **dict.fromkeys((aten.mean.dim, aten.sum.dim_IntList, aten.amax.default, aten.max.dim), _reduced),
    **dict.fromkeys((aten.linalg_vector_norm.default, aten.var.correction, aten.var.dim), _reduced),
    **dict.fromkeys((aten.std.correction, aten.std.dim), _reduced),
    **dict.fromkeys((aten.softmax.int, aten.log_softmax.int), _along),
    **dict.fromkeys((aten.flip.default, aten.roll.default), flipped),
    aten.pad.default: padded,
    aten.slice.Tensor: _sliced,
    aten.select.int: _selected,
    aten.index.Tensor: _listed,
    **dict.fromkeys((aten.cat.default, aten.stack.default), _joined),
}
