"""What units are said to detect, as records: concepts with their scores, a layer's figures, sentences about units."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# The least score that names a unit (the bar that Bau et al. 2017 put on the IoU).
BAR = 0.04
MEASURES = ("above chance", "bau")
# What an intervention has to do: take, or give, at least this share of an activation, at this level of p.
HALF, SIGNIFICANT = 0.5, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptScore:
    """How well one unit finds one concept.

    level: the drawn concept's, 1 (strokes, colours) and up; None of photographs. category: under which the masks of
    photographs list it ("object", "animal"), "" without. score: the IoU above that of chance, at most 1 (under Bau's
    measure the IoU itself). iou: of the px above the unit's threshold with the concept's, over all images, 0..1.
    frequency: the share of px that carry the concept, 0..1.
    """

    concept: str
    level: int | None
    score: float
    iou: float
    frequency: float
    category: str = ""

    @property
    def kind(self) -> str:
        """Its level or its category, as words; "" without either."""
        return self.category if self.level is None else f"level {self.level}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitConcept:
    """What one unit was found to detect.

    ranked: the three concepts of the highest score, best first; none for a unit that was never above zero. best: the
    first of them if it reaches the bar, else None: none comes close. bau: what Bau's own measure names it, or None.
    """

    unit: int
    ranked: tuple[ConceptScore, ...] = ()
    best: ConceptScore | None = None
    bau: ConceptScore | None = None

    @property
    def dead(self) -> bool:
        """Never above zero on any image."""
        return not self.ranked

    @property
    def runners_up(self) -> tuple[ConceptScore, ...]:
        """Further concepts of the highest scores, best first."""
        return tuple(one for one in self.ranked if one != self.best)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a dissection counts in one layer, by one measure.

    units: all. dead: never above zero. detectors: units named by a concept. distinct_concepts: how many concepts name
    a unit. mean_concept_level: over the detectors, None without any. levels: detectors per level, by level. categories:
    detectors per category, most first; of photographs, whose concepts have no level. median_score: over all units that
    are not dead, of their highest score; None without any.
    """

    units: int
    dead: int
    detectors: int
    distinct_concepts: int
    mean_concept_level: float | None
    levels: Mapping[int, int] = field(default_factory=dict[int, int])
    median_score: float | None = None
    categories: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFigures:
    """A layer's figures by both measures: `above chance`, which names units, and Bau's own."""

    figures: Figures
    bau: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDissection:
    """One layer, unit by unit and as a whole, and what the same measurement gives where there is nothing to find.

    layer: its name. baselines: by name ("shuffled masks", "random mixtures", "untrained network"). others: what was
    found of the baselines' units, by name; an atlas does not keep it.
    """

    layer: str
    units: tuple[UnitConcept, ...]
    figures: Figures
    bau: Figures
    baselines: Mapping[str, LayerFigures] = field(default_factory=dict[str, LayerFigures])
    others: Mapping[str, tuple[UnitConcept, ...]] = field(
        default_factory=dict[str, tuple[UnitConcept, ...]], compare=False, repr=False
    )

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
    as sentences. interventions: whether names stand, where that was asked for; an atlas keeps them by themselves.
    """

    layers: tuple[LayerDissection, ...]
    images: int
    settings: Mapping[str, Any]
    left_out: tuple[str, ...] = ()
    interventions: "Interventions | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A sentence about one unit. layer: its name. kind: what wrote it, such as "describe"."""

    layer: str
    unit: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Necessity:
    """What goes of a unit's activation when a concept is taken out of the pictures that hold it and excite the unit.

    gone: share of the activation, mean over `pictures`; low, high: its 95 % interval. control: the same share when
    something else of the same size is taken out. more: in how many pictures the concept took more, of the `untied`
    ones. p: of the sign test on these, corrected for the number of concepts.
    """

    gone: float
    low: float
    high: float
    control: float
    pictures: int
    more: int
    untied: int
    p: float

    @property
    def passed(self) -> bool:
        """At least half of the activation goes, and more than with something else."""
        return self.gone >= HALF and self.p < SIGNIFICANT


@dataclass(frozen=True, slots=True, kw_only=True)
class Sufficiency:
    """What a concept alone on plain ground excites in a unit.

    reached: share of the unit's ninth peak, mean over `pictures`; low, high: its 95 % interval. rival: the other
    concept that comes nearest, alone and where it does not show this one, and what it reaches; "" without any. p: of
    the rank test against that rival, corrected for the number of concepts.
    """

    reached: float
    low: float
    high: float
    pictures: int
    rival: str
    rival_reached: float
    p: float

    @property
    def passed(self) -> bool:
        """It reaches at least half of the ninth peak, and more than every other concept."""
        return self.reached >= HALF and self.p < SIGNIFICANT


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """What became of a unit when a concept was taken out and when it stood alone.

    necessity: None where no picture that holds the concept excites the unit, or nothing of its size could be taken out
    instead; sufficiency: None where too few could be drawn. part: of a concept that passed both, the part of it that
    did so too and takes as much with it, "" without one: then it is the part that the unit follows.
    """

    concept: str
    level: int
    necessity: Necessity | None = None
    sufficiency: Sufficiency | None = None
    part: str = ""

    @property
    def necessary(self) -> bool:
        return self.necessity is not None and self.necessity.passed

    @property
    def sufficient(self) -> bool:
        return self.sufficiency is not None and self.sufficiency.passed

    @property
    def stands(self) -> bool:
        """Both, and not through a part."""
        return self.necessary and self.sufficient and not self.part

    @property
    def verdict(self) -> str:
        """Which it passed, in words; neither leaves what the overlap tells."""
        passed = [word for word in ("necessary", "sufficient") if getattr(self, word)]
        return f"through its {self.part}" if self.part else " and ".join(passed) or "seen together"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitInterventions:
    """One unit's interventions. tried: with the concepts that rank highest by overlap, and with all that passed one of
    both. kinds: what is drawn at its peaks, with how many of them show it, most first."""

    unit: int
    tried: tuple[Intervention, ...] = ()
    kinds: tuple[tuple[str, int], ...] = ()

    def of(self, concept: str) -> Intervention | None:
        """What was found for a concept; None where it was not tried."""
        return next((one for one in self.tried if one.concept == concept), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesThatStand:
    """How a layer's names stand. named: units with a name by overlap; judged: those whose concept can be taken out and
    was tried; necessary, sufficient, both: those of them that passed; found: units, named or not, of which some concept
    passed both."""

    units: int
    named: int
    judged: int
    necessary: int
    sufficient: int
    both: int
    found: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerInterventions:
    """A layer's interventions, unit by unit and as a whole, and how the names of its baselines stand."""

    layer: str
    units: tuple[UnitInterventions, ...]
    standing: NamesThatStand
    baselines: Mapping[str, NamesThatStand] = field(default_factory=dict[str, NamesThatStand])


@dataclass(frozen=True, slots=True, kw_only=True)
class Interventions:
    """What taking concepts out and showing them alone did to a network's units.

    pictures: how many were looked at; drawn: how many were drawn again. settings: what it was measured with. fixed: by
    concept that cannot be taken out, why not. absent: concepts that no picture shows.
    """

    layers: tuple[LayerInterventions, ...]
    pictures: int
    drawn: int
    settings: Mapping[str, Any]
    fixed: Mapping[str, str] = field(default_factory=dict[str, str])
    absent: tuple[str, ...] = ()
