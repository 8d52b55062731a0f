"""Drawn pictures with patterns planted at known places, over quiet backgrounds: what the known network should find.

Everything follows from the seed. No two pictures are alike in place, colour, size, background or company.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from layerscope.known.canvas import Paint, Plant, PlantedCanvas
from layerscope.known.patterns import (
    DIRECTIONS,
    RINGS,
    SHAPES,
    STRIPES,
    STROKES,
    THINGS,
    TONES,
    kind,
    stripe_middles,
    toward,
)

SIDE = 96
# The room a pattern needs around its centre, in px.
REACH = {**dict.fromkeys(STROKES, 10.0), **dict.fromkeys(SHAPES, 15.0), **dict.fromkeys(THINGS, 21.0)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """A drawn picture: pixels uint8[96, 96, 3]; plants: every pattern in it, parts of patterns too; label: its kind.

    The label is the main pattern's: a thing's own name, or corner, cross, ring, stripes.
    """

    pixels: UInt8[np.ndarray, "side side 3"]
    plants: tuple[Plant, ...]
    label: str


def planted(seed: int, count: int) -> list[Picture]:
    """`count` pictures; the first ones do not depend on how many follow."""
    return [picture(np.random.default_rng((seed, index)), index) for index in range(count)]


def write_pictures(folder: str | Path, count: int, seed: int = 0) -> list[Picture]:
    """Write the pictures as `folder/label/number.png` and return them in the order of their numbers."""
    pictures = planted(seed, count)
    for index, drawn in enumerate(pictures):
        path = Path(folder) / drawn.label / f"{index:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(drawn.pixels).save(path)
    return pictures


def picture(random: np.random.Generator, index: int) -> Picture:
    """One picture: a main pattern, taken in turn, and as much company as finds room."""
    main, canvas = composed(random, index)
    return Picture(pixels=canvas.pixels(), plants=tuple(canvas.plants), label=kind(main))


def composed(random: np.random.Generator, index: int) -> tuple[str, PlantedCanvas]:
    """The main pattern of a picture, and all that is drawn."""
    turn = (*THINGS, *DIRECTIONS, *RINGS, *STRIPES)
    main = turn[index % len(turn)]
    company = [*random.permutation(SHAPES)[:3], *random.permutation(STROKES)[:4]]
    canvas = PlantedCanvas(background(random))
    for name, row, col in placed(random, [main, *company]):
        draw(canvas, random, name, row, col)
    return main, canvas


def placed(random: np.random.Generator, names: list[str]) -> Iterator[tuple[str, float, float]]:
    """A place for every pattern that finds room beside those before it."""
    taken: list[tuple[float, float, float]] = []
    for name in names:
        reach = REACH[name]
        for row, col in random.uniform(reach, SIDE - 1 - reach, (30, 2)):
            if all(np.hypot(row - other_row, col - other_col) > reach + other for other_row, other_col, other in taken):
                taken.append((row, col, reach))
                yield name, float(row), float(col)
                break


def background(random: np.random.Generator) -> Float[np.ndarray, "96 96 3"]:
    """Near mid-gray: a tint, a slope, soft clouds and a little grain."""
    rows, cols = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    slope = random.uniform(-0.08, 0.08, (2, 3))
    coarse = random.normal(0, 12, (6, 6)).clip(-40, 40) + 128
    clouds = np.asarray(Image.fromarray(coarse.astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC), float)
    tint = 0.5 + random.uniform(-0.05, 0.05, 3)
    sloped = tint + rows[..., None] * slope[0] + cols[..., None] * slope[1]
    return sloped + (clouds[..., None] - 128) / 255 * 0.5 + random.normal(0, 0.008, (SIDE, SIDE, 3))


def draw(canvas: PlantedCanvas, random: np.random.Generator, name: str, row: float, col: float) -> None:
    """Draw a pattern of any depth, in a colour and width of its own."""
    tone = str(random.choice(TONES))
    if name in THINGS:
        draw_thing(canvas, random, name, row, col, tone)
    elif name in STROKES and "line" in name:
        tone, angle = name.split()[0], float(name.split()[3])
        canvas.line(row, col, angle, random.uniform(14, 20), stroke_width(random), tone, tinted(random, tone, 0.4))
    elif "blob" in name:
        wide, colour = name.startswith("wide"), name.split()[-2]
        radius = random.uniform(4.5, 6.5) if wide else random.uniform(2.5, 3.5)
        canvas.spot(row, col, radius, colour, random.uniform(0.75, 1))
    else:
        pen = Pen(canvas, stroke_width(random), tone, tinted(random, tone, 0.32))
        draw_shape(pen, name, row, col, random.uniform(11, 14))


@dataclass(frozen=True, slots=True)
class Pen:
    """What all lines of one pattern share."""

    canvas: PlantedCanvas
    width: float
    tone: str
    paint: Paint

    def line(self, row: float, col: float, angle: float, length: float) -> None:
        self.canvas.line(row, col, angle, length, self.width, self.tone, self.paint)

    def arm(self, row: float, col: float, angle: float, length: float) -> None:
        """A line that begins at a place."""
        down, right = toward(angle, length / 2)
        self.line(row + down, col + right, angle, length)


def draw_shape(pen: Pen, name: str, row: float, col: float, arm: float) -> None:
    """A corner, cross, ring or set of stripes; arm: length of its lines from the centre, in px."""
    first = len(pen.canvas.strokes)
    if name in RINGS:
        pen.canvas.circle(name, row, col, RINGS[name], pen.width, pen.paint)
        return
    if name in STRIPES:
        for down, right in stripe_middles(STRIPES[name]):
            pen.line(row + down, col + right, STRIPES[name], 1.7 * arm)
    for angle in DIRECTIONS.get(name, ()):
        pen.arm(row, col, angle, arm)
    pen.canvas.note(name, row, col, 2 * arm, since=first)


def draw_thing(
    canvas: PlantedCanvas, random: np.random.Generator, name: str, row: float, col: float, tone: str
) -> None:
    """A thing, out of its parts at their places; an outlined one gets its sides whole."""
    pen = Pen(canvas, float(random.uniform(2.8, 3.2)), tone, tinted(random, tone, 0.34))
    if name == "face":
        canvas.disc(row - 1, col, 19, (0.85, 0.7, float(random.uniform(0.35, 0.65))))
    first = len(canvas.strokes)
    for part, down, right in THINGS[name]:
        if part.startswith("wide"):
            canvas.spot(row + down, col + right, 4, part.split()[1], random.uniform(0.85, 1))
        else:
            draw_shape(pen, part, row + down, col + right, ARMS.get(name, 12))
    if name == "house":
        for side in (-12, 12):
            pen.line(row + 4, col + side, 90, 16)
    canvas.note(name, row, col, 32, since=first)


# How long the lines from each corner are, so that neighbours meet.
ARMS = {"square": 12, "diamond": 11.3, "house": 17, "window": 14}


def stroke_width(random: np.random.Generator) -> float:
    """The width of a pen, in px."""
    return float(random.uniform(2.2, 3.2))


def tinted(random: np.random.Generator, tone: str, contrast: float) -> Paint:
    """Some colour of a given lightness: the mean of its channels lies `contrast` from mid-gray, so all stand out alike.

    contrast: at most 0.4, which leaves room for the tint.
    """
    lightness = 0.5 + contrast if tone == "light" else 0.5 - contrast
    tint = random.uniform(-1, 1, 3)
    tint -= tint.mean()
    red, green, blue = (float(value) for value in lightness + (0.5 - contrast) * tint / np.abs(tint).max())
    return red, green, blue
