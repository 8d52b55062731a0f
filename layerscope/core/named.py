"""Units that are named by ranks, whatever by: those farthest above chance come first."""

from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable


@runtime_checkable
class RankedName(Protocol):
    """What names a unit. z: the standard deviations by which it is above chance."""

    @property
    def z(self) -> float: ...


@runtime_checkable
class NamedByRanks(Protocol):
    """A unit. best: what names it, None where nothing does."""

    @property
    def unit(self) -> int: ...

    @property
    def best(self) -> RankedName | None: ...


NamedT = TypeVar("NamedT", bound=NamedByRanks)


def farthest_above_chance(units: Sequence[NamedT], count: int) -> tuple[NamedT, ...]:
    """The named units, best first, at most `count`."""
    named = [(one.best.z, one) for one in units if one.best is not None]
    return tuple(one for _, one in sorted(named, key=lambda pair: (-pair[0], pair[1].unit))[:count])
