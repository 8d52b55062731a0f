"""What a unit is known as in a few words, where there is room for no more: its name, or the classes that excite it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concepts import ConceptScore
from layerscope.facts.concept_words import concept_words
from layerscope.facts.layer import class_counts, guesses
from layerscope.facts.standing import at_peaks, names_shown
from layerscope.facts.unit import concept_of
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


def runners_up(file: Reader, layer: AtlasLayerRecord, unit: int) -> tuple[ConceptScore, ...]:
    """Further concepts of the highest scores, best first; none where the layer was not dissected."""
    found = concept_of(file.concepts(layer.id), unit)
    return tuple(one for one in found.ranked if one != found.best) if found is not None else ()


def favourites(file: Reader, layer: AtlasLayerRecord) -> dict[int, tuple[str, ...]]:
    """By unit, the three classes that excite it most, of those above its mean over all labelled images.

    A unit without any is not there; nobody is, where the scan knew no classes.
    """
    classes, counts = class_counts(file, layer)
    if not counts.any():
        return {}
    means = file.class_means(layer.id)
    known = (counts > 0) & np.isfinite(means)
    held = np.where(known, means, 0.0).astype(np.float64)
    overall = held @ counts / counts.sum()
    above = np.where(known & (held > np.maximum(overall, 0.0)[:, None]), held, -np.inf)
    found: dict[int, tuple[str, ...]] = {}
    # The first of the highest, again and again: a thousand classes need not be sorted for three.
    for _ in range(min(CLASSES, len(classes))):
        highest = above.argmax(1)
        for unit in np.flatnonzero(np.isfinite(above[np.arange(len(above)), highest])).tolist():
            found[unit] = (*found.get(unit, ()), str(classes[highest[unit]]))
        above[np.arange(len(above)), highest] = -np.inf
    return dict(sorted(found.items()))


def known_as(file: Reader, layer: AtlasLayerRecord) -> Mapping[int, str]:
    """By unit, a few words on it: its name, else "fires most for" and classes; units of which neither is known are not
    there."""
    for_classes = {unit: f"fires most for {', '.join(names)}" for unit, names in favourites(file, layer).items()}
    return for_classes | names_shown(file, layer)
