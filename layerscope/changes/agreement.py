"""How far the units of two atlases agree: by the image maxima that both hold, and by their means over classes.

Of each unit an atlas holds the maxima of some images: of its peaks, and of those around percentiles (its strata). Above
the unit's median they are its *heights*. Two units of equal heights in the same images, at the same places of these,
have the cosine 1; what only one of them holds counts against it. Where both atlases know the same classes, the
correlation of the class means, which are taken over all images, says what a few images cannot; elsewhere it is taken
for 1. The agreement, 0..1, is the geometric mean of cosine and correlation.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float64, Int64

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.changes.matching import standardised
from layerscope.core.records import HISTOGRAM_EDGES
from layerscope.facts.layer import live
from layerscope.facts.wrapping import Reader

# Maxima of one image that lie so small a part of the map apart, or in neighbouring positions, are at one place.
NEAR = 16
# Rows are made at once that have so many cells and meet so many heights, or one row: in few images, where each height
# meets those of all units, a row has thousands of times what it has in many. Beside the matrix some 70 MB are held.
_AT_ONCE = 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """What an atlas holds of the units of a layer, over images that it shares with another.

    alive: of each unit, whether it has a peak in any image. unit, image, row, col, height: the known heights, by unit
    and then by image, and where in the map they are; those of a unit together of length 1; images by the numbers that
    both atlases use. near: how far apart, in rows and columns, two maxima of one image may lie to be one. classes: the
    class means, with mean 0 and length 1, all 0 where they do not vary; no columns where classes are not compared.
    maximum: of each unit, over all images. below: the share of the images whose maximum lies in each bin of the
    histogram or in one before. relations: the correlations with the unit's neighbours, of length 1, and 0 for all
    others; no columns where the atlas has no neighbours.
    """

    alive: Bool[np.ndarray, " u"]
    unit: Int64[np.ndarray, " n"]
    image: Int64[np.ndarray, " n"]
    row: Int64[np.ndarray, " n"]
    col: Int64[np.ndarray, " n"]
    near: tuple[int, int]
    height: Float64[np.ndarray, " n"]
    classes: Float64[np.ndarray, "u classes"]
    maximum: Float64[np.ndarray, " u"]
    below: Float64[np.ndarray, "u bins"]
    relations: Float64[np.ndarray, "u others"]

    @property
    def units(self) -> int:
        """How many units the layer has."""
        return len(self.alive)

    @property
    def bytes(self) -> int:
        """How much memory the arrays take."""
        values = (getattr(self, field.name) for field in fields(self))
        return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


def profiles(
    file: Reader, layer: AtlasLayerRecord, numbers: Int64[np.ndarray, " images"], *, by_class: bool
) -> Profiles:
    """The profiles of a layer's units. numbers: of each image of the atlas, the number that both atlases use, -1 for an
    image of this one alone. by_class: both know the same classes."""
    peaks, strata, counted = file.all_peaks(layer.id), file.all_strata(layer.id), file.unit_statistics(layer.id)
    units = len(peaks.image)
    images = np.concatenate([peaks.image, strata.image.reshape(units, -1)], axis=1)
    values = np.concatenate([peaks.value, strata.value.reshape(units, -1)], axis=1).astype(np.float64)
    rows, cols = (
        np.concatenate([getattr(peaks, axis), getattr(strata, axis).reshape(units, -1)], axis=1).astype(np.int64)
        for axis in ("row", "col")
    )
    heights = values - medians(counted.histogram, units)[:, None]
    there = (images >= 0) & (images < len(numbers)) & np.isfinite(heights) & (heights > 0)
    unit, place = np.nonzero(there)
    number = numbers[images[unit, place]]
    unit, place, number = (each[number >= 0] for each in (unit, place, number))
    # An image may be a peak and a stratum: it counts once.
    _, first = np.unique(unit * (len(numbers) + 1) + number, return_index=True)
    unit, place, number = unit[first], place[first], number[first]
    height = heights[unit, place]
    length = np.sqrt(np.bincount(unit, np.square(height), minlength=units))
    means = counted.class_means if by_class and len(counted.class_means) == units else np.zeros((units, 0), np.float32)
    maximum = np.zeros(units)
    maximum[: len(counted.maximum)] = np.nan_to_num(counted.maximum.astype(np.float64), posinf=0, neginf=0)
    return Profiles(
        alive=live(peaks),
        unit=unit,
        image=number,
        row=rows[unit, place],
        col=cols[unit, place],
        near=_near(layer),
        height=height / length[unit],
        classes=standardised(np.nan_to_num(means.astype(np.float64), posinf=0, neginf=0)),
        maximum=maximum,
        below=_below(counted.histogram, units),
        relations=_relations(file, layer.id, units),
    )


def _below(histogram: Int64[np.ndarray, "counted bins"], units: int) -> Float64[np.ndarray, "u bins"]:
    if len(histogram) != units:
        return np.zeros((units, 0))
    sums = np.cumsum(histogram, axis=1, dtype=np.float64)
    return np.divide(sums, sums[:, -1:], out=np.zeros_like(sums), where=sums[:, -1:] > 0)


def _relations(file: Reader, layer_id: int, units: int) -> Float64[np.ndarray, "u others"]:
    known = [one for one in file.neighbours(layer_id) if one.unit < units and one.other < units]
    found = np.zeros((units, units if known else 0))
    for one in known:
        found[one.unit, one.other] = one.correlation
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.divide(found, length, out=found, where=length > 0)


def _near(layer: AtlasLayerRecord) -> tuple[int, int]:
    """How far apart, in rows and columns of the layer's map, two maxima of one image may lie to be one."""
    height, width = layer.record.map or (1, 1)
    return max(height // NEAR, 1), max(width // NEAR, 1)


def _together(one: Profiles, mine: np.ndarray, other: Profiles, theirs: np.ndarray) -> np.ndarray:
    """Of pairs of known maxima, whether they lie at one place of their image."""
    apart = np.abs(one.row[mine] - other.row[theirs]), np.abs(one.col[mine] - other.col[theirs])
    return (apart[0] <= one.near[0]) & (apart[1] <= one.near[1])


def medians(histogram: Int64[np.ndarray, "counted bins"], units: int) -> Float64[np.ndarray, " u"]:
    """The median of each unit's image maxima, to the lower edge of its bin, so that what lies above it is above zero;
    0 for the bin that ends there, and where nothing was counted."""
    found = np.zeros(units)
    if histogram.shape == (units, len(HISTOGRAM_EDGES) + 1):
        lower = np.append(HISTOGRAM_EDGES[:1], HISTOGRAM_EDGES)
        lower[np.searchsorted(HISTOGRAM_EDGES, 0)] = 0
        counts = np.cumsum(histogram, axis=1)
        middle = (2 * counts >= counts[:, -1:]).argmax(1)
        found[:] = np.where(counts[:, -1] > 0, lower[middle], 0.0)
    return found


def at_the_same_number(one: Profiles, other: Profiles) -> Float64[np.ndarray, " n"]:
    """The agreement of each unit with the one of its number, as far as both layers have units."""
    count = min(one.units, other.units)
    base = 1 + max(int(each.image.max(initial=0)) for each in (one, other))
    keys = [each.unit * base + each.image for each in (one, other)]
    _, mine, theirs = np.intersect1d(*keys, assume_unique=True, return_indices=True)
    products = one.height[mine] * other.height[theirs] * _together(one, mine, other, theirs)
    tails = np.bincount(one.unit[mine], products, minlength=count)[:count]
    first, second = one.classes[:count], other.classes[:count]
    return _joined(tails, (first * second).sum(1), vary(first) & vary(second))


def agreement(
    one: Profiles, other: Profiles, rows: Int64[np.ndarray, " a"], cols: Int64[np.ndarray, " b"]
) -> Float64[np.ndarray, "a b"]:
    """The agreement of these units of one with those of the other, each with each."""
    means, others = one.classes[rows], other.classes[cols]
    known = vary(means)[:, None] & vary(others)[None, :]
    return _joined(tails(one, other, rows, cols), means @ others.T, known)


def tails(
    one: Profiles, other: Profiles, rows: Int64[np.ndarray, " a"], cols: Int64[np.ndarray, " b"]
) -> Float64[np.ndarray, "a b"]:
    """The cosines of the heights of these units of one with those of the other, each with each."""
    found = np.zeros((len(rows), len(cols)))
    by_image = np.argsort(other.image, kind="stable")
    column = np.full(other.units, -1)
    column[cols] = np.arange(len(cols))
    by_image = by_image[column[other.unit[by_image]] >= 0]
    images = other.image[by_image]
    # Every height of a row meets those of all columns in the same image.
    lows, highs = (np.searchsorted(images, one.image, side) for side in ("left", "right"))
    # Of nothing NumPy counts in whole numbers, whatever the weights are.
    met = np.bincount(one.unit, highs - lows, minlength=one.units)[rows].astype(np.float64)
    for first, block in _blocks(rows, met + len(cols)):
        row = np.full(one.units, -1)
        row[block] = np.arange(len(block))
        mine = np.flatnonzero(row[one.unit] >= 0)
        low = lows[mine]
        times = highs[mine] - low
        meets = by_image[np.repeat(low - np.cumsum(times) + times, times) + np.arange(times.sum())]
        mine = np.repeat(mine, times)
        places = row[one.unit[mine]] * len(cols) + column[other.unit[meets]]
        products = one.height[mine] * other.height[meets] * _together(one, mine, other, meets)
        sums = np.bincount(places, products, minlength=len(block) * len(cols))
        found[first : first + len(block)] = sums.reshape(len(block), len(cols))
    return found


def vary(rows: Float64[np.ndarray, "a b"]) -> Bool[np.ndarray, " a"]:
    """Of each row whether it says anything."""
    return np.asarray(rows.any(axis=1))


def _blocks(rows: Int64[np.ndarray, " a"], held: Float64[np.ndarray, " a"]) -> Iterator[tuple[int, np.ndarray]]:
    """Runs of rows, each with the place of its first. held: how much each row holds while it is made."""
    ends, first = np.cumsum(held), 0
    while first < len(rows):
        before = ends[first - 1] if first else 0
        last = max(int(np.searchsorted(ends, before + _AT_ONCE, "right")), first + 1)
        yield first, rows[first:last]
        first = last


def _joined(cosines: np.ndarray, correlations: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The agreement, of the cosines of heights and the correlations of class means, where these are known."""
    found = np.clip(np.asarray(cosines, np.float64), 0, 1)
    np.multiply(found, np.clip(correlations, 0, 1), out=found, where=known)
    return np.sqrt(found, out=found)
