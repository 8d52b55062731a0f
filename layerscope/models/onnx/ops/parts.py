"""What joins maps, takes parts of them, or repeats them."""

import itertools
from functools import partial
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerscope.models.onnx.calls import OnnxCall, Unread, whole
from layerscope.models.onnx.ops.arithmetic import numbers
from layerscope.models.onnx.ops.table import Computed, OnnxOperator


def _concat(call: OnnxCall) -> Computed:
    return Computed(by=partial(joined, axis=call.attributes["axis"]), inputs=tuple(range(len(call.inputs))))


def joined(*given: Any, axis: int) -> Tensor:
    maps = [torch.as_tensor(numbers(one)) for one in given]
    count = next((one.shape[0] for one in maps if not isinstance(one.shape[0], int) or one.shape[0] != 1), 1)
    if axis % maps[0].dim() != 0:
        # A constant of one picture goes with each of a batch.
        maps = [one.expand(count, *one.shape[1:]) if isinstance(one.shape[0], int) else one for one in maps]
    return torch.cat(maps, axis)


def _split(call: OnnxCall) -> Computed:
    axis, parts = call.given("axis", 0), len(call.outputs)
    if call.opset < 13:
        return Computed(by=partial(parted, lengths=tuple(call.given("split", ())), axis=axis, parts=parts))
    by = partial(parted, axis=axis, parts=call.given("num_outputs", parts))
    return Computed(by=by, inputs=(0, 1) if call.has(1) else (0,))


def parted(x: Tensor, lengths: Any = (), *, axis: int, parts: int) -> tuple[Tensor, ...]:
    """Parts along an axis, of these lengths, or as many alike of which the last may be shorter."""
    sizes = whole(lengths)
    return torch.split(x, sizes if sizes else -(-x.shape[axis] // parts), axis)


def _slice(call: OnnxCall) -> Computed:
    if call.opset >= 10:
        return Computed(by=partial(sliced), inputs=tuple(range(len(call.inputs))))
    names = [name for name in ("starts", "ends", "axes") if name in call.attributes]
    return Computed(by=partial(sliced, **{name: tuple(call.attributes[name]) for name in names}))


def sliced(x: Tensor, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Tensor:
    """Parts along axes; backwards where the step is below zero."""
    starts, ends, steps = whole(starts), whole(ends), [1] * len(whole(starts)) if steps is None else whole(steps)
    places = [axis % x.dim() for axis in (range(len(starts)) if axes is None else whole(axes))]
    cut = [slice(None)] * x.dim()
    for axis, start, end, step in zip(places, starts, ends, steps, strict=True):
        if step > 0:
            cut[axis] = slice(start, None if isinstance(end, int) and end >= 2**31 - 1 else end, step)
            continue
        size = x.shape[axis]
        kept = list(range(size))[start : None if end < -size else end : step]
        x = x.index_select(axis, torch.tensor(kept, device=x.device))
    return x[tuple(cut)] if any(one != slice(None) for one in cut) else x


def _gather(call: OnnxCall) -> Computed:
    if isinstance(call.inputs[1], Tensor):
        raise Unread("looks its places up in the picture, where only constants are known")
    return Computed(by=partial(gathered, axis=call.given("axis", 0)), inputs=(0, 1))


def gathered(x: Tensor, at: Any, *, axis: int) -> Tensor:
    """The entries at these places of an axis, in the axes of the places."""
    axis, shape, places = axis % x.dim(), np.shape(at), whole(at)
    if not shape:
        return x.select(axis, places[0])
    steps = {after - before for before, after in itertools.pairwise(places)}
    if len(shape) == 1 and steps <= {1} and places[0] >= 0:
        return x.narrow(axis, places[0], len(places))
    size = x.shape[axis]
    found = x.index_select(axis, torch.tensor([place % size for place in places], device=x.device))
    return found.unflatten(axis, tuple(shape)) if len(shape) != 1 else found


def _strided(call: OnnxCall) -> Computed:
    return Computed(by=partial(strided), inputs=(0, 1))


def strided(x: Tensor, at: Any) -> Tensor:
    """Of each picture the numbers at these places among all of its own, in the axes of the places but the first."""
    shape, places = np.shape(at)[1:], whole(at)
    flat = x.reshape(x.shape[0], -1)
    if places != list(range(prod(x.shape[1:]))):
        flat = flat.index_select(1, torch.tensor(places, device=x.device))
    return flat.reshape(x.shape[0], *shape)


def _tile(call: OnnxCall) -> Computed:
    return Computed(by=partial(tiled), inputs=(0, 1))


def tiled(x: Tensor, times: Any) -> Tensor:
    return x.repeat(whole(times))


ROWS = (
    OnnxOperator(name="Concat", read=_concat),
    OnnxOperator(name="Split", read=_split),
    OnnxOperator(name="Slice", read=_slice),
    OnnxOperator(name="Gather", read=_gather),
    OnnxOperator(name="AsStrided", read=_strided, domains=("layerscope",)),
    OnnxOperator(name="Tile", read=_tile),
)
