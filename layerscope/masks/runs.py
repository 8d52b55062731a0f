"""Regions as COCO writes them, as masks: runs, plain or packed into letters, and polygons.

Runs go down the columns, the first of px outside. A polygon is filled as pycocotools 2.0.11 fills it, px for px: its
outline is drawn on a grid five times as fine, and a px is inside where it has been crossed an odd number of times on
the way down its column. So a part that a polygon covers twice is outside; several polygons are joined.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

# The outline is drawn on a grid so many times as fine.
_FINER = 5
# A letter holds five bits of a number, less this, and whether more follow.
_FIRST_LETTER, _BITS, _MORE, _SIGN = 48, 5, 0x20, 0x10


class Misshapen(Exception):
    """What is no region; the message says why, as a clause. Never leaves this room."""


def mask_of_runs(counts: Int64[np.ndarray, " runs"], height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """The mask of these runs. Raises Misshapen where they do not fill the picture."""
    require_filling(counts, height, width)
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(width, height).T


def require_filling(counts: Int64[np.ndarray, " runs"], height: int, width: int) -> None:
    """Raises Misshapen for runs that do not fill a picture of this size."""
    if len(counts) and counts.min() < 0:
        raise Misshapen("a run is below zero")
    if counts.sum() != height * width:
        raise Misshapen(f"its runs hold {counts.sum():,} px, a picture of {height} x {width} px has {height * width:,}")


def plain_runs(counts: Sequence[Any]) -> Int64[np.ndarray, " runs"]:
    """Runs that are written as numbers. Raises Misshapen for what is no list of whole numbers."""
    if not all(type(count) is int for count in counts):
        raise Misshapen("its runs are no whole numbers")
    try:
        return np.array(counts, np.int64)
    except OverflowError:
        raise Misshapen("its runs are too long") from None


def packed_runs(letters: str) -> Int64[np.ndarray, " runs"]:
    """Runs that are packed into letters; from the fourth on each is told as what it is more than the last but one.

    Raises Misshapen for letters that are no runs.
    """
    try:
        values = np.frombuffer(letters.encode("ascii"), np.uint8).astype(np.int64) - _FIRST_LETTER
    except UnicodeEncodeError:
        values = np.array([-1])
    if not len(values) or values.min() < 0 or values.max() > 2 * _MORE - 1 or values[-1] & _MORE:
        raise Misshapen("its letters are no packed runs")
    last = (values & _MORE) == 0
    ends = np.flatnonzero(last)
    firsts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - firsts + 1
    if lengths.max() > 12:  # more than 60 bits
        raise Misshapen("its letters are no packed runs")
    place = np.arange(len(values)) - np.repeat(firsts, lengths)
    found = np.add.reduceat((values & (_MORE - 1)) << (_BITS * place), firsts)
    found[(values[ends] & _SIGN) != 0] -= 1 << (_BITS * lengths[(values[ends] & _SIGN) != 0])
    for first in (1, 2):
        found[first::2] = np.cumsum(found[first::2])
    return found


def mask_of_polygons(
    polygons: Iterable[Float64[np.ndarray, " xy"]], height: int, width: int
) -> Bool[np.ndarray, "h w"]:
    """The mask of polygons, joined. Each is x, y, x, y, ..., px from the upper left corner of the picture."""
    mask = np.zeros((width, height), bool)
    for polygon in polygons:
        cols, rows = _crossings(polygon, height, width)
        if not len(cols):
            continue
        left, right = int(cols.min()), int(cols.max()) + 1
        counts = np.bincount((cols - left) * height + rows, minlength=(right - left) * height)
        inside = np.cumsum(counts[: (right - left) * height]) & 1
        mask[left:right] |= inside.reshape(-1, height).astype(bool)
    return mask.T


def _crossings(
    polygon: Float64[np.ndarray, " xy"], height: int, width: int
) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
    """Where the outline crosses the middles of columns: the column, and the first row below, of height + 1."""
    along, down = _outline(polygon)
    moved = np.flatnonzero(along[1:] != along[:-1])
    # Of two neighbouring points the lesser column and row.
    u = np.minimum(along[moved], along[moved + 1])
    v = np.minimum(down[moved], down[moved + 1])
    cols, rows = (u + 0.5) / _FINER - 0.5, (v + 0.5) / _FINER - 0.5
    kept = (np.floor(cols) == cols) & (cols >= 0) & (cols <= width - 1)
    return cols[kept].astype(np.int64), np.ceil(rows[kept].clip(0, height)).astype(np.int64)


def _outline(polygon: Float64[np.ndarray, " xy"]) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
    """The points of a polygon's outline on the finer grid, in their order: how far along, how far down."""
    points = np.trunc(_FINER * polygon.reshape(-1, 2) + 0.5).astype(np.int64)
    start, end = points, np.roll(points, -1, axis=0)
    span = np.abs(end - start)
    flat = span[:, 0] >= span[:, 1]  # the side goes rather along than down
    main = np.where(flat, 0, 1)
    sides = np.arange(len(points))
    # A side is drawn from its lesser end, so that it is the same from either neighbour.
    back = start[sides, main] > end[sides, main]
    low, high = np.where(back[:, None], end, start), np.where(back[:, None], start, end)
    length = span[sides, main]
    slope = (high - low)[sides, 1 - main] / np.maximum(length, 1)
    side = np.repeat(sides, length + 1)
    step = np.arange(len(side)) - np.repeat(np.cumsum(length + 1) - length - 1, length + 1)
    step = np.where(back[side], length[side] - step, step)
    straight = low[side, main[side]] + step
    leaning = np.trunc(low[side, 1 - main[side]] + slope[side] * step + 0.5).astype(np.int64)
    return np.where(flat[side], straight, leaning), np.where(flat[side], leaning, straight)
