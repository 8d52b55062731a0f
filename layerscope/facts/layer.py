"""What is known of a layer's units together: which are live, what names them, which are shown, which are twins."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float64, Int64

from layerscope.atlas.records import AtlasLayerRecord, Neighbour
from layerscope.core.concepts import ConceptScore, UnitConcept
from layerscope.core.records import Peaks
from layerscope.core.strata import NEAR_DUPLICATE
from layerscope.facts.wrapping import Reader

# The specificity from which on projections say something of their unit, and from which on mostly that.
TELLING, OWN = 0.2, 0.6
# The selectivity from which on what a projection marks is partly, and mostly, its own unit's.
PARTLY, MOSTLY = 0.2, 0.5


def live(peaks: Peaks) -> Bool[np.ndarray, " u"]:
    """Of each unit whether it has a peak; one without is dead."""
    return peaks.image[:, 0] >= 0


def live_units(peaks: Peaks) -> Int64[np.ndarray, " live"]:
    """The numbers of the units that have a peak."""
    return np.flatnonzero(live(peaks))


def dead_count(file: Reader, layer: AtlasLayerRecord) -> int:
    """How many units of a layer have no peak; 0 before it is scanned."""
    scanned = len(file.scanned(layer.id).maximum)
    return int((~live(file.all_peaks(layer.id))).sum()) if scanned else 0


def guesses(concepts: Iterable[UnitConcept]) -> dict[int, ConceptScore]:
    """By unit, the concept that names it; units without a name are not there."""
    return {one.unit: one.best for one in concepts if one.best is not None}


def names(concepts: Iterable[UnitConcept]) -> dict[int, str]:
    """By unit, the name of the concept that names it; units without one are not there."""
    return {unit: best.concept for unit, best in guesses(concepts).items()}


def own_specificity(file: Reader, layer: AtlasLayerRecord) -> float | None:
    """How much a layer's own projections say of their unit, about 0..1; None where it was not measured."""
    found = file.specificity(layer.id, layer.method)
    return found.median if found else None


def twins(neighbours: Iterable[Neighbour]) -> dict[int, Neighbour]:
    """By unit, the unit of its layer that it nearly duplicates, if there is one: the most correlated."""
    near = [one for one in neighbours if one.correlation >= NEAR_DUPLICATE]
    return {one.unit: one for one in sorted(near, key=lambda one: -one.rank)}


def class_counts(file: Reader, layer: AtlasLayerRecord) -> tuple[list[str], Float64[np.ndarray, " classes"]]:
    """The classes and how many images each has; none where the scan of this layer knew no labels."""
    classes, counts = file.statistic("classes"), file.statistic("class_counts")
    if not classes or not counts or file.scanned(layer.id).classes != len(classes):
        return [], np.zeros(0)
    return classes, np.asarray(counts, np.float64)


def sample(
    file: Reader, layer: AtlasLayerRecord, units: Int64[np.ndarray, " n"], count: int, seed: int
) -> tuple[int, ...]:
    """The first units of a seeded shuffle whose patches were kept (a build may have shown some only), ascending."""
    chosen: list[int] = []
    held = file.units_with_sheets(layer.id, "patches")
    for unit in np.random.default_rng(seed).permutation(units).tolist():
        if len(chosen) == count:
            break
        if unit in held:
            chosen.append(unit)
    return tuple(sorted(chosen))
