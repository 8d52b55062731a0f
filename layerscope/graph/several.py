"""Spellings of calls that are several others at once, or whose several outputs are calls of their own."""

import operator
import sys
from typing import Any

import torch
from torch._ops import OpOverload
from torch.fx import Node as FxNode

from layerscope.graph.args import bind
from layerscope.graph.ops.channels import crop
from layerscope.graph.ops.resample import max_unpool2d
from layerscope.graph.rewriting import Arguments, before, rewrite

aten = torch.ops.aten


def product_added(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments]:
    """A constant, or a map, and a product."""
    product = before(fx, aten.mul.Tensor, call["tensor1"], call["tensor2"])
    return aten.add.Tensor, {"self": call["self"], "other": product, "alpha": call["value"]}


def quotient_added(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments]:
    quotient = before(fx, aten.div.Tensor, call["tensor1"], call["tensor2"])
    return aten.add.Tensor, {"self": call["self"], "other": quotient, "alpha": call["value"]}


def max_pool(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    """Where nobody reads the places of the maxima, the pool gives its maxima only."""
    if any(reader.target is not operator.getitem or reader.args[1] != 0 for reader in fx.users):
        return None
    fx.meta["val"] = fx.meta["val"][0]
    for reader in list(fx.users):
        reader.replace_all_uses_with(fx)
        fx.graph.erase_node(reader)
    return aten.max_pool2d.default, call


def taken_apart(fx: FxNode, call: Arguments) -> None:
    """Each output of a split is a slice of its own."""
    dim, length = call["dim"], call["self"].meta["val"].shape[call["dim"]]
    sizes: Any = call.get("split_sizes", call.get("split_size"))
    if isinstance(length, int) and all(reader.target is operator.getitem for reader in fx.users):
        ends = [0]
        for size in sizes if isinstance(sizes, tuple) else (sizes,) * -(-length // sizes):
            ends.append(min(ends[-1] + size, length))
        for reader in list(fx.users):
            index: Any = reader.args[1]
            reader.target, reader.args = aten.slice.Tensor, (call["self"], dim, ends[index], ends[index + 1])


def unbound(fx: FxNode, call: Arguments) -> None:
    """Each output of an unbinding is a selection of its own."""
    if all(reader.target is operator.getitem for reader in fx.users):
        for reader in list(fx.users):
            reader.target, reader.args = aten.select.int, (call["self"], call["dim"], reader.args[1])


def written_into(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    """A map of which a slice was written over: what is before the slice, what was written, what is behind it."""
    base, dim, written = call["self"], call["dim"], call["src"]
    length = base.meta["val"].shape[dim]
    if base.meta["val"].dtype != written.meta["val"].dtype:
        return None
    if fx.target is aten.select_scatter.default:
        start, end, step = call["index"], call["index"] + 1 or None, 1
        written = before(fx, aten.unsqueeze.default, written, dim)
    else:
        start, end, step = call["start"] or 0, call["end"], call["step"]
    if (start, step) == (0, 1) and (end is None or end == sys.maxsize):
        return _instead(fx, written)
    if step != 1 or not all(isinstance(number, int) for number in (length, start, end or 0)):
        return None
    start, end, _ = slice(start, end).indices(length)
    if start >= end:
        return _instead(fx, base)
    left, right = (
        [before(fx, aten.slice.Tensor, base, dim, low, high)] if low < high else []
        for low, high in ((0, start), (end, length))
    )
    if not left and not right:
        return _instead(fx, written)
    return aten.cat.default, {"tensors": [*left, written, *right], "dim": dim}


def written_over(fx: FxNode, call: Arguments) -> None:
    """A map that was written over as a whole, by one like it."""
    base, written = call["self"].meta["val"], call["src"].meta["val"]
    if base.dtype == written.dtype and base.shape == written.shape:
        _instead(fx, call["src"])


def _instead(fx: FxNode, other: FxNode) -> None:
    """Another call's value is read in place of this one's, which goes."""
    fx.replace_all_uses_with(other)
    fx.graph.erase_node(fx)


def over_a_pile(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    """The sum, the mean or the largest of maps that were laid upon each other for it, ahead of the pictures, as the
    merging of feature pyramids is written: one after the other."""
    pile, dims = call["self"], call["dim"]
    if pile.target is not aten.stack.default or list(pile.users) != [fx] or call["keepdim"] or call.get("dtype"):
        return None
    made = bind(pile.target, pile.args, pile.kwargs)
    rank = len(pile.meta["val"].shape)
    if [dim % rank for dim in dims] != [0] or made["dim"] % rank != 0 or len(made["tensors"]) < 2:
        return None
    target = aten.maximum.default if fx.target is aten.amax.default else aten.add.Tensor
    joined, *others = made["tensors"]
    *rest, last = others
    for other in rest:
        joined = before(fx, target, joined, other)
    mean = fx.target is aten.mean.dim
    joined = before(fx, target, joined, last) if mean else joined
    fx.replace_input_with(pile, joined)
    fx.graph.erase_node(pile)
    if mean:
        return aten.div.Tensor, {"self": joined, "other": 1 + len(others)}
    return target, {"self": joined, "other": last, **({} if target is aten.maximum.default else {"alpha": 1})}


def gated(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments]:
    """GLU: the first half of the channels, gated by the second."""
    dim, half = call["dim"], fx.meta["val"].shape[call["dim"]]
    own = before(fx, aten.slice.Tensor, call["self"], dim, 0, half)
    other = before(fx, aten.sigmoid.default, before(fx, aten.slice.Tensor, call["self"], dim, half, 2 * half))
    return aten.mul.Tensor, {"self": own, "other": other}


def repeated(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    """A map again and again along one axis: the map side by side with itself."""
    times, count = call["repeats"], len(fx.meta["val"].shape)
    axes = [axis for axis, number in enumerate(times) if number != 1]
    if len(times) != count or len(call["self"].meta["val"].shape) != count or len(axes) != 1:
        return None
    return aten.cat.default, {"tensors": [call["self"]] * times[axes[0]], "dim": axes[0]}


def resized(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    """To a size, where the factor says the same; every so-many-th place, where that is what the nearest are."""
    new, old = fx.meta["val"].shape[2:], call["input"].meta["val"].shape[2:]
    factors = call["scale_factors"]
    if len(old) != 2 or not all(isinstance(size, int) for size in (*new, *old)):
        return None
    if factors is not None and any(n != o * f for n, o, f in zip(new, old, factors, strict=True)):
        return None
    steps = [o // n for o, n in zip(old, new, strict=True)]
    if fx.target is aten.upsample_nearest2d.vec and all(o == n * s for o, n, s in zip(old, new, steps, strict=True)):
        return crop, {"input": call["input"], "offset": [0, 0], "extent": list(new), "step": steps}
    return fx.target, {**call, "output_size": list(new), "scale_factors": None}  # type: ignore[return-value]


def unpooled(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    """Pooling undone: the places of the maxima are found again in the map that was pooled."""
    places, pool = call["indices"], call["indices"].all_input_nodes[0]
    if places.target is not operator.getitem or pool.target is not aten.max_pool2d_with_indices.default:
        return None
    pooling = bind(pool.target, pool.args, pool.kwargs)
    pairs = {key: list(_as_tuple(pooling[key])) for key in ("kernel_size", "stride", "padding", "dilation")}
    pairs = {key: value * 2 if len(value) == 1 else value for key, value in pairs.items()}
    given = {"pooled": pooling["self"], **pairs, "ceil_mode": pooling["ceil_mode"]}
    if list(places.users) == [fx]:
        fx.replace_input_with(places, pooling["self"])
        fx.graph.erase_node(places)
        rewrite(pool, max_pool)
    return max_unpool2d, {"input": fx.args[0], **given, "output_size": list(call["output_size"])}


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
