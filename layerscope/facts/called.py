"""What a unit is called in a list, by whatever is known of it: concept, label, word, or the class it fires for."""

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.facts.finding import class_ratios
from layerscope.facts.layer import class_counts
from layerscope.facts.standing import names_shown
from layerscope.facts.wrapping import Reader


def called(file: Reader, layer: AtlasLayerRecord) -> dict[int, str]:
    """By unit, the first of these that is known: the concept that names it, or what its peaks show where that is
    doubtful; the label, then the word that names it; the class whose mean stands out most."""
    names = _classes(file, layer)
    names |= {one.unit: one.best.word for one in file.words(layer.id) if one.best is not None}
    names |= {one.unit: one.best.label for one in file.labels(layer.id) if one.best is not None}
    return names | names_shown(file, layer)


def _classes(file: Reader, layer: AtlasLayerRecord) -> dict[int, str]:
    classes, counts = class_counts(file, layer)
    means = file.class_means(layer.id)
    if not classes or len(counts) != means.shape[1]:
        return {}
    ratios = class_ratios(np.where(np.isfinite(means) & (counts > 0), means, 0.0).astype(np.float64))
    return {
        unit: f"most for {classes[highest]}"
        for unit, highest in enumerate(ratios.argmax(1).tolist())
        if ratios[unit, highest] > 0
    }
