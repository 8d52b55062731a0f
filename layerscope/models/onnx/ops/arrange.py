"""What moves numbers and changes none: shapes, axes, parts, margins."""

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from layerscope.models.onnx.calls import OnnxCall, Unread, one, whole
from layerscope.models.onnx.ops.arithmetic import numbers
from layerscope.models.onnx.ops.table import Computed, OnnxOperator

_FLOATS = (1, 10, 11, 16)
_TYPES = {2: torch.uint8, 3: torch.int8, 5: torch.int16, 6: torch.int32, 7: torch.int64, 9: torch.bool}


def _handed_on(call: OnnxCall) -> Computed:
    return Computed(by=None)


def _dropout(call: OnnxCall) -> Computed:
    if any(call.outputs[1:]):
        raise Unread("gives the mask of its dropout, which there is only while training")
    training = call.constant(2, "mode")
    if training is not None and bool(one(training)):
        raise Unread("drops numbers at random, as while training: export the network in evaluation mode")
    return Computed(by=None)


def _cast(call: OnnxCall) -> Computed:
    to, x = call.attributes["to"], call.inputs[0]
    if to in _FLOATS:
        floating = isinstance(x, Tensor) and x.is_floating_point()
        return Computed(by=None if floating else partial(as_float))
    if to not in _TYPES:
        raise Unread(f"casts to the type {to}, which torch has not")
    return Computed(by=partial(as_type, name=str(_TYPES[to]).removeprefix("torch.")))


def as_float(x: Any) -> Tensor:
    return torch.as_tensor(numbers(x)).to(torch.float32)


def as_type(x: Any, *, name: str) -> Tensor:
    return torch.as_tensor(numbers(x)).to(getattr(torch, name))


def _reshape(call: OnnxCall) -> Computed:
    zeros = bool(call.given("allowzero", 0))
    return Computed(by=partial(reshaped, zeros=zeros, batch=call.batch), inputs=(0, 1))


def reshaped(x: Tensor, shape: Any, *, zeros: bool, batch: int | None) -> Tensor:
    """Other axes for the same numbers. zeros: a 0 is a size; else it stands for the input's. batch: of the file."""
    sizes = whole(shape)
    if not zeros:
        sizes = [x.shape[place] if size == 0 else size for place, size in enumerate(sizes)]
    return x.reshape(_freed(x, sizes, batch) if batch is not None and sizes and x.dim() else sizes)


def _freed(x: Tensor, sizes: list[Any], batch: int) -> list[Any]:
    """Sizes for any number of pictures, where the file says those of its own number. Raises Unread."""
    first, rest = sizes[0], sizes[1:]
    a_picture, wanted = prod(x.shape[1:]), prod(rest)
    own = type(first) is type(x.shape[0]) and first == x.shape[0]
    if own or not all(isinstance(size, int) for size in sizes):
        return sizes
    divided = -1 in rest and first == batch and a_picture % wanted == 0
    if divided or (first in (-1, batch) and -1 not in rest and a_picture == wanted):
        return [x.shape[0], *rest]
    raise Unread(f"makes a map of {list(x.shape[1:])} one of {sizes}, which holds for a batch of {batch} only")


def _flatten(call: OnnxCall) -> Computed:
    axis = call.given("axis", 1)
    if axis % call.rank() == 1:
        return Computed(by=nn.Flatten())
    return Computed(by=partial(flattened, axis=axis % call.rank() if axis != call.rank() else axis))


def flattened(x: Tensor, *, axis: int) -> Tensor:
    """Two axes: all before this one, and the rest."""
    return x.reshape(prod(x.shape[:axis]), -1)


def _transpose(call: OnnxCall) -> Computed:
    axes = call.given("perm") or list(range(call.rank()))[::-1]
    return Computed(by=partial(permuted, axes=tuple(axes)))


def permuted(x: Tensor, *, axes: Sequence[int]) -> Tensor:
    return x.permute(*axes)


def _squeeze(call: OnnxCall) -> Computed:
    axes = call.axes(1, 13)
    if axes is None:
        axes = [axis for axis, size in enumerate(call.shape()) if size == 1 and axis > 0]
        if call.batch == 1:
            raise Unread("drops every axis of one entry, the pictures of a batch of 1 among them")
    places = sorted((axis % call.rank() for axis in axes), reverse=True)
    if places and places[-1] == 0 and call.shape()[0] != 1:
        raise Unread("drops the axis of the pictures, which holds for a batch of 1 only")
    return Computed(by=partial(squeezed, axes=tuple(places)))


def squeezed(x: Tensor, *, axes: Sequence[int]) -> Tensor:
    """Without these axes of one entry, the last first."""
    for axis in axes:
        x = x.squeeze(axis)
    return x


def _unsqueeze(call: OnnxCall) -> Computed:
    axes = call.axes(1, 13) or []
    rank = call.rank() + len(axes)
    return Computed(by=partial(unsqueezed, axes=tuple(sorted(axis % rank for axis in axes))))


def unsqueezed(x: Tensor, *, axes: Sequence[int]) -> Tensor:
    """With these axes of one entry more, the first first."""
    for axis in axes:
        x = x.unsqueeze(axis)
    return x


def _expand(call: OnnxCall) -> Computed:
    return Computed(by=partial(expanded), inputs=(0, 1))


def expanded(x: Any, shape: Any) -> Tensor:
    """As many alike as make this shape, in either direction."""
    x = torch.as_tensor(numbers(x))
    sizes = whole(shape)
    rank = max(x.dim(), len(sizes))
    own, wanted = [1] * (rank - x.dim()) + list(x.shape), [1] * (rank - len(sizes)) + sizes
    return x.expand([a if b == 1 else b for a, b in zip(own, wanted, strict=True)])


_MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


def _pad(call: OnnxCall) -> Computed:
    mode = call.given("mode", "constant")
    if mode not in _MODES:
        raise Unread(f'has the mode "{mode}", which means nothing')
    by = partial(padded, mode=_MODES[mode])
    if call.opset >= 11:
        return Computed(by=by, inputs=tuple(range(len(call.inputs))))
    sizes = tuple(call.given("pads", call.given("paddings", ())))
    return Computed(by=partial(by, pads=sizes, value=call.given("value", 0.0)))


def padded(x: Tensor, pads: Any, value: Any = None, axes: Any = None, *, mode: str) -> Tensor:
    """Margins around axes: all beginnings, then all ends."""
    sizes, places = whole(pads), range(x.dim()) if axes is None else [axis % x.dim() for axis in whole(axes)]
    sides = [(0, 0)] * x.dim()
    for place, axis in enumerate(places):
        sides[axis] = (sizes[place], sizes[place + len(places)])
    if not any(map(any, sides)):
        return x
    if any(sides[0]):
        raise Unread("puts pictures before or behind those of the batch")
    # torch mirrors and repeats height and width together; a constant stands around as many axes as need be.
    first = next(axis for axis, side in enumerate(sides) if any(side))
    first = first if mode == "constant" else min(first, 2)
    flat = [size for side in reversed(sides[first:]) for size in side]
    if mode == "constant":
        return F.pad(x, flat, value=0.0 if value is None else float(one(value)))
    return F.pad(x, flat, mode=mode)


def _depth_to_space(call: OnnxCall) -> Computed:
    side = call.attributes["blocksize"]
    if call.given("mode", "DCR") == "CRD":
        return Computed(by=nn.PixelShuffle(side))
    return Computed(by=partial(depth_first, side=side))


def depth_first(x: Tensor, *, side: int) -> Tensor:
    """Channels as squares of positions; those of one square lie a whole map of channels apart."""
    n, c, h, w = x.shape
    apart = x.reshape(n, side, side, c // side**2, h, w).permute(0, 3, 4, 1, 5, 2)
    return apart.reshape(n, c // side**2, h * side, w * side)


def _space_to_depth(call: OnnxCall) -> Computed:
    return Computed(by=partial(space_first, side=call.attributes["blocksize"]))


def space_first(x: Tensor, *, side: int) -> Tensor:
    """Squares of positions as channels; those of one square lie a whole map of channels apart."""
    n, c, h, w = x.shape
    apart = x.reshape(n, c, h // side, side, w // side, side).permute(0, 3, 5, 1, 2, 4)
    return apart.reshape(n, c * side**2, h // side, w // side)


ROWS = (
    OnnxOperator(name="Identity", read=_handed_on),
    OnnxOperator(name="Dropout", read=_dropout),
    OnnxOperator(name="Cast", read=_cast),
    OnnxOperator(name="Reshape", read=_reshape),
    OnnxOperator(name="Flatten", read=_flatten),
    OnnxOperator(name="Transpose", read=_transpose),
    OnnxOperator(name="Squeeze", read=_squeeze),
    OnnxOperator(name="Unsqueeze", read=_unsqueeze),
    OnnxOperator(name="Expand", read=_expand),
    OnnxOperator(name="Pad", read=_pad),
    OnnxOperator(name="DepthToSpace", read=_depth_to_space),
    OnnxOperator(name="SpaceToDepth", read=_space_to_depth),
)
