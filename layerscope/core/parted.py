"""A stage's work, taken apart for a journey: what all pieces share goes once, with each piece what it alone needs.

Of a million images each worker needs the names of those that it is asked for, and no others. So work that names images
leaves the names behind when it is parted, and every piece takes its own along.
"""

import pickle
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from layerscope.core.engines import Made, Piece, Work, one, packed

HeldT = TypeVar("HeldT")
PartT = TypeVar("PartT")


@runtime_checkable
class Parting(Protocol):
    """Work that can leave behind what only single pieces need."""

    def hollow(self) -> "Parting":
        """The same work without what only single pieces need."""
        ...

    def luggage(self, piece: Piece[Any], /) -> Any:
        """What a piece needs besides the hollow work; it pickles."""
        ...

    def take(self, luggage: Any, /) -> None:
        """Hollow work, made fit for one more piece, and for no earlier one."""
        ...


@dataclass(frozen=True)
class Parted:
    """common: the hollow work, pickled. luggage: from a piece what goes along with it, None for work that has nothing
    to leave behind."""

    common: bytes
    luggage: Callable[[Piece[Any]], Any]


def parted(work: Work[HeldT, PartT], engine: str) -> Parted:
    """Work as it travels. Raises UsageError where the network or the images cannot."""
    if isinstance(work, Parting):
        hollow = cast(Work[HeldT, PartT], work.hollow())
        return Parted(packed(hollow, engine), copy(work).luggage)
    return Parted(packed(work, engine), lambda piece: None)


def unpacked(common: bytes) -> Work[Any, Any]:
    """The work that `parted` packed; trusted, since only an engine's own processes are handed it."""
    return pickle.loads(common)


def delivered(work: Work[HeldT, PartT], piece: Piece[HeldT], luggage: Any) -> Made[PartT]:
    """What unpacked work makes of one piece, whole."""
    if luggage is not None and isinstance(work, Parting):
        work.take(luggage)
    return one(work, piece)
