"""A canvas that remembers what was drawn where, so that nobody has to guess what a picture shows."""

from collections.abc import Collection
from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from layerscope.known.patterns import COLOURS, line_name, toward

# Drawn four times as large and averaged: smooth edges, whatever the angle.
FINENESS = 4

Paint = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A pattern and its place: name as in UNIT_NAMES; row, col of its centre; size across; all in picture px.

    angle: of a line, in degrees counter-clockwise; None for all else.
    """

    name: str
    row: float
    col: float
    size: float
    angle: float | None = None

    def distance(self, row: float, col: float) -> float:
        """How far a point lies from the pattern's centre, in px; for a line, from the nearest point on it."""
        down, right = row - self.row, col - self.col
        if self.angle is None:
            return float(np.hypot(down, right))
        ahead, across = toward(self.angle)
        along = np.clip(down * ahead + right * across, -self.size / 2, self.size / 2)
        return float(np.hypot(down - along * ahead, right - along * across))

    def holds(self, row: float, col: float, slack: float) -> bool:
        """Whether a point is on the pattern: anywhere in a blob, and else at most `slack` px from its place."""
        return self.distance(row, col) <= (max(slack, self.size / 2) if self.name.endswith("blob") else slack)


@dataclass(frozen=True, slots=True)
class _Stroke:
    """One piece of ink: a line of a radius through points, or, without one, a disc in the box of two. Fine px."""

    points: list[tuple[float, float]]
    colour: tuple[int, int, int, int]
    radius: float | None = None

    def put(self, draw: ImageDraw.ImageDraw) -> None:
        if self.radius is None:
            draw.ellipse(self.points, fill=self.colour)
            return
        draw.line(self.points, fill=self.colour, width=round(2 * self.radius))
        for col, row in self.points:
            box = (col - self.radius, row - self.radius, col + self.radius, row + self.radius)
            draw.ellipse(box, fill=self.colour)


class PlantedCanvas:
    """A square picture in the making; `plants` holds whatever was drawn on it.

    background: float[side, side, 3], 0..1.
    """

    def __init__(self, background: Float[np.ndarray, "side side 3"]) -> None:
        self.background = background
        self.plants: list[Plant] = []
        self.inked: list[range] = []  # of each plant the strokes that show it
        self.strokes: list[_Stroke] = []

    def line(self, row: float, col: float, angle: float, length: float, width: float, tone: str, paint: Paint) -> None:
        """A straight line through a place, with round ends."""
        down, right = toward(angle, length / 2)
        ends = [(col - right, row - down), (col + right, row + down)]
        self._polyline(ends, width, paint)
        name = line_name(tone, round(angle / 22.5) * 22.5)
        self._plant(Plant(name=name, row=row, col=col, size=length, angle=angle), 1)

    def circle(self, name: str, row: float, col: float, radius: float, width: float, paint: Paint) -> None:
        """A ring whose stroke is centred on the radius."""
        turns = [radians(angle) for angle in range(0, 361, 5)]
        self._polyline([(col + radius * cos(turn), row + radius * sin(turn)) for turn in turns], width, paint)
        self._plant(Plant(name=name, row=row, col=col, size=2 * radius + width), 1)

    def spot(self, row: float, col: float, radius: float, colour: str, strength: float) -> None:
        """A filled disc of one of the named colours; strength 1 is the purest."""
        self.disc(row, col, radius, colour_paint(colour, strength))
        for name in (f"{colour} blob", f"wide {colour} blob"):
            self._plant(Plant(name=name, row=row, col=col, size=2 * radius), 1)

    def disc(self, row: float, col: float, radius: float, paint: Paint) -> None:
        """A filled disc that stands for nothing."""
        box = [(value + 0.5) * FINENESS for value in (col - radius, row - radius, col + radius, row + radius)]
        self.strokes.append(_Stroke([(box[0], box[1]), (box[2], box[3])], _bytes(paint)))

    def note(self, name: str, row: float, col: float, size: float, *, since: int) -> None:
        """Remember a pattern that was drawn out of others. since: the first of its strokes."""
        self._plant(Plant(name=name, row=row, col=col, size=size), len(self.strokes) - since)

    def _plant(self, plant: Plant, strokes: int) -> None:
        self.plants.append(plant)
        self.inked.append(range(len(self.strokes) - strokes, len(self.strokes)))

    def pixels(self, without: Collection[int] = ()) -> UInt8[np.ndarray, "side side 3"]:
        """The picture. without: the numbers of strokes that are left away."""
        side = len(self.background)
        image = Image.new("RGBA", (side * FINENESS, side * FINENESS))
        draw = ImageDraw.Draw(image)
        for number, stroke in enumerate(self.strokes):
            if number not in without:
                stroke.put(draw)
        # Whole numbers, first down whole rows: the same means in less time.
        rows = np.asarray(image).reshape(side, FINENESS, -1).sum(1, dtype=np.uint32)
        ink = rows.reshape(side, side, FINENESS, 4).sum(2) / FINENESS**2 / 255
        # An unpainted px is black and transparent, so the mean colour is already weighted by what was covered.
        covered = ink[..., 3:]
        return np.rint(255 * np.clip(ink[..., :3] + (1 - covered) * self.background, 0, 1)).astype(np.uint8)

    def _polyline(self, points: list[tuple[float, float]], width: float, paint: Paint) -> None:
        # A px's centre is its whole number, so the fine canvas begins half a px earlier.
        fine = [((col + 0.5) * FINENESS, (row + 0.5) * FINENESS) for col, row in points]
        self.strokes.append(_Stroke(fine, _bytes(paint), width * FINENESS / 2))


def colour_paint(colour: str, strength: float) -> Paint:
    """One of the named colours, 0..1 per channel; strength 0 is mid-gray."""
    red, green, blue = (0.5 + 0.5 * strength * value for value in COLOURS[colour])
    return red, green, blue


def _bytes(paint: Paint) -> tuple[int, int, int, int]:
    red, green, blue = (round(255 * min(max(value, 0.0), 1.0)) for value in paint)
    return red, green, blue, 255
