"""A drawn picture can be drawn again: without one of its concepts, or that concept alone. What such a drawing gives.

Everything else stays as it was, px for px: nothing is drawn by chance a second time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, UInt8

from layerscope.core.geometry import Box

ALIKE = 2.0  # something else of the same size has at most so many times as many px, and at least so few
TRIES = 4  # sets of concepts that are taken out in turn, until one is a control
TOUCHED = 0.1  # share of the smaller of two areas from which on they meet
GROUND = "ground"  # what is seen where no concept was drawn


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TakenOut:
    """A picture without some concepts. changed: where it differs, before light and blur."""

    pixels: UInt8[np.ndarray, "h w 3"]
    changed: Bool[np.ndarray, "h w"]

    @property
    def size(self) -> int:
        """How many px changed."""
        return int(self.changed.sum())

    def is_control(self, other: "TakenOut") -> bool:
        """Whether the other one is about as large, and changes hardly any of the same px."""
        return self.size / ALIKE <= other.size <= self.size * ALIKE and not meet(self.changed, other.changed)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alone:
    """A concept alone on plain ground, at its place and size. shown: the places of the concepts that it is made of or
    shows as well, itself too."""

    pixels: UInt8[np.ndarray, "h w 3"]
    shown: frozenset[int]


class DrawnConcept(Protocol):
    """What can be drawn. level: 1 for strokes and colours, higher for what is made of lower ones."""

    @property
    def name(self) -> str: ...

    @property
    def level(self) -> int: ...


def meet(one: Bool[np.ndarray, "h w"], other: Bool[np.ndarray, "h w"]) -> bool:
    """Whether two areas have more than a little of the smaller one in common."""
    return bool((one & other).sum() > TOUCHED * min(one.sum(), other.sum()))


def chosen_instead(sizes: Mapping[int, int], size: int) -> list[list[int]]:
    """Sets of the concepts with these sizes, px, which together come near a size, the nearest first; few.

    Each begins with another concept, of those nearest in size, and takes on others until it is about as large.
    """
    order = sorted(sizes, key=lambda concept: (abs(sizes[concept] - size), concept))
    found = list[list[int]]()
    for first in order[:TRIES]:
        chosen, held = list[int](), 0
        for concept in (first, *(other for other in order if other != first)):
            if held < size / ALIKE and held + sizes[concept] <= ALIKE * size:
                chosen.append(concept)
                held += sizes[concept]
        if chosen and sorted(chosen) not in [sorted(other) for other in found]:
            found.append(chosen)
    return found


@runtime_checkable
class DrawnPicture(Protocol):
    """One picture, ready to be drawn again.

    pixels: as it is. removable: the places of the concepts that are seen in it and can be taken out.
    """

    @property
    def pixels(self) -> UInt8[np.ndarray, "h w 3"]: ...

    @property
    def removable(self) -> Sequence[int]: ...

    def without(self, concepts: Sequence[int], /) -> TakenOut:
        """The picture with every occurrence of some removable concepts taken out."""
        ...

    def instead(self, concept: int, size: int, /) -> Sequence[Sequence[int]]:
        """Sets of other removable concepts, apart from this one, that together are about so many px; perhaps none."""
        ...

    def alone(self, concept: int, /) -> Alone:
        """One occurrence of a removable concept on plain ground, the largest or the least mixed with others."""
        ...

    def kind(self, box: Box, /) -> str:
        """What is drawn in the middle half of a box of the picture's px: the outermost thing that fills most of it."""
        ...


@runtime_checkable
class DrawnAgain(Protocol):
    """Pictures that can be drawn again. concepts: what is looked for; fixed: by concept that cannot be taken out, why
    not, as a sentence without its full stop."""

    @property
    def concepts(self) -> Sequence[DrawnConcept]: ...

    @property
    def fixed(self) -> dict[str, str]: ...

    def __len__(self) -> int: ...

    def again(self, image: int, /) -> DrawnPicture:
        """The picture of this number."""
        ...
