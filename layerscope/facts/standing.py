"""Whether a unit's name stands an intervention, in words, and what its peaks show."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.again import GROUND
from layerscope.core.concept_words import closest_words, concept_words
from layerscope.core.concepts import ConceptScore, Interventions, UnitInterventions
from layerscope.core.numbers import in_words, percent
from layerscope.facts.layer import guesses
from layerscope.facts.wrapping import Reader

LISTED = 4  # kinds of things that a doubtful name gives way to
COLOUR_LEVEL = 1
# A name by overlap was seen together with its unit; whatever else there is to pass may not have been tried.
UNTRIED = (("seen together", True), ("necessary", None), ("sufficient", None))


@dataclass(frozen=True, slots=True, kw_only=True)
class NameStanding:
    """What is said of a unit's name. verdict: which test it passed, in words. sentence: with the numbers. kinds: in
    place of a doubtful name what its peaks show; "" where the name will do. tests: the three that there are, with
    whether it passed, None where that could not be tried."""

    verdict: str
    sentence: str
    kinds: str = ""
    tests: tuple[tuple[str, bool | None], ...] = UNTRIED

    @property
    def short(self) -> str:
        """The kinds, or the verdict."""
        return self.kinds or self.verdict


def standing_of(file: Reader, layer: str, unit: int, best: ConceptScore | None) -> NameStanding | None:
    """What is said of a unit's name; None without a name, and where nobody tried names."""
    return standing_in(file.interventions(), layer, unit, best)


def standing_in(found: Interventions | None, layer: str, unit: int, best: ConceptScore | None) -> NameStanding | None:
    """The same, for many units: an atlas's interventions are read once, a hundredth of a second and more."""
    units = units_of(found, layer)
    return None if found is None or best is None or unit >= len(units) else told(units[unit], best, found.fixed)


def at_peaks(file: Reader, layer: AtlasLayerRecord) -> dict[int, str]:
    """By unit whose name is doubtful, what its peaks show in place of that; none where nobody tried names."""
    tried = file.interventions()
    if not units_of(tried, layer.name):
        return {}
    best = guesses(file.concepts(layer.id))
    found = {unit: standing_in(tried, layer.name, unit, one) for unit, one in best.items()}
    return {unit: standing.kinds for unit, standing in found.items() if standing is not None and standing.kinds}


def shown_at_peaks(file: Reader, layer: str, unit: int) -> str:
    """What is drawn at a unit's peaks, whatever it is called; "" where that is not known."""
    units = units_of(file.interventions(), layer)
    return peaks_words(units[unit].kinds) if unit < len(units) else ""


def names_shown(file: Reader, layer: AtlasLayerRecord) -> dict[int, str]:
    """By unit, what it is called: the concept that names it, in words; where that is doubtful, what its peaks show."""
    named = {unit: concept_words(best.concept) for unit, best in guesses(file.concepts(layer.id)).items()}
    return named | at_peaks(file, layer)


def names_said(file: Reader, layer: AtlasLayerRecord) -> dict[int, str]:
    """By unit, the same with what it is: "closest concept: vertical edge", "at its peaks: car 5, boat 3 of eight"."""
    named = {unit: closest_words(best.concept) for unit, best in guesses(file.concepts(layer.id)).items()}
    return named | {unit: f"at its peaks: {kinds}" for unit, kinds in at_peaks(file, layer).items()}


def units_of(found: Interventions | None, layer: str) -> tuple[UnitInterventions, ...]:
    """The units of a layer; none where it was not tried."""
    layers: Iterable = found.layers if found is not None else ()
    return next((one.units for one in layers if one.layer == layer), ())


def told(unit: UnitInterventions, best: ConceptScore, fixed: Mapping[str, str]) -> NameStanding:
    """What is said of one unit's name. fixed: why concepts cannot be taken out."""
    if best.concept in fixed:
        return NameStanding(
            verdict="judged by overlap alone",
            sentence=f"Judged by overlap alone: {concept_words(best.concept)} {fixed[best.concept]}.",
        )
    one = unit.of(best.concept)
    if one is None:
        return NameStanding(verdict="not tried", sentence="Not tried: too few pictures show it and excite the unit.")
    parts = []
    if one.necessity is not None:
        n = one.necessity
        parts.append(
            f"taken out of {n.pictures} pictures, {percent(n.gone)} of the activation goes ({percent(n.low)} to "
            f"{percent(n.high)}; with something else of its size {percent(n.control)}; p = {n.p:.2g})"
        )
    if one.sufficiency is not None:
        n = one.sufficiency
        rival = f"; {concept_words(n.rival)} {percent(n.rival_reached)}" if n.rival else ""
        parts.append(
            f"alone it reaches {percent(n.reached)} of the ninth peak ({percent(n.low)} to {percent(n.high)}{rival}; "
            f"p = {n.p:.2g})"
        )
    numbers = ", ".join(parts)
    verdict = one.verdict
    # Things at the peaks say nothing of a colour.
    judged = one.necessity is not None and one.sufficiency is not None
    doubtful = judged and not one.stands and not one.part and (best.level or 0) > COLOUR_LEVEL
    others = [kind for kind, _ in unit.kinds] != [best.concept]
    return NameStanding(
        verdict=verdict,
        sentence=f"{verdict.capitalize()}: {numbers}.",
        kinds=peaks_words(unit.kinds, most=LISTED) if doubtful and others else "",
        tests=(
            UNTRIED[0],
            ("necessary", one.necessary if one.necessity is not None else None),
            ("sufficient", one.sufficient if one.sufficiency is not None else None),
        ),
    )


def peaks_words(kinds: Iterable[tuple[str, int]], most: int | None = None) -> str:
    """ "cat face 4, boat 3, clock 1 of eight"; "" where none is known. most: so many kinds are named, or one more."""
    every = tuple(kinds)
    if not every:
        return ""
    ordered = sorted(every, key=lambda kind: (kind[0] == GROUND, -kind[1], kind[0]))
    named = ordered if most is None or len(ordered) <= most + 1 else ordered[:most]
    words = [f"{concept_words(kind)} {count}" for kind, count in named]
    words += [f"others {sum(count for _, count in ordered[len(named) :])}"] if len(named) < len(ordered) else []
    return f"{', '.join(words)} of {in_words(sum(count for _, count in every))}"
