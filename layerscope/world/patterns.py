"""Patterns of levels 2 and 3, each at one place of the canvas: stripes, grids, honeycombs, spirals, wheels, text."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from layerscope.world.canvas import Canvas
from layerscope.world.colours import Colour
from layerscope.world.outlines import Points, arc, box, curve, ellipse, line, regular, star, toward

# Letters as lines on a grid of 3 columns and 5 rows.
LETTERS = {
    "A": ((0, 4, 0, 1, 1, 0, 2, 1, 2, 4), (0, 3, 2, 3)),
    "C": ((2, 0, 0, 0, 0, 4, 2, 4),),
    "E": ((2, 0, 0, 0, 0, 4, 2, 4), (0, 2, 2, 2)),
    "F": ((2, 0, 0, 0, 0, 4), (0, 2, 1.6, 2)),
    "H": ((0, 0, 0, 4), (2, 0, 2, 4), (0, 2, 2, 2)),
    "I": ((1, 0, 1, 4),),
    "K": ((0, 0, 0, 4), (2, 0, 0, 2, 2, 4)),
    "L": ((0, 0, 0, 4, 2, 4),),
    "M": ((0, 4, 0, 0, 1, 2, 2, 0, 2, 4),),
    "N": ((0, 4, 0, 0, 2, 4, 2, 0),),
    "O": ((0, 0, 2, 0, 2, 4, 0, 4, 0, 0),),
    "P": ((0, 4, 0, 0, 2, 0, 2, 2, 0, 2),),
    "R": ((0, 4, 0, 0, 2, 0, 2, 2, 0, 2), (0.6, 2, 2, 4)),
    "S": ((2, 0, 0, 0, 0, 2, 2, 2, 2, 4, 0, 4),),
    "T": ((0, 0, 2, 0), (1, 0, 1, 4)),
    "U": ((0, 0, 0, 4, 2, 4, 2, 0),),
    "V": ((0, 0, 1, 4, 2, 0),),
    "X": ((0, 0, 2, 4), (2, 0, 0, 4)),
    "Y": ((0, 0, 1, 2, 2, 0), (1, 2, 1, 4)),
    "Z": ((0, 0, 2, 0, 0, 4, 2, 4),),
}


@contextmanager
def patch(canvas: Canvas, concept: str, area: Points) -> Iterator[None]:
    """A pattern that fills an area and ends at its outline."""
    with canvas.clip(area), canvas.thing(concept, area):
        yield


def stripes(canvas: Canvas, area: Points, colour: Colour, period: float, angle: float, share: float = 0.5) -> None:
    """Straight bars that run in a direction. share: of the period that is painted."""
    middle, reach = _around(area)
    with patch(canvas, "stripes", area):
        for offset in _steps(reach, period, canvas.random.uniform(0, period)):
            canvas.fill(box(middle + offset * toward(angle + 90), reach, share * period / 2, angle), colour)


def grid(canvas: Canvas, area: Points, colour: Colour, period: float, width: float, angle: float = 0.0) -> None:
    """Two families of lines that cross."""
    middle, reach = _around(area)
    turn = toward(angle)
    offsets = [step + period / 2 for step in _steps(reach, period, 0.0)]
    with patch(canvas, "grid", area):
        first = len(canvas.stamps)
        for offset in offsets:
            for way in (1, 1j):
                canvas.stroke(middle + turn * way * (offset + 1j * np.array([-reach, reach])), width, colour)
        crossings = [middle + turn * (a + 1j * b) for a in offsets for b in offsets]
        mark_crosses(canvas, crossings, period / 2, width, angle, since=first)


def mark_crosses(canvas: Canvas, middles: list[complex], arm: float, width: float, angle: float, *, since: int) -> None:
    """Mark crosses of lines that were painted already. since: the first of those lines' stamps."""
    arm = min(arm, 0.07 / canvas.scale)
    steps = width / 2 * (1 + 1j) * toward(angle) + np.outer(
        arm * toward(angle) * np.array([1, 1j, -1, -1j]), [0.5, 0.9]
    )
    canvas.mark(
        "cross",
        *(ellipse(middle, arm, count=12) for middle in middles),
        probes=[middle + steps.ravel() for middle in middles],
        since=since,
    )


def checker(canvas: Canvas, area: Points, colour: Colour, period: float, angle: float = 0.0) -> None:
    """Squares of two colours in turn: what is there already, and this one."""
    middle, reach = _around(area)
    turn = toward(angle)
    with patch(canvas, "checker", area):
        steps = list(enumerate(_steps(reach, period, 0.0)))
        for row, down in steps:
            for col, right in steps:
                if (row + col) % 2:
                    square = box(middle + turn * (right + 1j * down), period / 2, period / 2, angle)
                    canvas.fill(square, colour)
                    canvas.corners(square)


def bricks(canvas: Canvas, area: Points, colour: Colour, period: float, angle: float = 0.0) -> None:
    """Courses of bricks, each shifted by half a brick, over joints that are there already."""
    middle, reach = _around(area)
    turn, joint = toward(angle), 0.12 * period
    with patch(canvas, "bricks", area):
        found, first = [], len(canvas.stamps)
        for row, down in enumerate(_steps(reach, period, 0.0)):
            for right in _steps(reach, 2 * period, period * (row % 2)):
                found.append(box(middle + turn * (right + 1j * down), period - joint, period / 2 - joint, angle))
                canvas.fill(found[-1], colour)
        canvas.mark("rectangle", *found, since=first)


def honeycomb(canvas: Canvas, area: Points, colour: Colour, period: float, width: float, angle: float = 0.0) -> None:
    """Six-sided cells side by side, as lines. period: between neighbouring cells."""
    middle, reach = _around(area)
    turn = toward(angle)
    with patch(canvas, "honeycomb", area):
        for row, down in enumerate(_steps(reach, period * 3**0.5 / 2, 0.0)):
            for right in _steps(reach, period, period / 2 * (row % 2)):
                cell = regular(middle + turn * (right + 1j * down), period / 3**0.5, 6, 90 + angle)
                canvas.stroke(cell, width, colour, closed=True)


def dots(canvas: Canvas, area: Points, colour: Colour, period: float, angle: float = 0.0) -> None:
    """Dots in rows."""
    middle, reach = _around(area)
    turn, radius = toward(angle), period * canvas.random.uniform(0.24, 0.34)
    with patch(canvas, "dots", area):
        for row, down in enumerate(_steps(reach, period, 0.0)):
            for right in _steps(reach, period, period / 2 * (row % 2)):
                spot = ellipse(middle + turn * (right + 1j * down), radius, count=14)
                canvas.fill(spot, colour)
                canvas.mark_round(spot)


def waves(canvas: Canvas, area: Points, colour: Colour, period: float, angle: float, *, sharp: bool = False) -> None:
    """Wavy lines side by side, or zigzags."""
    middle, reach = _around(area)
    length, height = period * canvas.random.uniform(1.6, 2.4), period * canvas.random.uniform(0.28, 0.42)
    places = np.arange(-reach, reach + length, length / (4 if sharp else 10))
    phase = 2 * np.pi * places / length
    swing = height * (2 / np.pi * np.arcsin(np.sin(phase)) if sharp else np.sin(phase))
    with patch(canvas, "zigzag" if sharp else "waves", area):
        for offset in _steps(reach, period, canvas.random.uniform(0, period)):
            canvas.stroke(middle + toward(angle) * (places + 1j * (swing + offset)), 0.36 * period, colour)


def target(canvas: Canvas, centre: complex, radius: float, colours: tuple[Colour, Colour], rings: int) -> None:
    """Discs of two colours in turn, one inside the other."""
    outline = ellipse(centre, radius)
    with canvas.thing("target", outline):
        for ring in range(rings):
            disc = ellipse(centre, radius * (1 - ring / rings))
            canvas.fill(disc, colours[ring % 2])
            canvas.mark("ring" if ring < rings - 1 else "circle", disc)
            canvas.mark_round(disc)


def spiral(canvas: Canvas, centre: complex, radius: float, width: float, colour: Colour, turns: float) -> None:
    """A line that winds outwards."""
    share = np.linspace(0.08, 1, int(18 * turns))
    begin, way = canvas.random.uniform(0, 360), canvas.random.choice((-1, 1))
    points = centre + (radius - width / 2) * share * np.exp(1j * (way * 2 * np.pi * turns * share + np.radians(begin)))
    with canvas.thing("spiral", ellipse(centre, radius)):
        canvas.stroke(points, width, colour)


def wheel(canvas: Canvas, centre: complex, radius: float, tyre: Colour, spoke: Colour, disc: Colour | None) -> None:
    """A ring with spokes and a hub. disc: what is seen between the spokes, or None for what is behind the wheel."""
    random = canvas.random
    count, width = random.choice((4, 5, 6, 8)), radius * random.uniform(0.13, 0.26)
    begin, inner = random.uniform(0, 360), radius - width
    with canvas.thing("wheel", ellipse(centre, radius)):
        if disc is not None:
            canvas.fill(ellipse(centre, inner), disc)
        thin = random.uniform(0.06, 0.12) * radius
        for step in range(count):
            arm = toward(begin + 360 * step / count)
            canvas.stroke(line(centre + 0.1 * radius * arm, centre + inner * arm), thin, spoke)
        canvas.ring(centre, radius - width / 2, width, tyre)
        canvas.disc(centre, radius * random.uniform(0.12, 0.24), spoke, solid=True)


def text(canvas: Canvas, middle: complex, height: float, letters: int, colour: Colour) -> None:
    """A word of random capital letters."""
    width, step = height * canvas.random.uniform(0.13, 0.2), 0.78 * height
    left = middle - step * (letters - 1) / 2
    area = box(middle, step * letters / 2, 0.6 * height)
    with canvas.thing("text", area):
        for place in range(letters):
            for lines in LETTERS[canvas.random.choice(tuple(LETTERS))]:
                points = np.array(lines[::2]) - 1 + 1j * (np.array(lines[1::2]) - 2)
                canvas.stroke(left + place * step + 0.27 * height * points, width, colour)


def star_shape(canvas: Canvas, centre: complex, radius: float, colour: Colour, turn: float) -> None:
    """A star of four to seven tips."""
    tips = canvas.random.choice((4, 5, 5, 6, 7))
    outline = star(centre, radius, radius * canvas.random.uniform(0.38, 0.52), tips, turn)
    with canvas.thing("star", outline):
        canvas.polygon(outline, colour)


def cross(canvas: Canvas, centre: complex, radius: float, width: float, colour: Colour, turn: float) -> None:
    """Two bars that cross."""
    with canvas.thing("cross", ellipse(centre, radius)):
        for way in (0, 90):
            arm = radius * toward(turn + way)
            canvas.stroke(line(centre - arm, centre + arm), width, colour)


def bow(canvas: Canvas, centre: complex, radius: float, width: float, colour: Colour, turn: float) -> None:
    """A bent line: 100 to 220 degrees of a circle."""
    half = canvas.random.uniform(50, 110)
    canvas.arc(arc(centre, radius, turn - half, turn + half), width, colour)


def squiggle(canvas: Canvas, centre: complex, radius: float, width: float, colour: Colour, turn: float) -> None:
    """A line that bends both ways."""
    bends = [canvas.random.uniform(-0.6, 0.6) for _ in range(4)]
    points = [-1, -0.4 + 1j * bends[0], 0.1 + 1j * bends[1], 0.5 + 1j * bends[2], 1 + 1j * bends[3]]
    canvas.stroke(centre + radius * toward(turn) * curve(points), width, colour)


Filler = Callable[[Canvas, Points, Colour, float, float], None]


def filler(name: str) -> Filler:
    """A pattern that fills an area, by name: (canvas, area, colour, period, angle)."""
    return {
        "stripes": stripes,
        "grid": lambda canvas, area, colour, period, angle: grid(
            canvas, area, colour, period, period * canvas.random.uniform(0.14, 0.3), angle
        ),
        "checker": checker,
        "bricks": bricks,
        "honeycomb": lambda canvas, area, colour, period, angle: honeycomb(
            canvas, area, colour, 1.2 * period, period * canvas.random.uniform(0.14, 0.26), angle
        ),
        "dots": dots,
        "waves": waves,
        "zigzag": lambda canvas, area, colour, period, angle: waves(canvas, area, colour, period, angle, sharp=True),
    }[name]


FILLERS = ("stripes", "stripes", "grid", "checker", "bricks", "honeycomb", "dots", "waves", "zigzag")


def _around(area: Points) -> tuple[complex, float]:
    """The middle of an area, and a radius about it that holds all of it."""
    middle = complex(area.mean())
    return middle, float(np.abs(area - middle).max())


def _steps(reach: float, period: float, start: float) -> Iterator[float]:
    """Places a period apart, one of them at `start`, from -reach - period to reach + period."""
    count = int(reach / period) + 1
    return (start % period + step * period for step in range(-count - 1, count + 1))
