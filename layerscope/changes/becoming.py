"""Which unit of a layer has become which: pairs of the best agreement, where a unit sooner keeps its number than not.

A unit of another number has to agree much better: from halfway between what is asked and 1 on, and from halfway between
the agreement of the units of one number and 1 on. Two units of one number that are left then are asked how far they
stand out: they are the same where hardly any other unit would do as well, unless the second is a copy of another one.
Where something of a unit is left under its number, it has changed; any other is lost or dead in the first atlas, and
new in the second.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from layerscope.changes.agreement import Profiles, agreement, at_the_same_number
from layerscope.changes.matching import greedy
from layerscope.changes.standing_out import standing_out
from layerscope.core.changes import CHANGED, DEAD, LOST, MATCHED, MOVED, NEW, PARTLY

# From this agreement on a unit has kept its number, whatever else is like it.
SURE = 0.9
# A unit is a copy of another one where it is so much nearer to it than to the one of its number.
COPIED = 0.1
# Pairs of units in a layer that are looked at to find who moved: those of 4,096 units.
MOST_PAIRS = 4096**2


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChange:
    """What became of a unit. change: a word of core.changes. unit: its number in the first atlas, None of a new one.
    other: in the second; None of a lost one, its own number of a dead one. agreement: of the two, 0..1; None without
    two.

    nearest: for a unit without a partner, the unit of the other atlas that agrees with it most; near: by how much.
    Both are None where none agrees at all. maximum, other_maximum: of their activations. name, other_name: what they
    are called there, "" where nothing is known.
    """

    layer: str
    change: str
    unit: int | None
    other: int | None
    agreement: float | None = None
    nearest: int | None = None
    near: float | None = None
    maximum: float | None = None
    other_maximum: float | None = None
    name: str = ""
    other_name: str = ""


def unit_changes(layer: str, one: Profiles, other: Profiles, least: float) -> tuple[list[UnitChange], bool]:
    """What became of each live unit of a layer, and which are new; and whether moved units were looked for.

    least: from which agreement on two units are the same. Dead units of the first atlas are not told of.
    """
    same, found = at_the_same_number(one, other), list[UnitChange]()
    free, left = one.alive.copy(), other.alive.copy()
    count = len(same)

    def pair(change: str, unit: int, partner: int, score: float) -> None:
        found.append(UnitChange(layer=layer, change=change, unit=unit, other=partner, agreement=score))
        free[unit] = left[partner] = False

    def keep(change: str, from_on: float) -> None:
        for unit in np.flatnonzero(free[:count] & left[:count] & (same >= from_on)).tolist():
            pair(change, unit, unit, float(same[unit]))

    keep(MATCHED, max(least, SURE))
    rows, cols = np.flatnonzero(free), np.flatnonzero(left)
    sought = len(rows) * other.units <= MOST_PAIRS and one.units * len(cols) <= MOST_PAIRS
    # What is left over in one atlas, with all units of the other: the nearest may have a partner.
    to_all = agreement(one, other, rows, np.arange(other.units)) if sought else None
    from_all = agreement(one, other, np.arange(one.units), cols) if sought else None
    if to_all is not None and from_all is not None:
        for row, col in _partners(to_all[:, cols], rows, cols, least):
            unit, partner = int(rows[row]), int(cols[col])
            pair(MATCHED if unit == partner else MOVED, unit, partner, float(to_all[row, partner]))
        own = np.flatnonzero(free[:count] & left[:count])
        copied = _is_another(same[own], from_all[:, np.searchsorted(cols, own)], own)
        same[own] = np.where(copied, 0, standing_out(one, other, own, same[own]))
    keep(MATCHED, least)
    keep(CHANGED, PARTLY)
    found += _gone(layer, rows, free, to_all, other.alive)
    found += _come(layer, cols, left, from_all)
    return found, sought


def _partners(
    scores: Float64[np.ndarray, "a b"], rows: Int64[np.ndarray, " a"], cols: Int64[np.ndarray, " b"], least: float
) -> list[tuple[int, int]]:
    """Rows and columns that go together, the best first, those of one number before others."""
    worth = np.where(rows[:, None] == cols[None, :], (1 + scores) / 2, scores)
    return greedy(worth, least=float(np.nextafter((1 + least) / 2, 0)))


def _is_another(
    same: Float64[np.ndarray, " n"], scores: Float64[np.ndarray, "units n"], own: Int64[np.ndarray, " n"]
) -> Bool[np.ndarray, " n"]:
    """Of units of one number whether the second is a copy of another unit of the first atlas."""
    others = scores.copy()
    others[own, np.arange(len(own))] = 0
    return others.max(0, initial=0) >= 1 - (1 - same) * COPIED


def _gone(
    layer: str,
    rows: Int64[np.ndarray, " a"],
    free: Bool[np.ndarray, " units"],
    scores: Float64[np.ndarray, "a others"] | None,
    alive: Bool[np.ndarray, " others"],
) -> Iterator[UnitChange]:
    """The units of the first atlas without a partner. alive: the units of the second."""
    for row, unit in enumerate(rows.tolist()):
        if free[unit]:
            dead = unit < len(alive) and not alive[unit]
            nearest, near = _nearest(None if scores is None else scores[row])
            yield UnitChange(
                layer=layer, change=DEAD if dead else LOST, unit=unit, other=unit if dead else None,
                nearest=nearest, near=near,
            )  # fmt: skip


def _come(
    layer: str,
    cols: Int64[np.ndarray, " b"],
    left: Bool[np.ndarray, " others"],
    scores: Float64[np.ndarray, "units b"] | None,
) -> Iterator[UnitChange]:
    """The units of the second atlas without a partner."""
    for col, unit in enumerate(cols.tolist()):
        if left[unit]:
            nearest, near = _nearest(None if scores is None else scores[:, col])
            yield UnitChange(layer=layer, change=NEW, unit=None, other=unit, nearest=nearest, near=near)


def _nearest(scores: Float64[np.ndarray, " units"] | None) -> tuple[int | None, float | None]:
    if scores is None or not scores.any():
        return None, None
    highest = int(scores.argmax())
    return highest, float(scores[highest])
