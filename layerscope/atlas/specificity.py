"""How much a layer's projections say of their unit, as it is kept: a record, or None where it could not be measured."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Specificity:
    """How much a layer's projections by one method say of their unit: about 0..1, quartiles over n pairs of units.

    Near 0 they show mostly the picture, near 1 mostly the unit.
    """

    median: float
    q25: float
    q75: float
    n: int


def specificity_of(stored: Mapping[str, float] | None) -> Specificity | None:
    """What a stored statistic says; None without one, and where it counts no pair (`{"n": 0}`)."""
    if not stored or not stored["n"]:
        return None
    quartiles = {name: float(stored[name]) for name in ("median", "q25", "q75")}
    return Specificity(**quartiles, n=int(stored["n"]))
