"""What masks are, whatever they lie in: planes of numbers over a picture, and the concepts that the numbers stand for.

A plane may be of another size than its picture, as its form prescribes: it then lies over the whole of it. A label of
the whole picture is a plane of one px.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int64, Integer

from layerscope.core.errors import UsageError

# How a stored picture is turned, and a plane over it with it, by its EXIF orientation.
_TURNS = {
    2: lambda plane: plane[:, ::-1],
    3: lambda plane: plane[::-1, ::-1],
    4: lambda plane: plane[::-1],
    5: lambda plane: plane.T,
    6: lambda plane: plane[::-1].T,
    7: lambda plane: plane[::-1, ::-1].T,
    8: lambda plane: plane.T[::-1],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskConcept:
    """Something that masks show. category: under which their form lists it, such as "object" or "animal"; "" without.

    It has no level: those are of the drawn world alone.
    """

    name: str
    category: str = ""
    level: None = None


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Numbers over a whole picture. concepts: by number the place of its concept, -1 for none; it holds every number of
    the plane."""

    numbers: Integer[np.ndarray, "h w"]
    concepts: Int64[np.ndarray, " numbers"]

    def turned(self, orientation: int) -> "Plane":
        """As it lies over the picture that its EXIF orientation has turned upright."""
        turn = _TURNS.get(orientation)
        return self if turn is None else replace(self, numbers=turn(self.numbers))


def only(concept: int) -> Int64[np.ndarray, " numbers"]:
    """The concepts of a plane of no and yes."""
    return np.array([-1, concept])


def require_distinct(concepts: Sequence[MaskConcept], where: object) -> None:
    """Raises UsageError where two concepts cannot be told apart."""
    seen: set[MaskConcept] = set()
    for concept in concepts:
        if concept in seen:
            said = f' of the category "{concept.category}"' if concept.category else ""
            raise UsageError(f'{where} names two concepts{said} "{concept.name}"; give each a name of its own')
        seen.add(concept)
