"""Whether a unit's name stands an intervention, in words, and what its peaks show."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from layerscope.core.again import GROUND
from layerscope.core.concepts import ConceptScore, Interventions, UnitInterventions
from layerscope.core.numbers import in_words, percent
from layerscope.facts.wrapping import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class NameStanding:
    """What is said of a unit's name. verdict: which test it passed, in words. sentence: with the numbers. kinds: in
    place of a doubtful name what its peaks show; "" where the name will do."""

    verdict: str
    sentence: str
    kinds: str = ""

    @property
    def short(self) -> str:
        """The kinds, or the verdict."""
        return self.kinds or self.verdict


def standing_of(file: Reader, layer: str, unit: int, best: ConceptScore | None) -> NameStanding | None:
    """What is said of a unit's name; None without a name, and where nobody tried names."""
    found = file.interventions()
    units = units_of(found, layer)
    return None if found is None or best is None or unit >= len(units) else told(units[unit], best, found.fixed)


def units_of(found: Interventions | None, layer: str) -> tuple[UnitInterventions, ...]:
    """The units of a layer; none where it was not tried."""
    layers: Iterable = found.layers if found is not None else ()
    return next((one.units for one in layers if one.layer == layer), ())


def told(unit: UnitInterventions, best: ConceptScore, fixed: Mapping[str, str]) -> NameStanding:
    """What is said of one unit's name. fixed: why concepts cannot be taken out."""
    if best.concept in fixed:
        return NameStanding(
            verdict="judged by overlap alone",
            sentence=f"Judged by overlap alone: {best.concept} {fixed[best.concept]}.",
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
        rival = f"; {n.rival} {percent(n.rival_reached)}" if n.rival else ""
        parts.append(
            f"alone it reaches {percent(n.reached)} of the ninth peak ({percent(n.low)} to {percent(n.high)}{rival}; "
            f"p = {n.p:.2g})"
        )
    numbers = ", ".join(parts)
    verdict = one.verdict
    doubtful = not (one.necessary or one.sufficient)
    return NameStanding(
        verdict=verdict,
        sentence=f"{verdict.capitalize()}: {numbers}.",
        kinds=kinds_words(unit.kinds) if doubtful else "",
    )


def kinds_words(kinds: Iterable[tuple[str, int]]) -> str:
    """ "cat face 4, boat 3, clock 1 of eight"; "" where all peaks show one kind, or none is known."""
    every = tuple(kinds)
    if len(every) < 2:
        return ""
    ordered = sorted(every, key=lambda kind: (kind[0] == GROUND, -kind[1], kind[0]))
    return f"{', '.join(f'{kind} {count}' for kind, count in ordered)} of {in_words(sum(n for _, n in every))}"
