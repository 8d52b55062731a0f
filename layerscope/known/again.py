"""Known pictures drawn again: without a planted pattern, or with one alone on plain ground.

A wide blob and a blob are the same spot under two names, so both are one pattern here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, UInt8

from layerscope.core.again import GROUND, Alone, TakenOut, chosen_instead
from layerscope.core.geometry import Box
from layerscope.known.canvas import Plant, PlantedCanvas
from layerscope.known.patterns import SHAPES, STROKES, THINGS
from layerscope.known.pictures import composed


@dataclass(frozen=True, slots=True)
class Pattern:
    """A planted pattern. level: 1 is a stroke, 2 a shape, 3 a thing."""

    name: str
    level: int


def pattern_name(unit: str) -> str:
    """The pattern that a unit of the known network was built for."""
    return unit.removeprefix("wide ")


PATTERNS = tuple(
    Pattern(name, level)
    for level, names in enumerate((STROKES, SHAPES, THINGS), start=1)
    for name in names
    if name == pattern_name(name)
)
PLACE = {pattern.name: place for place, pattern in enumerate(PATTERNS)}


class KnownPictures:
    """The first `count` known pictures of a seed, to be drawn again."""

    concepts: Sequence[Pattern] = PATTERNS

    def __init__(self, count: int, seed: int = 0) -> None:
        self.count, self.seed = count, seed

    @property
    def fixed(self) -> dict[str, str]:
        """Every pattern can be taken out."""
        return {}

    def __len__(self) -> int:
        return self.count

    def again(self, image: int, /) -> "PlantedAgain":
        """One picture, ready to be drawn again."""
        return PlantedAgain(composed(np.random.default_rng((self.seed, image)), image)[1])


@dataclass(eq=False)
class PlantedAgain:
    """One known picture, with the strokes that it is made of."""

    canvas: PlantedCanvas

    @cached_property
    def _own(self) -> dict[int, list[tuple[Plant, range]]]:
        found: dict[int, list[tuple[Plant, range]]] = {}
        for plant, strokes in zip(self.canvas.plants, self.canvas.inked, strict=True):
            found.setdefault(PLACE[pattern_name(plant.name)], []).append((plant, strokes))
        return found

    @cached_property
    def _pixels(self) -> UInt8[np.ndarray, "side side 3"]:
        return self.canvas.pixels()

    @property
    def pixels(self) -> UInt8[np.ndarray, "side side 3"]:
        """As it is."""
        return self._pixels

    @property
    def removable(self) -> Sequence[int]:
        """What was planted by itself: the lines of a square are the square's."""
        return sorted(place for place, own in self._own.items() if any(self._whole(strokes) for _, strokes in own))

    @cached_property
    def _areas(self) -> dict[int, Bool[np.ndarray, "side side"]]:
        """Where each pattern is seen: what changes without it."""
        return {place: (self.canvas.pixels(self._strokes([place])) != self.pixels).any(2) for place in self._own}

    def without(self, concepts: Sequence[int], /) -> TakenOut:
        pixels = self.canvas.pixels(self._strokes(concepts))
        return TakenOut(pixels=pixels, changed=(pixels != self.pixels).any(2))

    def _strokes(self, concepts: Sequence[int]) -> frozenset[int]:
        return frozenset(number for concept in concepts for _, strokes in self._own[concept] for number in strokes)

    def instead(self, concept: int, size: int, /) -> Sequence[Sequence[int]]:
        own = self._areas[concept]
        return chosen_instead(
            {other: int(area.sum()) for other, area in self._areas.items() if not (area & own).any()}, size
        )  # fmt: skip

    def alone(self, concept: int, /) -> Alone:
        # What is no part of another pattern comes first.
        _, kept = max(self._own[concept], key=lambda one: (self._whole(one[1]), one[0].size))
        plain = PlantedCanvas(np.broadcast_to(self.canvas.background.mean((0, 1)), self.canvas.background.shape))
        plain.strokes = [self.canvas.strokes[number] for number in kept]
        shown = {other for other, own in self._own.items() for _, part in own if set(part) <= set(kept)}
        return Alone(pixels=plain.pixels(), shown=frozenset(shown))

    def _whole(self, strokes: range) -> bool:
        return not any(set(strokes) < set(other) for other in self.canvas.inked)

    def kind(self, box: Box, /) -> str:
        """The pattern of the highest level whose place lies in the box."""
        middle = (box.top + box.bottom) / 2, (box.left + box.right) / 2
        near = [(-PATTERNS[place].level, plant.distance(*middle), PATTERNS[place].name)
                for place, own in self._own.items() for plant, _ in own
                if plant.distance(*middle) < min(box.height, box.width) / 4]  # fmt: skip
        return min(near)[2] if near else GROUND
