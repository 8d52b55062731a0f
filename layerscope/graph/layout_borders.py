"""Turning maps about and padding them along their axes, on values that are channels first (`graph/layout.py`)."""

import torch
from torch.fx import Node

from layerscope.graph.axes import Axes
from layerscope.graph.layout import Layout

aten = torch.ops.aten


def axis_of(place: int, count: int) -> int:
    """An axis of a tensor of so many, counted without the batch; -1 for the batch itself."""
    return place % count - 1


def flipped(layout: Layout, fx: Node) -> bool:
    """Turned over, or moved on."""
    value, axes = layout.settled(fx.args[0], fx)  # type: ignore[arg-type]
    dims = fx.args[-1]
    if axes.is_plain and value is fx.args[0]:
        return True
    places = [axis_of(d, len(axes.own) + 1) for d in dims]  # type: ignore[union-attr]
    for place in places if fx.target is aten.roll.default else ():
        # In any order of its digits the channels turned over are the value's turned over; not so moved on.
        value, axes = layout.ordered(fx.args[0], fx, place)  # type: ignore[arg-type]
        if place < 0 or len(axes.own[place]) > 1:
            return False
    whole = [axes.of(axes.own[d]) if d >= 0 else None for d in places]
    if any(w is None or len(w) != 1 for w in whole):
        return False
    mapped = [w[0] + 1 for w in whole if w]
    return layout.becomes(fx, axes, fx.target, value, *fx.args[1:-1], mapped)


def padded(layout: Layout, fx: Node) -> bool:
    value, axes = layout.settled(fx.args[0], fx)  # type: ignore[arg-type]
    if axes.is_plain and value is fx.args[0]:
        return True
    amounts: list[int] = list(fx.args[1])  # type: ignore[arg-type]
    by_axis: dict[int, tuple[int, int]] = {}
    for place in range(len(amounts) // 2):
        before, after = amounts[2 * place : 2 * place + 2]
        if (before, after) == (0, 0):
            continue
        own = axes.own[-1 - place] if place < len(axes.own) else ()
        whole = axes.of(own)
        if whole is None or len(whole) != 1:
            return False
        by_axis[whole[0]] = before, after
    if not axes.permutes:
        return False
    base = tuple(size + sum(by_axis.get(axis, (0, 0))) for axis, size in enumerate(axes.base))
    plain = Axes.plain(base).own
    own_axes = [plain[parts[0].axis] if parts else () for parts in axes.own]
    behind = [by_axis.get(axis, (0, 0)) for axis in reversed(range(min(by_axis, default=2), len(base)))]
    flat = [n for pair in behind for n in pair]
    return layout.becomes(fx, Axes(base, tuple(own_axes)), fx.target, value, flat, *fx.args[2:], **fx.kwargs)
