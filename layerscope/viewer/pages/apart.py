"""Boxes on one picture, drawn so that none hides another: those that coincide lie inside one another, numbers apart.

Units of a deep layer often fire at one place. A box that would lie on an earlier one is drawn a step further in, or out
where there is no room; each has a number, at its edge where that is free, else nearby with a line that leads to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import NamedTuple

# Steps, and the height of a number, as parts of the picture's longer side.
STEPS, NUMBERS = 48, 15
# A digit's width as a part of its height, and how far a box moves at most, in steps.
DIGIT, MOST_STEPS = 0.65, 18


class ShownBox(NamedTuple):
    """A box as an SVG draws it, px of its picture."""

    x: float
    y: float
    width: float
    height: float

    def inset(self, by: float) -> "ShownBox":
        """The same box smaller on all four sides, or larger."""
        return ShownBox(self.x + by, self.y + by, self.width - 2 * by, self.height - 2 * by)

    def meets(self, other: "ShownBox") -> bool:
        """Whether two boxes have an area in common."""
        across = self.x < other.x + other.width and other.x < self.x + self.width
        return across and self.y < other.y + other.height and other.y < self.y + self.height

    def within(self, other: "ShownBox") -> bool:
        """Whether this box lies inside another one."""
        across = other.x <= self.x and self.x + self.width <= other.x + other.width
        return across and other.y <= self.y and self.y + self.height <= other.y + other.height

    @property
    def sides(self) -> tuple[float, float, float, float]:
        return self.x, self.y, self.x + self.width, self.y + self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedBox:
    """A box as it is drawn, with its number. number: 1 for the first. label: what the number covers. led: it lies apart
    from its box, so that a line leads there."""

    number: int
    box: ShownBox
    label: ShownBox
    led: bool


def apart(boxes: Sequence[ShownBox], width: float, height: float) -> tuple[NumberedBox, ...]:
    """The boxes as they are drawn on a picture of this size, in px, with numbers from 1 on.

    A drawn box has its true box's middle. No two drawn boxes have all four sides within a step of each other, and no
    two numbers overlap, as long as there is room for it.
    """
    whole, step, size = ShownBox(0, 0, width, height), max(width, height) / STEPS, max(width, height) / NUMBERS
    drawn, labels = list[ShownBox](), list[ShownBox]()
    for number, box in enumerate(boxes, 1):
        drawn.append(_drawn(box, drawn, whole, step))
        labels.append(_label(drawn[-1], labels, whole, size, DIGIT * size * len(str(number))))
    return tuple(
        NumberedBox(number=number, box=_rounded(box), label=_rounded(label), led=not label.meets(box))
        for number, box, label in zip(count(1), drawn, labels, strict=False)
    )


def _drawn(box: ShownBox, earlier: Sequence[ShownBox], whole: ShownBox, step: float) -> ShownBox:
    """The first of the box itself, a step in, a step out, two in ... that differs from all earlier ones.

    Beyond the picture only where there is no other.
    """
    tried = chain([0], (sign * far for far in range(1, MOST_STEPS) for sign in (1, -1)))
    found = (box.inset(steps * step) for steps in tried if steps <= 0 or min(box[2:]) >= 2 * (steps + 1) * step)
    first = None
    for one in found:
        if all(_differ(one, other, step) for other in earlier):
            if one.within(whole):
                return one
            first = first or one
    return first or box


def _differ(box: ShownBox, other: ShownBox, step: float) -> bool:
    # Rounding must not decide: a box that was moved by a whole step differs by one.
    return max(abs(a - b) for a, b in zip(box.sides, other.sides, strict=True)) >= 0.99 * step


def _label(box: ShownBox, taken: Sequence[ShownBox], whole: ShownBox, height: float, width: float) -> ShownBox:
    """The first free place of a number: along the box's edges inside it, then anywhere, the nearest first."""
    for x, y in chain(_along(box, width, height), _nearby(box, whole, width, height)):
        found = ShownBox(x, y, width, height)
        if found.within(whole) and not any(found.meets(other) for other in taken):
            return found
    return ShownBox(box.x, box.y, width, height)


def _along(box: ShownBox, width: float, height: float) -> Iterator[tuple[float, float]]:
    """Places inside a box from its upper left corner on: along the top, the left, the bottom and the right."""
    left, top, right, bottom = box.x, box.y, box.x + box.width - width, box.y + box.height - height
    yield left, top
    if right < left or bottom < top:
        return
    across = [left + place * width for place in range(int((right - left) / width) + 1)]
    down = [top + place * height for place in range(int((bottom - top) / height) + 1)]
    yield from ((x, top) for x in across)
    yield from ((left, y) for y in down)
    yield from ((x, bottom) for x in across)
    yield from ((right, y) for y in down)


def _nearby(box: ShownBox, whole: ShownBox, width: float, height: float) -> Iterator[tuple[float, float]]:
    """All places of a grid over the picture, the nearest to the box's upper left corner first."""
    columns, rows = int(whole.width / width), int(whole.height / height)
    places = [(column * width, row * height) for row in range(rows) for column in range(columns)]
    yield from sorted(places, key=lambda place: (place[0] - box.x) ** 2 + (place[1] - box.y) ** 2)


def _rounded(box: ShownBox) -> ShownBox:
    return ShownBox(*(round(side, 2) for side in box))
