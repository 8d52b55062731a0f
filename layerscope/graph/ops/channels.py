"""Channels and places in another order: pieces taken out, shuffled, laid side by side; no number is changed."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.core.geometry import IDENTITY, Field, Window
from layerscope.graph.ops.calls import Call, Declined, NodeInput, Sample
from layerscope.graph.ops.rules import adjoint
from layerscope.graph.ops.table import Op, everything, pointwise, unchanged

aten = torch.ops.aten


def _shuffled(x: Tensor, parts: Sequence[int], order: Sequence[int]) -> Tensor:
    cut = x.reshape(x.shape[0], *parts, *x.shape[2:])
    behind = range(1 + len(parts), cut.dim())
    return cut.permute(0, *(1 + part for part in order), *behind).reshape(x.shape)


def _rearranged(x: Tensor, parts: Sequence[int], order: Sequence[int], shape: Sequence[int]) -> Tensor:
    cut = x.reshape(x.shape[0], *parts)
    return cut.permute(0, *(1 + part for part in order)).reshape(x.shape[0], *shape)


def _taken(offset: Sequence[int], extent: Sequence[int], step: Sequence[int]) -> Iterator[slice]:
    for start, count, stride in zip(offset, extent, step, strict=True):
        yield slice(start, start + (count - 1) * stride + 1, stride)


def _cropped(x: Tensor, offset: Sequence[int], extent: Sequence[int], step: Sequence[int]) -> Tensor:
    return x[..., *_taken(offset, extent, step)].clone()


# ATen has calls for pieces of these; tracing puts them together under these names. Sizes are those of one picture.
_library = torch.library.Library("layerscope", "FRAGMENT")
_library.define("shuffle(Tensor input, int[] parts, int[] order) -> Tensor")
_library.impl("shuffle", _shuffled, "CompositeImplicitAutograd")
_library.define("rearrange(Tensor input, int[] parts, int[] order, int[] sizes) -> Tensor")
_library.impl("rearrange", _rearranged, "CompositeImplicitAutograd")
_library.define("crop(Tensor input, int[] offset, int[] extent, int[] step) -> Tensor")
_library.impl("crop", _cropped, "CompositeImplicitAutograd")
shuffle = torch.ops.layerscope.shuffle.default
rearrange = torch.ops.layerscope.rearrange.default
crop = torch.ops.layerscope.crop.default


def _undone(order: Sequence[int]) -> list[int]:
    return [list(order).index(place) for place in range(len(order))]


def _in_place_of(sizes: Sequence[int], order: Sequence[int]) -> list[int]:
    return [sizes[place] for place in order]


def _channels(call: Call) -> tuple[Field, ...]:
    """Of what treats every place alike."""
    if len(call.inputs[0]) > 1 and call.inputs[0][-2:] != call.shape[-2:]:
        raise Declined(f"makes {list(call.shape)} of {list(call.inputs[0])}")
    return tuple(Field(rows=IDENTITY, cols=IDENTITY) for _ in call.inputs)


def _shuffle_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    parts, order = call["parts"], call["order"]
    return (_shuffled(signal, _in_place_of(parts, order), _undone(order)),)


def _grouped_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (aten.channel_shuffle(signal, signal.shape[1] // call["groups"]),)


def _rearrange_window(call: Call) -> tuple[Field, ...]:
    note = "" if len(call.shape) == 1 else "a call before it exchanges rows, columns and channels"
    return everything(call, note)


def _rearrange_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    parts, order = call["parts"], call["order"]
    return (_rearranged(signal, _in_place_of(parts, order), _undone(order), call.inputs[0]),)


def _crop_window(call: Call) -> tuple[Field, ...]:
    rows, cols = (Window(size=1, step=s, start=o) for s, o in zip(call["step"], call["offset"], strict=True))
    return (Field(rows=rows, cols=cols),)


def _crop_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    back = signal.new_zeros((signal.shape[0], *call.inputs[0]))
    back[..., *_taken(call["offset"], signal.shape[-2:], call["step"])] = signal
    return (back,)


def _slice_window(call: Call) -> tuple[Field, ...]:
    if call["dim"] != 1:
        raise Declined(f"takes a piece of axis {call['dim']} of {list(call.inputs[0])}")
    return _channels(call)


def _slice_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    back = signal.new_zeros((signal.shape[0], *call.inputs[0]))
    back[:, call["start"] : call["end"] : call["step"]] = signal
    return (back,)


def _index_window(call: Call) -> tuple[Field, ...]:
    if call["dim"] != 1:
        raise Declined(f"chooses along axis {call['dim']} of {list(call.inputs[0])}")
    return _channels(call)


def _index_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    back = signal.new_zeros((signal.shape[0], *call.inputs[0]))
    return (back.index_add(1, call["index"], signal),)


def _spread_window(call: Call) -> tuple[Field, ...]:
    if call.inputs[0][0] != 1 or call.inputs[0][1:] != call.shape[1:]:
        raise Declined(f"repeats {list(call.inputs[0])} to {list(call.shape)}; only one channel can be repeated")
    return _channels(call)


def _moving(note: str) -> Callable[[Call], tuple[Field, ...]]:
    """The window of what moves channels, or places, to others of the same map."""

    def window(call: Call) -> tuple[Field, ...]:
        axes = {axis % (len(call.shape) + 1) for axis in call["dims"]}
        if 0 in axes or not axes:
            raise Declined("moves numbers from one picture of a batch to another")
        return pointwise(call) if axes == {1} else everything(call, note)

    return window


def _laid_out(size: Fraction | int) -> Field:
    window = Window(size=size, step=size, start=0)
    return Field(rows=window, cols=window)


def _maps(channels: int = 6, rows: int = 5, cols: int = 4) -> Tensor:
    count = 2 * channels * rows * cols
    return torch.linspace(-3, 9, count, dtype=torch.float64).sin().reshape(2, channels, rows, cols)


def _shuffle_samples() -> Iterator[Sample]:
    yield Sample(shuffle, (_maps(12),), (NodeInput(0), (2, 3, 2), (2, 0, 1)))
    yield Sample(aten.channel_shuffle.default, (_maps(),), (NodeInput(0), 3))


def _rearrange_samples() -> Iterator[Sample]:
    yield Sample(rearrange, (_maps(2, 3, 4),), (NodeInput(0), (2, 3, 4), (1, 2, 0), (24,)))
    yield Sample(rearrange, (_maps(2, 3, 4),), (NodeInput(0), (2, 3, 4), (0, 2, 1), (2, 4, 3)))


def _crop_samples() -> Iterator[Sample]:
    yield Sample(crop, (_maps(2, 7, 6),), (NodeInput(0), (1, 0), (3, 6), (2, 1)))
    yield Sample(crop, (_maps(2, 7, 6),), (NodeInput(0), (2, 1), (4, 3), (1, 2)))


def _slice_samples() -> Iterator[Sample]:
    yield Sample(aten.slice.Tensor, (_maps(),), (NodeInput(0), 1, 1, 4, 1))
    yield Sample(aten.slice.Tensor, (_maps(),), (NodeInput(0), 1, 0, 2**63 - 1, 2))
    yield Sample(aten.slice.Tensor, (_maps()[..., 0, 0],), (NodeInput(0), 1, 2, 6, 1))


def _index_samples() -> Iterator[Sample]:
    yield Sample(aten.index_select.default, (_maps(),), (NodeInput(0), 1, torch.tensor([4, 0, 0, 5])))


def _flip_samples() -> Iterator[Sample]:
    yield Sample(aten.flip.default, (_maps(),), (NodeInput(0), (1,)))
    yield Sample(aten.flip.default, (_maps(),), (NodeInput(0), (3,)))


def _roll_samples() -> Iterator[Sample]:
    yield Sample(aten.roll.default, (_maps(),), (NodeInput(0), (2,), (1,)))
    yield Sample(aten.roll.default, (_maps(),), (NodeInput(0), (1, 2), (2, 3)))


def _spread_samples() -> Iterator[Sample]:
    yield Sample(aten.expand.default, (_maps(1),), (NodeInput(0), (-1, 3, -1, -1)))


ROWS = (
    Op(
        name="shuffle",
        sentence="channels in another order, by groups",
        targets=(shuffle, aten.channel_shuffle.default),
        window=_channels,
        samples=_shuffle_samples,
        linear=True,
        range=unchanged,
        gradient=adjoint(lambda s, call: (_grouped_back if "groups" in call.args else _shuffle_back)(s, call)),
    ),
    Op(
        name="slice",
        sentence="some of the channels taken out",
        targets=(aten.slice.Tensor,),
        window=_slice_window,
        samples=_slice_samples,
        linear=True,
        role="view",
        range=unchanged,
        gradient=adjoint(_slice_back),
    ),
    Op(
        name="index",
        sentence="channels taken out by a list",
        targets=(aten.index_select.default,),
        window=_index_window,
        samples=_index_samples,
        linear=True,
        range=unchanged,
        gradient=adjoint(_index_back),
    ),
    Op(
        name="expand",
        sentence="one channel repeated as several",
        targets=(aten.expand.default,),
        window=_spread_window,
        samples=_spread_samples,
        linear=True,
        role="view",
        range=unchanged,
        gradient=adjoint(lambda signal, call: (signal.sum(1, keepdim=True),)),
    ),
    Op(
        name="crop",
        sentence="a piece of the map cut out, or every so-many-th place",
        targets=(crop,),
        window=_crop_window,
        samples=_crop_samples,
        linear=True,
        range=unchanged,
        gradient=adjoint(_crop_back),
    ),
    Op(
        name="flip",
        sentence="channels or places in reverse order",
        targets=(aten.flip.default,),
        window=_moving("a call before it turns the map over"),
        samples=_flip_samples,
        linear=True,
        range=unchanged,
        gradient=adjoint(lambda signal, call: (signal.flip(call["dims"]),)),
    ),
    Op(
        name="roll",
        sentence="channels or places moved on, the last ones to the front",
        targets=(aten.roll.default,),
        window=_moving("a call before it moves the map around its border"),
        samples=_roll_samples,
        linear=True,
        range=unchanged,
        gradient=adjoint(lambda s, call: (s.roll([-n for n in call["shifts"]], call["dims"]),)),
    ),
    Op(
        name="pixel_shuffle",
        sentence="channels laid out as squares of places",
        targets=(aten.pixel_shuffle.default,),
        window=lambda call: (_laid_out(Fraction(1, call["upscale_factor"])),),
        samples=lambda: iter([Sample(aten.pixel_shuffle.default, (_maps(8, 3, 4),), (NodeInput(0), 2))]),
        linear=True,
        range=unchanged,
        gradient=adjoint(lambda signal, call: (F.pixel_unshuffle(signal, call["upscale_factor"]),)),
    ),
    Op(
        name="pixel_unshuffle",
        sentence="squares of places laid side by side as channels",
        targets=(aten.pixel_unshuffle.default,),
        window=lambda call: (_laid_out(call["downscale_factor"]),),
        samples=lambda: iter([Sample(aten.pixel_unshuffle.default, (_maps(2, 6, 4),), (NodeInput(0), 2))]),
        linear=True,
        range=unchanged,
        gradient=adjoint(lambda signal, call: (F.pixel_shuffle(signal, call["downscale_factor"]),)),
    ),
    Op(
        name="rearrange",
        sentence="the numbers of a map in another order",
        targets=(rearrange,),
        window=_rearrange_window,
        samples=_rearrange_samples,
        linear=True,
        range=unchanged,
        gradient=adjoint(_rearrange_back),
    ),
)
