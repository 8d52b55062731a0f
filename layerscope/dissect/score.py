"""The score that names units: at a concept's own frequency, the IoU above that of chance.

Let a concept cover the share f of all px. The unit is cut where it is above on the same share f, so that unit and
concept are equally large whatever the concept's area. Two independent masks of share f meet on f^2 and cover
2f - f^2 px, an IoU of f / (2 - f); the score is the IoU found minus this. It is 1 - f / (2 - f) for a perfect
detector, 0 for chance, and negative for a unit that avoids the concept or is above zero on less than f of the px.

Beside it stands the measure of Bau et al. 2017: one threshold that 0.5 % of a unit's px exceed, and the IoU itself.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64, Int64

from layerscope.core.concepts import BAR, ConceptScore, Figures, UnitConcept

BAU_QUANTILE = 0.005
RANKED = 3


@runtime_checkable
class ConceptLike(Protocol):
    """A thing that can be in a picture. level: 1 for strokes and colours, higher for what is made of lower ones.

    One of photographs has no level but, as a further attribute, a category.
    """

    @property
    def name(self) -> str: ...

    @property
    def level(self) -> int | None: ...


def chance(frequency: Float64[np.ndarray, " c"]) -> Float64[np.ndarray, " c"]:
    """The IoU of two independent masks that both cover this share of the px."""
    return frequency / (2 - frequency)


def iou(
    overlap: Int64[np.ndarray, "u c"], above: Int64[np.ndarray, "u #c"], area: Int64[np.ndarray, " c"]
) -> Float64[np.ndarray, "u c"]:
    """Intersection over union, from px counted over all images; 0 where there is nothing to join."""
    return overlap / np.maximum(above + area - overlap, 1)


def units_named(
    concepts: Sequence[ConceptLike],
    area: Int64[np.ndarray, " c"],
    px: Int64[np.ndarray, " c"],
    found: Float64[np.ndarray, "u c"],
    found_bau: Float64[np.ndarray, "u c"],
    above_zero: Int64[np.ndarray, " u"],
) -> tuple[UnitConcept, ...]:
    """Every unit with its concepts.

    area: px that carry each concept, of `px` of which that is known. found, found_bau: the IoU at either measure's
    threshold. above_zero: px where a unit is above zero. A concept that no px carries names no unit.
    """
    frequency = area / np.maximum(px, 1)
    present = np.flatnonzero(area)
    score = found - chance(frequency)

    def scored(concept: int, value: float, overlap: float) -> ConceptScore:
        known = concepts[concept]
        return ConceptScore(
            concept=known.name, level=known.level, category=getattr(known, "category", ""), score=value, iou=overlap,
            frequency=float(frequency[concept]),
        )  # fmt: skip

    def named(unit: int) -> UnitConcept:
        if not above_zero[unit] or not len(present):
            return UnitConcept(unit=unit)
        order = present[np.argsort(-score[unit, present], kind="stable")][:RANKED].tolist()
        ranked = tuple(scored(c, float(score[unit, c]), float(found[unit, c])) for c in order)
        top = int(present[np.argmax(found_bau[unit, present])])
        overlap = float(found_bau[unit, top])
        return UnitConcept(
            unit=unit,
            ranked=ranked,
            best=ranked[0] if ranked[0].score >= BAR else None,
            bau=scored(top, overlap, overlap) if overlap > BAR else None,
        )

    return tuple(named(unit) for unit in range(len(above_zero)))


def figures(units: Sequence[UnitConcept], *, bau: bool = False) -> Figures:
    """What the units of a layer add up to, by our measure or by Bau's."""
    named = [one for unit in units if (one := unit.bau if bau else unit.best) is not None]
    levels = Counter(one.level for one in named if one.level is not None)
    categories = Counter(one.category for one in named if one.category)
    best = [unit.ranked[0].score for unit in units if unit.ranked]
    return Figures(
        units=len(units),
        dead=sum(unit.dead for unit in units),
        detectors=len(named),
        distinct_concepts=len({(one.concept, one.category) for one in named}),
        mean_concept_level=float(np.mean([*levels.elements()])) if levels else None,
        levels=dict(sorted(levels.items())),
        categories=dict(sorted(categories.items(), key=lambda item: (-item[1], item[0]))),
        median_score=float(np.median(best)) if best and not bau else None,
    )
