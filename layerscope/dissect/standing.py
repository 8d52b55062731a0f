"""Whether a unit's names stand: what goes with a concept, what it does alone, each against others of its kind.

Taking out is paired: each picture that holds the concept and excites the unit, beside the removal of something else of
nearly the same size from it; the exact sign test tells in how many the concept took more. Alone, a concept
is set against every other one, where that does not show it: it has to exceed the one that comes nearest (one-sided
Mann-Whitney test, its normal form; ties make it stricter), so that no choice among them needs a correction. Both are
corrected over all concepts by Holm (1979): a name is one claim about one unit, and is to be wrong for 5 % of units at
most, whatever the concepts depend on; a rate of false discoveries would let a unit with true names carry a false one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import comb, erfc, sqrt
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from layerscope.core.concepts import (
    HALF,
    SIGNIFICANT,
    Intervention,
    Necessity,
    Sufficiency,
    UnitConcept,
    UnitInterventions,
)

NINTH = 9
LEAST = 8  # drawings of a concept alone, from which on it is judged and is a rival
MORE = 0.1  # of an activation that a whole has to take beyond what its part takes
RESAMPLES = 1000
INTERVAL = (2.5, 97.5)


@dataclass(frozen=True, kw_only=True, eq=False)
class Edits:
    """Drawings without a concept, and of it alone, one of each per row.

    image, concept: places. controlled: whether something else of its size could be taken out. shown: concepts that it
    shows alone. held: concepts that its picture holds.
    """

    image: Int64[np.ndarray, " e"]
    concept: Int64[np.ndarray, " e"]
    controlled: Bool[np.ndarray, " e"]
    shown: Bool[np.ndarray, "e c"]
    held: Bool[np.ndarray, "e c"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Responses:
    """A layer's activations: in every image the highest, and at its place that of every drawing without a concept, and
    without something else (NaN where there was nothing); of it alone the highest."""

    before: Float64[np.ndarray, "images u"]
    without: Float64[np.ndarray, "e u"]
    control: Float64[np.ndarray, "e u"]
    alone: Float64[np.ndarray, "e u"]


class _TakenOut(NamedTuple):
    """Shares that went with a concept, and with something else in its place, in the same order."""

    own: Float64[np.ndarray, " n"]
    other: Float64[np.ndarray, " n"]
    p: float


class _Alone(NamedTuple):
    """Shares that a concept reached alone, and the place of its rival, or -1, with what that reached."""

    own: Float64[np.ndarray, " n"]
    rival: int
    level: float
    p: float


class NameJudge:
    """Judges the units of any layer on one set of drawings. names, levels: of the concepts."""

    def __init__(self, edits: Edits, names: Sequence[str], levels: Sequence[int], seed: int) -> None:
        self.edits, self.names, self.levels, self.seed = edits, names, levels, seed
        e, everyone = edits, range(len(names))
        self._own = [np.flatnonzero(e.concept == concept) for concept in everyone]
        self._of = np.stack([e.concept == concept for concept in everyone]).astype(np.float64)
        self._count = self._of.sum(1)
        # Of every other concept the drawings that do not show this one, and how many they are.
        self._rivals = [np.flatnonzero((e.concept != c) & ~e.shown[:, c]) for c in everyone]
        self._rival_count = [self._of[:, rows].sum(1) for rows in self._rivals]
        self.taken = int((self._count > 0).sum())
        self.judged = self._count >= LEAST

    def layer(self, found: Responses, named: Sequence[UnitConcept]) -> tuple[UnitInterventions, ...]:
        """What was found for a layer's units. named: their concepts by overlap, told whatever they passed."""
        ninth = np.sort(found.before, axis=0)[-min(NINTH, len(found.before))]
        safe = np.where(ninth > 0, ninth, 1)
        before = found.before[self.edits.image]
        excited = (before >= HALF * safe) & (ninth > 0) & self.edits.controlled[:, None]
        level = np.where(excited, before, 1)
        gone, control = (np.where(excited, 1 - to / level, 0).clip(-1, 1) for to in (found.without, found.control))
        reached = np.where(ninth > 0, found.alone / safe, 0).clip(0)
        takes = self._of @ gone >= HALF * np.maximum(self._of @ excited, 1)
        gives = self._means(reached) >= HALF
        return tuple(
            self._unit(
                one, excited[:, unit], gone[:, unit], control[:, unit], reached[:, unit], takes[:, unit], gives[:, unit]
            )
            if ninth[unit] > 0
            else UnitInterventions(unit=unit)
            for unit, one in enumerate(named)
        )

    def _means(self, reached: Float64[np.ndarray, "e u"]) -> Float64[np.ndarray, "c u"]:
        return self._of @ reached / np.maximum(self._count, 1)[:, None]

    def _unit(
        self,
        named: UnitConcept,
        excited: Bool[np.ndarray, " e"],
        gone: Float64[np.ndarray, " e"],
        control: Float64[np.ndarray, " e"],
        reached: Float64[np.ndarray, " e"],
        takes: Bool[np.ndarray, " c"],
        gives: Bool[np.ndarray, " c"],
    ) -> UnitInterventions:
        """takes, gives: the concepts that reach the bar; of the others only those in `named` are told."""
        ranked = [self.names.index(one.concept) for one in named.ranked]
        taken = self._taken(excited, gone, control, {*ranked, *np.flatnonzero(takes).tolist()})
        alone = self._alone(reached, {*ranked, *np.flatnonzero(gives).tolist()})
        passed = {place for found in (taken, alone) for place, one in found.items() if _passes(one)}
        both = [place for place in passed if _passes(taken.get(place)) and _passes(alone.get(place))]
        tried = [
            Intervention(
                concept=self.names[place],
                part=self._part(place, both, excited, gone) if place in both else "",
                level=self.levels[place],
                necessity=self._necessity(taken[place]) if place in taken else None,
                sufficiency=self._sufficiency(alone[place]) if place in alone else None,
            )
            for place in dict.fromkeys((*ranked, *sorted(passed)))
            if place in taken or place in alone
        ]
        return UnitInterventions(unit=named.unit, tried=tuple(tried))

    def _part(
        self, whole: int, both: Sequence[int], excited: Bool[np.ndarray, " e"], gone: Float64[np.ndarray, " e"]
    ) -> str:
        """The part of a whole that passed too, unless pictures that hold both show that the whole takes more; or ""."""
        own = self._own[whole]
        for part in both:
            if part == whole or self.edits.shown[own, part].mean() < HALF:
                continue
            rows = self._own[part]
            rows = rows[excited[rows] & self.edits.held[rows, whole]]
            if not len(rows) or gone[rows].mean() >= gone[own[excited[own]]].mean() - MORE:
                return self.names[part]
        return ""

    def _taken(
        self,
        excited: Bool[np.ndarray, " e"],
        gone: Float64[np.ndarray, " e"],
        control: Float64[np.ndarray, " e"],
        concepts: set[int],
    ) -> dict[int, _TakenOut]:
        rows = {concept: self._own[concept][excited[self._own[concept]]] for concept in sorted(concepts)}
        pairs = {concept: (gone[own], control[own]) for concept, own in rows.items() if len(own)}
        ps = {place: sign_test(int((a > b).sum()), int((a != b).sum())) for place, (a, b) in pairs.items()}
        corrected = holm(ps, self.taken)
        return {place: _TakenOut(own, other, corrected[place]) for place, (own, other) in pairs.items()}

    def _necessity(self, found: _TakenOut) -> Necessity:
        own, other, p = found
        mean, low, high = interval(own, self.seed)
        more, untied = int((own > other).sum()), int((own != other).sum())
        return Necessity(
            gone=mean, low=low, high=high, control=float(other.mean()), pictures=len(own), more=more, untied=untied, p=p
        )

    def _alone(self, reached: Float64[np.ndarray, " e"], concepts: set[int]) -> dict[int, _Alone]:
        rivals = {place: self._rival(place, reached) for place in sorted(concepts) if self.judged[place]}
        corrected = holm({place: p for place, (_, _, p) in rivals.items()}, int(self.judged.sum()))
        return {
            place: _Alone(reached[self._own[place]], rival, level, corrected[place])
            for place, (rival, level, _) in rivals.items()
        }

    def _sufficiency(self, found: _Alone) -> Sufficiency:
        own, rival, level, p = found
        mean, low, high = interval(own, self.seed)
        name = self.names[rival] if rival >= 0 else ""
        return Sufficiency(
            reached=mean, low=low, high=high, pictures=len(own), rival=name, rival_reached=level, p=p
        )  # fmt: skip

    def _rival(self, concept: int, reached: Float64[np.ndarray, " e"]) -> tuple[int, float, float]:
        """The other concept that this one exceeds least clearly, what it reaches, and p."""
        rows, count = self._rivals[concept], self._rival_count[concept]
        others = np.flatnonzero(count >= LEAST)
        if not len(others):
            return -1, 0.0, 1.0
        of = self.edits.concept[rows]
        means = np.bincount(of, reached[rows], len(count))[others] / count[others]
        own = np.sort(reached[self._own[concept]])
        below, upto = (np.searchsorted(own, reached[rows], side=side) for side in ("left", "right"))
        wins = np.bincount(of, len(own) - (below + upto) / 2, len(count))[others]
        beyond = exceeding(wins, len(own), count[others])
        nearest = int(np.lexsort((-means, beyond))[0])
        return int(others[nearest]), float(means[nearest]), upper_tail(float(beyond[nearest]))


def _passes(found: _TakenOut | _Alone | None) -> bool:
    return found is not None and bool(found.own.mean() >= HALF) and found.p < SIGNIFICANT


def sign_test(more: int, untied: int) -> float:
    """The chance that of so many pairs at least `more` lie on one side, were both sides alike. Exact."""
    return sum(comb(untied, count) for count in range(more, untied + 1)) / 2**untied


def exceeding(
    wins: Float64[np.ndarray, " others"], own: int, others: Float64[np.ndarray, " others"]
) -> Float64[np.ndarray, " others"]:
    """z of the one-sided Mann-Whitney test that `own` values tend to be larger than those of each other set.

    wins: of how many pairs the first is the larger, ties as half. In its normal form, with a step of half; what ties
    take from the spread is not taken off, so that they make z smaller.
    """
    return (wins - own * others / 2 - 0.5) / np.sqrt(own * others * (own + others + 1) / 12)


def upper_tail(z: float) -> float:
    """p of a standard normal value so far above zero, or farther."""
    return 0.5 * erfc(z / sqrt(2))


def holm(ps: dict[int, float], count: int) -> dict[int, float]:
    """p-values corrected so that any false one among `count` is as rare as p says (Holm 1979).

    Those that are not given stand behind those that are.
    """
    corrected, least = {}, 0.0
    for rank, key in enumerate(sorted(ps, key=lambda key: ps[key])):
        least = max(least, min(1.0, (count - rank) * ps[key]))
        corrected[key] = least
    return corrected


def interval(values: Float64[np.ndarray, " n"], seed: int) -> tuple[float, float, float]:
    """The mean, and where 95 % of the means of resampled values lie (bootstrap, percentiles; seeded)."""
    means = np.sort(_resamples(seed, len(values)) @ values)
    low, high = np.interp(np.multiply(INTERVAL, (RESAMPLES - 1) / 100), np.arange(RESAMPLES), means)
    return float(values.mean()), float(low), float(high)


@cache
def _resamples(seed: int, count: int) -> Float64[np.ndarray, "resamples n"]:
    """Of every resample the share of each value."""
    drawn = np.random.default_rng([seed, count]).integers(count, size=(RESAMPLES, count))
    return np.stack([np.bincount(one, minlength=count) for one in drawn]) / count
