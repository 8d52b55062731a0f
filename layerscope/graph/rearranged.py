"""Numbers put in another order, where a call needs them so: one call of the operation table for each way that has a
name (flattening, a shuffle of channels, places laid out as channels and back, an enlargement), else of all at once."""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.fx import Graph, Node
from torch.fx.node import map_arg
from torch.utils._pytree import tree_leaves, tree_map

from layerscope.graph.axes import REPEATED, Axes, Part, to_own
from layerscope.graph.ops.channels import rearrange, shuffle

aten = torch.ops.aten
_WORDS = {"reshape": aten.reshape.default, "permute": aten.permute.default, "expand": aten.expand.default}


class Emitter:
    """Makes calls in a program's graph, in front of another. like: the call that they are in place of."""

    def __init__(self, graph: Graph, before: Node, like: Node) -> None:
        self.graph, self.before, self.like = graph, before, like

    @staticmethod
    def value(target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What a call gives while it is exported; worked out for two pictures, as some calls would fix their number."""
        known: Any = map_arg((args, kwargs), lambda fx: fx.meta["val"])
        tensors = [value for value in tree_leaves(known) if isinstance(value, Tensor)]
        like = next((t for t in tensors if t.dim() and not isinstance(t.shape[0], int)), tensors[0])
        free = like.dim() > 0 and not isinstance(like.shape[0], int)

        def given(value: Any) -> Any:
            if not isinstance(value, Tensor):
                return value
            sizes = [size if isinstance(size, int) else 2 for size in value.shape]
            return torch.empty(sizes, dtype=value.dtype, device="meta")

        def found(value: Any) -> Any:
            if not isinstance(value, Tensor):
                return value
            sizes = [like.shape[0], *value.shape[1:]] if free and value.dim() else list(value.shape)
            return like.new_empty(sizes, dtype=value.dtype)

        args, kwargs = tree_map(given, known)
        return tree_map(found, target(*args, **kwargs))

    def __call__(self, target: Any, *args: Any) -> Node:
        with self.graph.inserting_before(self.before):
            made = self.graph.call_function(target, args)
        made.meta.update(
            {key: v for key, v in self.like.meta.items() if key != "val"}, val=self.value(target, args, {})
        )
        return made

    def word(self, word: str, tensor: Node, numbers: tuple[int, ...]) -> Node:
        return self(_WORDS[word], tensor, list(numbers))


def rearranged(emit: Emitter, value: Node, axes: Axes) -> Node:
    """The tensor that lies so in a value."""
    if axes.in_order:
        return value if axes.shape == axes.base else _reshaped(emit, value, axes)
    named = _of_maps(emit, value, axes) if len(axes.base) == len(axes.own) == 3 else None
    if named is not None:
        return named
    if axes.repeats:
        return to_own(value, axes, emit.word)
    real = sorted(axes.parts, key=lambda part: (part.axis, -part.step))
    order = [real.index(part) for part in axes.parts]
    return emit(rearrange, value, [part.size for part in real], order, list(axes.shape))


def _reshaped(emit: Emitter, value: Node, axes: Axes) -> Node:
    """The network's own call where that does it, else a reshape."""
    like = emit.like
    known = like.target in (aten.view.default, aten.reshape.default) or (
        like.target is aten.unsqueeze.default and len(axes.base) == 2
    )
    if known and like.args[0] is value:
        return like
    return emit(aten.reshape.default, value, [-1, *axes.shape])


def _of_maps(emit: Emitter, value: Node, axes: Axes) -> Node | None:
    """Of a map another map, where there is a name for it."""
    channels, rows, cols = axes.own
    if axes.repeats:
        return _enlarged(emit, value, axes)
    tall, wide = (_inner(parts, axis) for parts, axis in ((rows, 1), (cols, 2)))
    if tall is not None and wide is not None and [p.axis for p in channels] == [0] * len(channels):
        if tall.size != wide.size:
            return None
        found = [*channels, *(part for part in (tall, wide) if part.size > 1)]
        value = shuffled(emit, value, found)
        return value if tall.size == 1 else emit(aten.pixel_shuffle.default, value, tall.size)
    return _unshuffled(emit, value, axes)


def _inner(parts: Sequence[Part], axis: int) -> Part | None:
    """The part of the channels that lies within each place of an axis; None where it is made otherwise."""
    own = [part for part in parts if part.axis == axis]
    if list(parts[: len(own)]) != own or len(own) > 1 or len(parts) > len(own) + 1:
        return None
    inner = parts[len(own)] if len(parts) > len(own) else Part(0, 1, 1)
    return inner if inner.axis == 0 else None


def _unshuffled(emit: Emitter, value: Node, axes: Axes) -> Node | None:
    """Places laid out as channels."""
    channels, rows, cols = axes.own
    side = axes.base[1] // max(prod(p.size for p in rows), 1)
    if side < 2:
        return None
    wanted = [[Part(axis, side, axes.base[axis] // side)] if axes.base[axis] > side else [] for axis in (1, 2)]
    if [list(rows), list(cols)] != wanted or axes.base[2] % side:
        return None
    count, square = axes.base[0], side * side
    steps = {1: side, 2: 1}
    if any(part.axis and (part.step, part.size) != (1, side) for part in channels):
        return None
    moved = [Part(0, steps[p.axis] if p.axis else p.step * square, p.size) for p in channels]
    if prod(p.size for p in moved) != count * square:
        return None
    return shuffled(emit, emit(aten.pixel_unshuffle.default, value, side), moved)


def shuffled(emit: Emitter, value: Node, parts: Sequence[Part]) -> Node:
    """Channels in the order of these parts of them."""
    real = sorted(parts, key=lambda part: -part.step)
    order = [real.index(part) for part in parts]
    if order == list(range(len(order))):
        return value
    return emit(shuffle, value, [part.size for part in real], order)


def _enlarged(emit: Emitter, value: Node, axes: Axes) -> Node | None:
    """Each place repeated: the enlargement by the nearest place. Or the channels repeated."""
    plain = Axes.plain(axes.base).own
    if axes.own[1:] == plain[1:]:
        return _repeated(emit, value, axes)
    for own, parts in zip(plain[1:], axes.own[1:], strict=True):
        if parts[: len(own)] != own or any(part.axis != REPEATED for part in parts[len(own) :]):
            return None
    if axes.own[0] != plain[0]:
        return None
    return emit(aten.upsample_nearest2d.vec, value, list(axes.shape[1:]), None)


def _repeated(emit: Emitter, value: Node, axes: Axes) -> Node | None:
    """The channels again and again, all of them or each."""
    sizes = [part.size for part in axes.own[0]]
    if len(sizes) == 1:
        return emit(aten.expand.default, value, [-1, sizes[0], -1, -1])
    own = Axes.plain(axes.base).own[0]
    if len(sizes) != 2 or axes.own[0][1:] not in (own, (Part(REPEATED, 0, sizes[1]),)):
        return None
    all_of_them = axes.own[0][1:] == own
    joined = emit(aten.cat.default, [value] * sizes[0 if all_of_them else 1], 1)
    return joined if all_of_them else emit(shuffle, joined, sizes[::-1], [1, 0])
