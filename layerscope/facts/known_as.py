"""What a unit is known as in a few words, where there is room for no more: its name, or the classes that excite it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concept_words import concept_words
from layerscope.facts.layer import class_counts, guesses
from layerscope.facts.standing import at_peaks, names_shown
from layerscope.facts.wrapping import Reader

CLASSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NamingConcept:
    """A concept that names units of a layer. words: the same as people say it. units: how many it names."""

    concept: str
    words: str
    units: int


def naming_concepts(file: Reader, layer: AtlasLayerRecord) -> tuple[NamingConcept, ...]:
    """The concepts that name units of a layer, those of the most units first; doubtful names are left out."""
    named = guesses(file.concepts(layer.id))
    # An atlas's interventions are read where there is a name that they could doubt.
    doubtful = at_peaks(file, layer) if named else {}
    counts = Counter(best.concept for unit, best in named.items() if unit not in doubtful)
    return tuple(
        NamingConcept(concept=concept, words=concept_words(concept), units=units)
        for concept, units in sorted(counts.items(), key=lambda found: (-found[1], found[0]))
    )


def favourites(
    file: Reader, layer: AtlasLayerRecord, units: Iterable[int] | None = None
) -> dict[int, tuple[str, ...]]:  # fmt: skip
    """By unit, the three classes that excite it most, of those above its mean over all labelled images.

    units: which are asked for, all where None. A unit without any is not there; nobody is, where the scan knew no
    classes.
    """
    classes, counts = class_counts(file, layer)
    if not counts.any():
        return {}
    every = file.class_means(layer.id)
    asked = [unit for unit in (range(len(every)) if units is None else units) if unit < len(every)]
    means = every[asked]
    known = (counts > 0) & np.isfinite(means)
    held = np.where(known, means, 0.0).astype(np.float64)
    overall = held @ counts / counts.sum()
    above = np.where(known & (held > np.maximum(overall, 0.0)[:, None]), held, -np.inf)
    found: dict[int, tuple[str, ...]] = {}
    # The first of the highest, again and again: a thousand classes need not be sorted for three.
    for _ in range(min(CLASSES, len(classes))):
        highest = above.argmax(1)
        for place in np.flatnonzero(np.isfinite(above[np.arange(len(above)), highest])).tolist():
            found[asked[place]] = (*found.get(asked[place], ()), str(classes[highest[place]]))
        above[np.arange(len(above)), highest] = -np.inf
    return dict(sorted(found.items()))


def known_as(file: Reader, layer: AtlasLayerRecord, units: Iterable[int] | None = None) -> dict[int, str]:
    """By unit, a few words on it, the first of these that is known: the concept that names it, or what its peaks show
    where that is doubtful; the label, then the word that names it; "fires most for" and classes.

    units: which are asked for, all where None. Those of which nothing is known are not there.
    """
    asked = range(layer.record.units) if units is None else list(units)
    named = {one.unit: one.best.word for one in file.words(layer.id) if one.best is not None}
    named |= {one.unit: one.best.label for one in file.labels(layer.id) if one.best is not None}
    named |= names_shown(file, layer)
    others = favourites(file, layer, [unit for unit in asked if unit not in named])
    said = named | {unit: f"fires most for {', '.join(classes)}" for unit, classes in others.items()}
    return {unit: said[unit] for unit in asked if unit in said}
