"""From the sampled maxima of a layer: rows of images around percentiles, and the units that go together."""

import numpy as np
from jaxtyping import Bool, Float32, Float64

from layerscope.core.records import LayerRecord
from layerscope.core.strata import (
    FEWEST_IMAGES,
    LEAST_CORRELATION,
    MOST_NEIGHBOURS,
    MOST_UNITS,
    PERCENTILES,
    ROW,
    Neighbours,
    Strata,
)
from layerscope.scan.sample import SampledMaxima

# Digits of a correlation that are kept: the others depend on the order in which a product is summed up.
_DIGITS = 6
_CHUNK = 256


def strata_of(sampled: SampledMaxima, layer: LayerRecord) -> Strata:
    """For every unit the images around each percentile of its maxima; among equal maxima the smaller id comes first.

    With the n maxima in falling order, percentile p lies at (100 - p) / 100 * (n - 1): of the ROW images around it two
    lie at or above. A unit whose maxima are all 0 or less has none; neither has a rectified unit where its percentile
    is 0, nor any image that leaves it at 0.
    """
    count, units = sampled.maxima.shape
    strata = Strata.empty(units)
    if not count:
        return strata
    order = np.argsort(-sampled.maxima, axis=0, kind="stable")
    every = np.arange(units)
    alive = sampled.maxima[order[0], every] > 0
    for index, percentile in enumerate(PERCENTILES):
        at = (100 - percentile) * (count - 1) // 100
        first = min(max(at - 1, 0), max(count - ROW, 0))
        chosen = order[first : first + ROW].T
        value = sampled.maxima[chosen, every[:, None]]
        there = np.broadcast_to(alive[:, None], value.shape)
        if layer.rectified:
            there = (sampled.maxima[order[at], every] > 0)[:, None] & (value > 0)
        rows, cols = np.divmod(sampled.argmax[chosen, every[:, None]], np.int32(layer.map[1] if layer.map else 1))
        kept = np.s_[:, index, : value.shape[1]]
        strata.value[kept] = np.where(there, value, -np.inf)
        strata.image[kept] = np.where(there, sampled.images[chosen], -1)
        strata.row[kept], strata.col[kept] = rows * there, cols * there
    return strata


def neighbours_of(sampled: SampledMaxima) -> Neighbours:
    """For every unit the units that correlate most with it; among equal correlations the smaller number comes first.

    Pearson's correlation of the image maxima. A unit that does not vary over the sample has no neighbours and is none.
    """
    count, units = sampled.maxima.shape
    most = min(MOST_NEIGHBOURS, max(units - 1, 0))
    found = Neighbours.empty(units, most)
    if units > MOST_UNITS or count < FEWEST_IMAGES or not most:
        return found
    standard, varies = _standardised(sampled.maxima)
    for first in range(0, units, _CHUNK):
        mine = np.arange(first, min(first + _CHUNK, units))
        correlation = np.round(standard[:, mine].T @ standard, _DIGITS)
        correlation[:, ~varies] = correlation[~varies[mine]] = -np.inf
        correlation[np.arange(len(mine)), mine] = -np.inf
        other = np.argsort(-correlation, axis=1, kind="stable")[:, :most]
        highest = np.take_along_axis(correlation, other, axis=1)
        found.other[mine] = np.where(highest >= LEAST_CORRELATION, other, -1)
        found.correlation[mine] = np.where(highest >= LEAST_CORRELATION, highest, 0)
    return found


def _standardised(
    maxima: Float32[np.ndarray, "n u"],
) -> tuple[Float64[np.ndarray, "n u"], Bool[np.ndarray, " u"]]:
    """Each unit's maxima with mean 0 and length 1 over the images, 0 where they do not vary; and where they do."""
    varies = maxima.max(0) > maxima.min(0)
    centred = maxima - maxima.mean(0, dtype=np.float64)
    length = np.sqrt(np.square(centred).sum(0))
    return np.divide(centred, length, out=np.zeros_like(centred), where=varies), varies
