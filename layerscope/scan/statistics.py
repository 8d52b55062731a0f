"""What is counted on the way, per unit over all images.

Everything here is a sum over shards that does not depend on how the shards were grouped (`scan/sums.py`), so that a
resumed scan, many workers and atlases that are merged end with the same numbers as one process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int32, Int64

from layerscope.core.records import HISTOGRAM_EDGES, LayerRecord, Peaks, UnitStatistics
from layerscope.scan.input_statistics import Sums, joined
from layerscope.scan.peaks import merge
from layerscope.scan.proposed import Candidates, in_floats
from layerscope.scan.result import LayerResult
from layerscope.scan.sample import SampledImages, SampledMaxima
from layerscope.scan.shard import ShardResult
from layerscope.scan.sums import DoubleDouble

BINS = len(HISTOGRAM_EDGES) + 1
# A table of class means with more numbers than this is left out, and said so: it would dwarf the atlas.
MOST_CLASS_MEANS = 16_000_000


@dataclass(eq=False)
class LayerTotals:
    """The sums of one layer so far; maxima and argmax, as in SampledMaxima, for every slot of the sample."""

    peaks: Peaks
    histogram: Int64[np.ndarray, "u bins"]
    above: np.ndarray
    positions: int
    sums: DoubleDouble
    class_sums: DoubleDouble
    maxima: Float32[np.ndarray, "s u"]
    argmax: Int32[np.ndarray, "s u"]


class Totals:
    """The sums of all layers over the shards so far; flat in the number of images.

    classes: how many labels there are; 0 without labels. sampled: of how many images the maxima are kept as they are.
    """

    def __init__(
        self,
        layers: Sequence[LayerRecord],
        *,
        k: int,
        classes: int,
        sampled: int = 0,
    ) -> None:
        self.images = 0
        self.sample = SampledImages(sampled)
        self.class_counts = np.zeros(classes, np.int64)
        # By the last image of the shard that they are sums over.
        self.input_sums: dict[int, Sums] = {}
        self.layers = {layer.node: _empty(layer, k, classes, sampled) for layer in layers}
        self.candidates: dict[int, Candidates] = {}

    def floors(self) -> dict[int, Float32[np.ndarray, " u"]]:
        """The k-th highest value of every unit so far."""
        return {node: totals.peaks.value[:, -1].copy() for node, totals in self.layers.items()}

    def add(self, shard: ShardResult, labels: Int64[np.ndarray, " n"]) -> None:
        """Add one shard; labels: int64[n], the class of each of its images, -1 for none."""
        self.images += len(shard.images)
        if shard.input_sums:
            self.input_sums[int(shard.images.max())] = shard.input_sums
        known = labels >= 0
        np.add.at(self.class_counts, labels[known], 1)
        ids, keys = shard.sampled
        entering, slots = self.sample.enter(ids, keys)
        rows = np.searchsorted(shard.images, ids[entering], sorter=(order := np.argsort(shard.images)))
        for node, result in shard.layers.items():
            totals = self.layers[node]
            _add(totals, result, labels, known)
            totals.maxima[slots], totals.argmax[slots] = result.maxima[order[rows]], result.argmax[entering]
            if shard.candidates or self.candidates:
                new = shard.candidates.get(node) or in_floats(result.peaks)
                old = self.candidates.get(node) or Candidates.none(*totals.peaks.value.shape)
                self.candidates[node] = old.joined(new)

    def decide(self, peaks: Mapping[int, Peaks]) -> None:
        """Take these peaks, by node, in place of those so far: what was proposed is decided."""
        for node, found in peaks.items():
            self.layers[node].peaks = found

    def peaks(self, node: int) -> Peaks:
        """The k highest peaks of a layer; a rectified layer's zeros are none (a shard lets none in)."""
        return self.layers[node].peaks

    def sampled(self, node: int) -> SampledMaxima:
        """A layer on the images of the sample that could be used."""
        totals, slots = self.layers[node], self.sample.slots()
        return SampledMaxima(self.sample.ids[slots], totals.maxima[slots], totals.argmax[slots])

    def over_inputs(self) -> Sums:
        """The sums over the images themselves, of all shards that took them, in the order of the images."""
        found: Sums = {}
        for last in sorted(self.input_sums):
            found = joined(found, self.input_sums[last])
        return found

    def unit_statistics(self, node: int) -> UnitStatistics:
        """The statistics of a layer's units."""
        totals = self.layers[node]
        above, total, squares = totals.sums.high
        positions = max(totals.positions, 1)
        mean = total / positions
        counts = np.maximum(self.class_counts, 1)[:, None]
        class_means = (totals.class_sums.high / counts).T if totals.class_sums.high.size else totals.class_sums.high.T
        return UnitStatistics(
            mean=mean.astype(np.float32),
            std=np.sqrt(np.maximum(squares / positions - mean**2, 0)).astype(np.float32),
            maximum=_finite(totals.peaks.value[:, 0]),
            images_above=(totals.above / max(self.images, 1)).astype(np.float32),
            positions_above=(above / positions).astype(np.float32),
            histogram=totals.histogram.copy(),
            class_means=np.ascontiguousarray(class_means, dtype=np.float32),
        )


def _finite(highest: np.ndarray) -> Float32[np.ndarray, " u"]:
    """The maximum over all images; 0 for a rectified unit that no image brought above zero."""
    return np.where(np.isfinite(highest), highest, 0).astype(np.float32)


def _empty(layer: LayerRecord, k: int, classes: int, sampled: int) -> LayerTotals:
    kept = classes if classes * layer.units <= MOST_CLASS_MEANS else 0
    return LayerTotals(
        peaks=Peaks.empty(layer.units, k),
        histogram=np.zeros((layer.units, BINS), np.int64),
        above=np.zeros(layer.units, np.int64),
        positions=0,
        sums=DoubleDouble.zeros(3, layer.units),
        class_sums=DoubleDouble.zeros(kept, layer.units),
        maxima=np.zeros((sampled, layer.units), np.float32),
        argmax=np.zeros((sampled, layer.units), np.int32),
    )


def _add(totals: LayerTotals, result: LayerResult, labels: np.ndarray, known: np.ndarray) -> None:
    totals.peaks = merge(totals.peaks, result.peaks)
    totals.above += (result.maxima > 0).sum(0)
    totals.positions += result.positions
    totals.sums.add(np.stack([result.above, result.total, result.squares]))
    _count(totals.histogram, result.maxima)
    if totals.class_sums.high.size and known.any():
        # One sum a class of the shard's own images, as they come; these are added as any other sum of a shard.
        classes, place = np.unique(labels[known], return_inverse=True)
        own = np.zeros((len(classes), result.maxima.shape[1]))
        np.add.at(own, place, result.maxima[known].astype(np.float64))
        totals.class_sums.add(own, at=classes)


def _count(histogram: np.ndarray, maxima: np.ndarray) -> None:
    """Add each image's maximum to its unit's bin: bin i lies between edges i - 1 and i."""
    units = maxima.shape[1]
    bins = torch.bucketize(torch.from_numpy(maxima).double(), torch.from_numpy(HISTOGRAM_EDGES))
    flat = bins.add_(torch.arange(units) * BINS).flatten().numpy()
    histogram += np.bincount(flat, minlength=units * BINS).reshape(units, BINS)
