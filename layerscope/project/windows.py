"""Windows of tensors: cut them out of maps, lay them into one another, clear what lies beyond the border.

Entries differ in their place only, never in their size, so that many of them make one batch. Copies are made entry by
entry: in a channels-last layout each is a run of contiguous rows.
"""

import numpy as np
import torch
from torch import Tensor

from layerscope.project.extents import Extent


def cut(maps: Tensor, entries: np.ndarray, held: Extent, wanted: Extent, fill: float) -> Tensor:
    """The wanted windows [m, ..., h, w] of `maps`, whose entry entries[i] holds the windows `held` says for entry i.

    What `maps` does not hold, and what lies beyond the map's border, is `fill`.
    """
    if held.same_place(wanted):
        in_order = len(entries) == len(maps) and np.array_equal(entries, np.arange(len(maps)))
        windows = maps if in_order else maps[torch.from_numpy(entries)]
        return cleared(windows.clone(), wanted, fill) if len(wanted.overhanging) else windows
    size = (len(entries), *maps.shape[1:-2], wanted.height, wanted.width)
    out = _empty(maps, size)
    for index, entry in enumerate(entries):
        rows = _overlap(
            int(held.tops[index]), held.height, int(wanted.tops[index]), wanted.height, wanted.spatial_size[0]
        )
        cols = _overlap(
            int(held.lefts[index]), held.width, int(wanted.lefts[index]), wanted.width, wanted.spatial_size[1]
        )
        place = out[index]
        _surround(place, rows, cols, fill)
        place[..., rows.there, cols.there] = maps[entry][..., rows.here, cols.here]
    return out


def laid(windows: Tensor, held: Extent, wanted: Extent) -> Tensor:
    """The windows laid into larger or shifted ones, zero around them; the very same tensor where nothing moves."""
    if held.same_place(wanted):
        return windows
    return cut(windows, np.arange(len(windows)), held, wanted, 0.0)


def cleared(windows: Tensor, extent: Extent, fill: float = 0.0) -> Tensor:
    """The same tensor with `fill` beyond the map's border; written in place."""
    for index in extent.overhanging:
        top, left = int(extent.tops[index]), int(extent.lefts[index])
        below, right = extent.spatial_size[0] - top, extent.spatial_size[1] - left
        entry = windows[index]
        if top < 0:
            entry[..., :-top, :] = fill
        if below < extent.height:
            entry[..., max(below, 0) :, :] = fill
        if left < 0:
            entry[..., :-left] = fill
        if right < extent.width:
            entry[..., max(right, 0) :] = fill
    return windows


def _surround(place: Tensor, rows: "_Overlap", cols: "_Overlap", fill: float) -> None:
    """Fill what lies around the part that will be copied, and nothing twice."""
    if rows.there.start:
        place[..., : rows.there.start, :] = fill
    if rows.there.stop < place.shape[-2]:
        place[..., rows.there.stop :, :] = fill
    if cols.there.start:
        place[..., rows.there, : cols.there.start] = fill
    if cols.there.stop < place.shape[-1]:
        place[..., rows.there, cols.there.stop :] = fill


class _Overlap:
    """Along one axis, what of the held window falls into the wanted one and inside the map."""

    __slots__ = ("here", "there")

    def __init__(self, low: int, high: int, held: int, wanted: int) -> None:
        length = max(high - low, 0)
        # Where nothing overlaps, an empty slice that lies inside both.
        low = low if length else max(held, wanted)
        self.here = slice(low - held, low - held + length)
        self.there = slice(low - wanted, low - wanted + length)


def _overlap(held: int, held_size: int, wanted: int, wanted_size: int, length: int) -> _Overlap:
    low = max(held, wanted, 0)
    return _Overlap(low, min(held + held_size, wanted + wanted_size, length), held, wanted)


def _empty(like: Tensor, size: tuple[int, ...]) -> Tensor:
    """In the layout of `like`."""
    layout = torch.channels_last if len(size) == 4 and like.stride(1) == 1 else torch.contiguous_format
    return torch.empty(size, dtype=like.dtype, device=like.device, memory_format=layout)
