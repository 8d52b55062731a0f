"""Which class most of a unit's peaks are of, and how far a unit follows some class: of all units of a layer at once."""

from collections import Counter

import numpy as np
from jaxtyping import Float64

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.facts.finding import class_ratios
from layerscope.facts.wrapping import Reader


def majorities(file: Reader, layer: AtlasLayerRecord) -> dict[int, tuple[str, int, int]]:
    """By unit, the class of more than half of its peaks, of how many, and how many peaks it has."""
    rows, labels = file.all_peaks(layer.id).image, file.peak_labels(layer.id)
    if not labels:
        return {}
    images, names = np.array(sorted(labels), np.int64), sorted(set(labels.values()))
    number = {name: place for place, name in enumerate(names)}
    classes = np.array([number[labels[image]] for image in images.tolist()], np.int64)
    place = np.minimum(np.searchsorted(images, rows), len(images) - 1)
    of = np.where(images[place] == rows, classes[place], -1)
    alike = np.where(of < 0, 0, (of[:, :, None] == of[:, None, :]).sum(2))
    first, peaks = alike.argmax(1), (rows >= 0).sum(1)
    most = alike.max(1)
    return {
        unit: (names[of[unit, first[unit]]], int(most[unit]), int(peaks[unit]))
        for unit in np.flatnonzero(2 * most > peaks).tolist()
    }


def majority(file: Reader, layer: AtlasLayerRecord, unit: int) -> str | None:
    """The class of more than half of a unit's peaks; None where there is none."""
    labels = [file.image(peak.image).label for peak in file.peaks(layer.id, unit)]
    known = Counter(label for label in labels if label is not None)
    label, count = known.most_common(1)[0] if known else (None, 0)
    return label if 2 * count > len(labels) else None


def highest_ratios(file: Reader, layer: AtlasLayerRecord, counts: np.ndarray) -> Float64[np.ndarray, " u"]:
    """Of each unit how far its images of some class exceed those of all."""
    means = file.class_means(layer.id)
    return class_ratios(np.where(np.isfinite(means) & (counts > 0), means, 0.0).astype(np.float64)).max(1)
