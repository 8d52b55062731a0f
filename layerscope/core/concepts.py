"""What units are said to detect, as records: concepts with their scores, a layer's figures, sentences about units."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# The least score that names a unit (the bar that Bau et al. 2017 put on the IoU).
BAR = 0.04
MEASURES = ("above chance", "bau")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptScore:
    """How well one unit finds one concept.

    level: the concept's, 1 (strokes, colours) and up. score: the IoU above that of chance, at most 1 (under Bau's
    measure the IoU itself). iou: of the px above the unit's threshold with the concept's, over all images, 0..1.
    frequency: the share of px that carry the concept, 0..1.
    """

    concept: str
    level: int
    score: float
    iou: float
    frequency: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitConcept:
    """What one unit was found to detect.

    ranked: the three concepts of the highest score, best first; none for a unit that was never above zero. best: the
    first of them if it reaches the bar, else None: no concept found. bau: what Bau's own measure names it, or None.
    """

    unit: int
    ranked: tuple[ConceptScore, ...] = ()
    best: ConceptScore | None = None
    bau: ConceptScore | None = None

    @property
    def dead(self) -> bool:
        """Never above zero on any image."""
        return not self.ranked


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a dissection counts in one layer, by one measure.

    units: all. dead: never above zero. detectors: units named by a concept. distinct_concepts: how many concepts name
    a unit. mean_concept_level: over the detectors, None without any. levels: detectors per level, by level.
    median_score: over all units that are not dead, of their highest score; None without any.
    """

    units: int
    dead: int
    detectors: int
    distinct_concepts: int
    mean_concept_level: float | None
    levels: Mapping[int, int] = field(default_factory=dict[int, int])
    median_score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFigures:
    """A layer's figures by both measures: `above chance`, which names units, and Bau's own."""

    figures: Figures
    bau: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDissection:
    """One layer, unit by unit and as a whole, and what the same measurement gives where there is nothing to find.

    layer: its name. baselines: by name ("shuffled masks", "random mixtures", "untrained network").
    """

    layer: str
    units: tuple[UnitConcept, ...]
    figures: Figures
    bau: Figures
    baselines: Mapping[str, LayerFigures] = field(default_factory=dict[str, LayerFigures])

    @property
    def detectors(self) -> int:
        return self.figures.detectors

    @property
    def distinct_concepts(self) -> int:
        return self.figures.distinct_concepts

    @property
    def mean_concept_level(self) -> float | None:
        return self.figures.mean_concept_level

    def strongest(self, count: int) -> tuple[UnitConcept, ...]:
        """The named units of the highest score, best first."""
        named = [(unit.best.score, unit) for unit in self.units if unit.best is not None]
        return tuple(unit for _, unit in sorted(named, key=lambda pair: (-pair[0], pair[1].unit))[:count])


@dataclass(frozen=True, slots=True, kw_only=True)
class Dissection:
    """Which unit detects which concept, for the layers of a network.

    images: how many were looked at. settings: what it was measured with. left_out: layers that cannot be dissected,
    as sentences.
    """

    layers: tuple[LayerDissection, ...]
    images: int
    settings: Mapping[str, Any]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A sentence about one unit. layer: its name. kind: what wrote it, such as "describe"."""

    layer: str
    unit: int
    kind: str
    text: str
