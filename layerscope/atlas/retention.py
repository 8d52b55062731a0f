"""How much of an activation the pixels that a method marks keep, as it is kept: of a layer's sample a record, or None
where unmeasured; of units, rows and back. Early atlases lack the table: they have none."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from layerscope.atlas.rows import has_table, insert, select

KEPT = "layer unit method own random"
PUT_KEPT = insert("kept", KEPT, key="layer unit method")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean over units, and the 95 % interval of it by bootstrap."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What stays of a unit's activation where only some pixels of its field are kept: shares, about 0..1.

    own: of those that a layer's projections by one method mark most; edges, random: of as many on the picture's edges,
    and of random ones; all over the same n units. partner: of those marked for another unit that is active at the same
    place, over the pairs there are; selectivity: own minus partner over these pairs. Both are None without a pair.
    """

    n: int
    own: Interval
    edges: Interval
    random: Interval
    pairs: int
    partner: Interval | None
    selectivity: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptByMarks:
    """What stays of a unit's activation at its first peak, where only some pixels of its field are kept.

    method: by whose projection. own: the share that the 15 % keep which it marks most. random: ... that as many random
    pixels keep. Shares of the activation, 0 and up.
    """

    method: str
    own: float
    random: float


def read_kept(connection: sqlite3.Connection, layer_id: int, unit: int) -> tuple[KeptByMarks, ...]:
    """What each method's marks keep of a unit's first peak, by the methods' names."""
    if not has_table(connection, "kept"):
        return ()
    query = select("kept", "method own random", "WHERE layer = ? AND unit = ? ORDER BY method")
    rows = connection.execute(query, (layer_id, unit)).fetchall()
    return tuple(KeptByMarks(method=method, own=own, random=random) for method, own, random in rows)


def retention_of(stored: Mapping[str, Any] | None) -> Retention | None:
    """What a stored statistic says; None without one, and where it counts no unit (`{"n": 0}`)."""
    if not stored or not stored["n"]:
        return None
    paired = bool(stored["pairs"])
    return Retention(
        n=int(stored["n"]),
        own=_interval(stored["own"]),
        edges=_interval(stored["edges"]),
        random=_interval(stored["random"]),
        pairs=int(stored["pairs"]),
        partner=_interval(stored["partner"]) if paired else None,
        selectivity=_interval(stored["selectivity"]) if paired else None,
    )


def _interval(stored: list[float]) -> Interval:
    mean, low, high = map(float, stored)
    return Interval(mean=mean, low=low, high=high)
