"""How a unit's image maxima are spread: fixed logarithmic bins, with the long empty stretches between them left out."""

import math
from bisect import bisect_left
from itertools import pairwise

import numpy as np
from jaxtyping import Int64

from layerscope.core.numbers import number
from layerscope.core.records import HISTOGRAM_EDGES
from layerscope.figures.tree import Bar, Chart

LONGEST_GAP = 8  # empty bins in a row that are still drawn
BREAK = 3  # ... and how many stand for a longer stretch
FEWEST_TICKS = 3
APART = 3.2  # bins between two ticks, so that their words do not touch
FACTORS = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8))
# A bin reaches up to and includes its edge: bin i is edges[i - 1] < value <= edges[i], the first and last are open.
EDGES: list[float] = HISTOGRAM_EDGES.tolist()
ZERO = len(EDGES) // 2 + 1
ZERO_BIN = next(edge for edge in EDGES if edge > 0)


def histogram(counts: Int64[np.ndarray, " bins"], marks: tuple[float, ...]) -> Chart:
    """Counts between HISTOGRAM_EDGES, and beyond them, as a chart.

    marks: values that are marked by a triangle, as the nine peaks. The two bins beside zero are drawn as one: maxima of
    exactly zero lie in it, and none is far from it.
    """
    merged = counts.copy()
    merged[ZERO] += merged[ZERO - 1]
    merged[ZERO - 1] = 0
    occupied = np.flatnonzero(merged).tolist()
    places = _places(occupied)
    return Chart(
        kind="histogram",
        bars=tuple(Bar(place=places[one], value=float(merged[one])) for one in occupied),
        axis="highest activation in an image",
        values=f"images (tallest bar: {merged.max():,})",
        ticks=_ticks(places),
        marks=tuple(place for value in marks if (place := _place(value, places)) is not None),
        breaks=_breaks(occupied, places),
    )


def _places(occupied: list[int]) -> dict[int, float]:
    """Where each occupied bin is drawn, in steps of one bin."""
    places: dict[int, float] = {}
    place, before = 0.0, None
    for one in occupied:
        if before is not None:
            gap = one - before - 1
            place += 1 + (gap if gap <= LONGEST_GAP else BREAK)
        places[one], before = place, one
    return places


def _breaks(occupied: list[int], places: dict[int, float]) -> tuple[float, ...]:
    """The middles of the stretches that were left out."""
    return tuple((places[a] + 1 + places[b]) / 2 for a, b in pairwise(occupied) if b - a - 1 > LONGEST_GAP)


def _place(value: float, places: dict[int, float]) -> float | None:
    """Where a value lies on the axis, within its bin by the logarithm; None in a bin that is not drawn."""
    one = bisect_left(EDGES, value)
    one = ZERO if one == ZERO - 1 else one
    if one not in places:
        return None
    if one in (0, ZERO, len(EDGES)):
        return places[one] + 0.5
    low, high = EDGES[one - 1], EDGES[one]
    return places[one] + min(max(math.log(value / low) / math.log(high / low), 0.0), 1.0)


def _ticks(places: dict[int, float]) -> tuple[tuple[float, str], ...]:
    """Zero and round numbers: powers of ten, and their multiples where those are too few."""
    ticks: list[tuple[float, str]] = []
    for factors in FACTORS:
        values = [sign * factor * 10.0**power for power in range(-4, 5) for factor in factors for sign in (-1, 1)]
        ticks = [(at, number(v)) for v in values if (at := _place(v, places)) is not None and abs(v) > ZERO_BIN]
        if len(ticks) >= FEWEST_TICKS:
            break
    zero = _place(0.0, places)
    return _apart(sorted(ticks + ([(zero, "0")] if zero is not None else [])))


def _apart(ticks: list[tuple[float, str]]) -> tuple[tuple[float, str], ...]:
    """From the left, those that stand far enough from the one before."""
    kept: list[tuple[float, str]] = []
    for tick in ticks:
        if not kept or tick[0] - kept[-1][0] >= APART:
            kept.append(tick)
    return tuple(kept)
