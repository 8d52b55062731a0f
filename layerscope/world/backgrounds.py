"""What lies behind and beside an object: grounds of all kinds, and shapes, patterns and parts by themselves."""

from collections.abc import Callable

import numpy as np

from layerscope.world import patterns
from layerscope.world.canvas import Canvas
from layerscope.world.colours import Colour
from layerscope.world.outlines import blob, box, ellipse, line, regular, toward
from layerscope.world.parts import door, eye, eye_colours, face, frame, leaf, petals, window, wing

WHOLE = box(0.5 + 0.5j, 0.55, 0.55)
Grounds = tuple[Colour, ...]


def ground(canvas: Canvas) -> Grounds:
    """Cover the picture; the colours that are seen."""
    random, palette = canvas.random, canvas.palette
    colour = palette.any()
    kind = random.choice(("plain", "gradient", "gradient", "horizon", "pattern", "pattern", "clutter"))
    canvas.fill(WHOLE, colour)
    if kind == "gradient":
        to = palette.against(colour, gap=14)
        way = 0.5 * toward(random.uniform(0, 360))
        canvas.shade(WHOLE, colour, to, 0.5 + 0.5j + line(-way, way))
        return colour, to
    if kind == "horizon":
        second, height = palette.against(colour, gap=12), random.uniform(0.4, 0.8)
        canvas.fill(
            line(-0.1 + 1j * height, 1.1 + 1j * (height + random.uniform(-0.1, 0.1)), 1.1 + 1.1j, -0.1 + 1.1j), second
        )
        return colour, second
    if kind == "pattern":
        ink = palette.against(colour, gap=10) if random.random() < 0.4 else palette.near(colour)
        angle = random.choice((0, 90, 45, random.uniform(0, 180)))
        patterns.filler(random.choice(patterns.FILLERS))(canvas, WHOLE, ink, random.uniform(0.1, 0.26), angle)
        return colour, ink
    if kind == "clutter":
        inks = [palette.near(colour) for _ in range(2)]
        for _ in range(random.randint(5, 10)):
            place = complex(random.random(), random.random())
            points = [place + random.uniform(0.05, 0.2) * toward(angle) for angle in range(0, 360, 72)]
            canvas.fill(blob(points, steps=4) if random.random() < 0.5 else np.array(points), random.choice(inks))
        return colour, *inks
    return (colour,)


def single(canvas: Canvas, place: complex, radius: float, grounds: Grounds) -> None:
    """One shape, pattern or part at a place."""
    with canvas.frame(place, radius):
        canvas.random.choice(canvas.random.choice(KINDS))(canvas, canvas.palette.against(*grounds, gap=20))


def _turn(canvas: Canvas) -> float:
    return canvas.random.uniform(0, 360)


def _stroke(canvas: Canvas, colour: Colour) -> None:
    way = toward(_turn(canvas))
    canvas.stroke(line(-way, way), canvas.random.uniform(0.12, 0.4), colour)


def _disc(canvas: Canvas, colour: Colour) -> None:
    canvas.disc(0, 0.9, colour)


def _spots(canvas: Canvas, colour: Colour) -> None:
    for _ in range(canvas.random.randint(1, 4)):
        canvas.disc(0.8 * canvas.random.random() * toward(_turn(canvas)), 0.04 / canvas.scale, colour, solid=True)


def _ring(canvas: Canvas, colour: Colour) -> None:
    canvas.ring(0, 0.8, canvas.random.uniform(0.14, 0.4), colour)


def _bow(canvas: Canvas, colour: Colour) -> None:
    patterns.bow(canvas, 0, 0.8, canvas.random.uniform(0.14, 0.35), colour, _turn(canvas))


def _squiggle(canvas: Canvas, colour: Colour) -> None:
    patterns.squiggle(canvas, 0, 1.0, canvas.random.uniform(0.12, 0.25), colour, _turn(canvas))


def _rectangle(canvas: Canvas, colour: Colour) -> None:
    upright = canvas.random.random() < 0.5
    canvas.rectangle(0, 0.9, canvas.random.uniform(0.4, 0.9), colour, 0 if upright else _turn(canvas))


def _triangle(canvas: Canvas, colour: Colour) -> None:
    begin = _turn(canvas)
    points = [toward(begin + 120 * step + canvas.random.uniform(-25, 25)) for step in range(3)]
    canvas.polygon(line(*points), colour, concept="triangle")


def _polygon(canvas: Canvas, colour: Colour) -> None:
    canvas.polygon(regular(0, 0.9, canvas.random.choice((5, 6)), _turn(canvas)), colour)


def _cross(canvas: Canvas, colour: Colour) -> None:
    patterns.cross(canvas, 0, 0.9, canvas.random.uniform(0.14, 0.45), colour, _turn(canvas))


def _shaded(canvas: Canvas, colour: Colour) -> None:
    """A disc or box whose colour goes over into another."""
    way = toward(_turn(canvas))
    outline = ellipse(0, 1.0) if canvas.random.random() < 0.5 else box(0, 0.9, 0.9, _turn(canvas))
    canvas.shade(outline, colour, canvas.palette.against(colour, gap=30), line(-0.8 * way, 0.8 * way))


def _patch(canvas: Canvas, colour: Colour) -> None:
    """A piece of a pattern."""
    area = (
        ellipse(0, 1.1) if canvas.random.random() < 0.5 else box(0, 1.1, 1.1, canvas.random.choice((0, _turn(canvas))))
    )
    canvas.fill(area, colour)
    ink = canvas.palette.against(colour, gap=22)
    period = canvas.random.uniform(0.075, 0.12) / canvas.scale
    patterns.filler(canvas.random.choice(patterns.FILLERS))(canvas, area, ink, period, _turn(canvas))


def _target(canvas: Canvas, colour: Colour) -> None:
    patterns.target(canvas, 0, 1.0, (colour, canvas.palette.against(colour, gap=26)), canvas.random.choice((3, 4, 5)))


def _spiral(canvas: Canvas, colour: Colour) -> None:
    patterns.spiral(canvas, 0, 1.0, canvas.random.uniform(0.14, 0.22), colour, canvas.random.uniform(2, 3))


def _star(canvas: Canvas, colour: Colour) -> None:
    patterns.star_shape(canvas, 0, 1.0, colour, _turn(canvas))


def _wheel(canvas: Canvas, colour: Colour) -> None:
    disc = canvas.palette.against(colour, gap=26) if canvas.random.random() < 0.5 else None
    patterns.wheel(canvas, 0, 1.0, colour, colour, disc)


def _eye(canvas: Canvas, colour: Colour) -> None:
    if canvas.random.random() < 0.5:
        canvas.shape(blob([-1.2, -0.66j, 1.2, 0.66j]), colour)
    eye(canvas, 0, 0.62, eye_colours(canvas, colour), slit=canvas.random.random() < 0.25)


def _text(canvas: Canvas, colour: Colour) -> None:
    letters = canvas.random.choice((2, 3, 3, 4))
    with canvas.frame(0, 1.0, canvas.random.uniform(-25, 25)):
        patterns.text(canvas, 0, 2.3 / letters**0.6, letters, colour)


def _face(canvas: Canvas, colour: Colour) -> None:
    with canvas.frame(0, 1.0, canvas.random.uniform(-20, 20)):
        face(canvas, 0, 0.9, colour)


def _frame(canvas: Canvas, colour: Colour) -> None:
    with canvas.frame(0, 1.0, canvas.random.uniform(-15, 15)):
        inside = frame(canvas, 0, 1.0, canvas.random.uniform(0.8, 1.1), colour)
        with canvas.frame(0, 0.5):
            ink = canvas.palette.against(inside, gap=26)
            canvas.random.choice((_face, _star, _cross, _target, _disc, _triangle))(canvas, ink)


def _window(canvas: Canvas, colour: Colour) -> None:
    with canvas.frame(0, 1.0, canvas.random.uniform(-12, 12)):
        window(canvas, 0, canvas.random.uniform(0.7, 1.0), 0.9, colour)


def _door(canvas: Canvas, colour: Colour) -> None:
    with canvas.frame(0, 1.0, canvas.random.uniform(-12, 12)):
        door(canvas, 1j, 0.5, 2.0, colour)


def _petals(canvas: Canvas, colour: Colour) -> None:
    petals(canvas, 0, 1.0, colour, canvas.palette.against(colour, gap=26))


def _leaf(canvas: Canvas, colour: Colour) -> None:
    way = toward(_turn(canvas))
    leaf(canvas, -way, way, colour, canvas.random.uniform(0.22, 0.36))


def _wing(canvas: Canvas, colour: Colour) -> None:
    with canvas.frame(0, 1.0, _turn(canvas)):
        wing(canvas, blob([0.95, 0.4 + 0.4j, -0.4 + 0.5j, -1.0 + 0.1j, -0.3 - 0.3j, 0.4 - 0.35j]), colour)


Painter = Callable[[Canvas, Colour], None]
KINDS: tuple[tuple[Painter, ...], ...] = (
    (_stroke, _disc, _spots, _ring, _bow, _squiggle, _rectangle, _triangle, _polygon, _cross, _shaded),
    (_patch, _target, _spiral, _star, _wheel, _eye, _text),
    (_patch, _wheel, _eye, _text),
    (_face, _frame, _frame, _window, _door, _petals, _leaf, _wing),
)
