"""The sums of several scans as one: as if one scan had gone through the images of all, one after the other."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int64

from layerscope.core.records import Peaks
from layerscope.scan.input_statistics import STATISTICS_IMAGES
from layerscope.scan.peaks import merge
from layerscope.scan.statistics import LayerTotals, Totals


def join(into: Totals, part: Totals, *, first: int, classes: Sequence[int], limit: int) -> None:
    """Add the sums of a further scan of the same layers to those of the images before it.

    first: the number of its first image from now on. classes: of each of its classes the place among those of `into`.
    limit: below which keys the images of the sample lie (`SampleRule`), of all images together.
    """
    into.images += part.images
    places = np.array(classes, np.int64)
    into.class_counts[places] += part.class_counts
    for last, sums in part.input_sums.items():
        # Only shards that one scan of all would have summed up: those that end within the first images.
        if last + first < STATISTICS_IMAGES:
            into.input_sums[last + first] = sums
    slots = part.sample.slots()
    slots = slots[part.sample.keys[slots] < limit]
    entering, taken = into.sample.enter(part.sample.ids[slots] + first, part.sample.keys[slots])
    for node, layer in into.layers.items():
        _join(layer, part.layers[node], first, places)
        for name in ("maxima", "argmax"):
            getattr(layer, name)[taken] = getattr(part.layers[node], name)[slots[entering]]


def _join(into: LayerTotals, part: LayerTotals, first: int, classes: Int64[np.ndarray, " c"]) -> None:
    into.peaks = merge(into.peaks, _numbered_from(part.peaks, first))
    into.histogram += part.histogram
    into.above += part.above
    into.positions += part.positions
    into.sums.add(part.sums.high, part.sums.low)
    if into.class_sums.high.size and len(classes):
        into.class_sums.add(part.class_sums.high, part.class_sums.low, at=classes)


def _numbered_from(peaks: Peaks, first: int) -> Peaks:
    return replace(peaks, image=np.where(peaks.image < 0, peaks.image, peaks.image + first))
