"""The world's living things: dog and cat faces, birds, butterflies, fish, snails, people.

Each fills about -1..1 both ways of the current frame; grounds are the colours behind it.
"""

import numpy as np

from layerscope.world.canvas import Canvas
from layerscope.world.colours import Colour
from layerscope.world.outlines import arc, blob, box, curve, ellipse, line, toward
from layerscope.world.parts import eye, eye_colours, eyes, face, smile, texture, wing
from layerscope.world.patterns import spiral

Grounds = tuple[Colour, ...]


def mirrored(*points: complex) -> list[complex]:
    """Points, and the same on the other side of the vertical axis, in the order that closes the outline."""
    return [*points, *(-point.conjugate() for point in reversed(points) if point.real)]


def dog_face(canvas: Canvas, grounds: Grounds) -> None:
    """A head with hanging or folded ears, and a muzzle with a large nose."""
    random, palette = canvas.random, canvas.palette
    fur = palette.against(*grounds)
    second = palette.against(fur, *grounds, gap=20)
    wide = random.uniform(0.56, 0.68)
    head = blob(mirrored(-0.86j, wide * 0.75 - 0.72j, wide - 0.2j, wide * 0.86 + 0.35j, 0.42 + 0.78j, 0.92j), steps=4)
    with canvas.thing("dog face"):
        for side in (-1, 1):
            with canvas.frame(side * 0.5 - 0.62j, 1.0, flip=side < 0):
                dog_ear(canvas, second)
        with canvas.thing("face", head):
            canvas.shape(head, fur)
            texture(canvas, head, fur, 0.3, chance=0.15)
            if random.random() < 0.3:
                with canvas.clip(head):
                    canvas.disc(0.3 - 0.2j, 0.3, second, 0.34)
            eyes(canvas, -0.22j, random.uniform(0.26, 0.32), random.uniform(0.11, 0.15), fur)
            muzzle(canvas, fur)


def dog_ear(canvas: Canvas, colour: Colour) -> None:
    """The right ear: hanging, or folded over."""
    hanging = [0, 0.3 - 0.08j, 0.48 + 0.3j, 0.4 + 0.85j, 0.18 + 0.95j, 0.08 + 0.5j]
    folded = [-0.1 - 0.05j, 0.18 - 0.34j, 0.46 - 0.2j, 0.52 + 0.22j, 0.36 + 0.3j, 0.2 + 0.16j]
    outline = blob(hanging if canvas.random.random() < 0.65 else folded, steps=4)
    with canvas.thing("ear", outline):
        canvas.shape(outline, colour)


def muzzle(canvas: Canvas, fur: Colour) -> None:
    """A dog's muzzle with nose, mouth and, at times, tongue."""
    random, palette = canvas.random, canvas.palette
    colour = palette.against(fur, gap=18)
    nose = palette.against(colour, fur, gap=28)
    outline = ellipse(0.4j, random.uniform(0.36, 0.44), random.uniform(0.34, 0.42))
    with canvas.thing("muzzle", outline):
        canvas.shape(outline, colour)
        canvas.mark_round(outline)
        if random.random() < 0.4:
            tongue = palette.against(colour, gap=28)
            canvas.shape(blob([-0.13 + 0.6j, 0.13 + 0.6j, 0.12 + 0.88j, 0.95j, -0.12 + 0.88j], steps=4), tongue)
        canvas.stroke(line(0.3j, 0.56j), 0.06, nose)
        for way in (-1, 1):
            canvas.arc(arc(way * 0.14 + 0.5j, 0.15, 190, 350), 0.065, nose)
        tip = blob([-0.2 + 0.12j, 0.08j, 0.2 + 0.12j, 0.1 + 0.3j, 0.34j, -0.1 + 0.3j], steps=4)
        canvas.shape(tip, nose, solid=True)
        canvas.mark_round(tip)


def cat_face(canvas: Canvas, grounds: Grounds) -> None:
    """A wide head with pointed ears, slit eyes and whiskers."""
    random, palette = canvas.random, canvas.palette
    fur = palette.against(*grounds)
    lines = palette.against(fur, *grounds, gap=28)
    wide, lift = random.uniform(0.72, 0.84), random.uniform(0.9, 1.05)
    head = ellipse(0.14j, wide, random.uniform(0.62, 0.72))
    with canvas.thing("cat face"):
        for side in (-1, 1):
            with canvas.frame(0, 1.0, flip=side < 0):
                cat_ear(canvas, fur, lines, lift)
        with canvas.thing("face", head):
            canvas.shape(head, fur)
            canvas.mark_round(head)
            if random.random() < 0.4:
                for right in (-0.18, 0, 0.18):
                    canvas.stroke(line(right - 0.5j, 0.7 * right - 0.26j), 0.07, lines)
            eyes(canvas, 0.02j, random.uniform(0.32, 0.38), random.uniform(0.15, 0.2), fur, slit=True)
            nose = line(-0.1 + 0.28j, 0.1 + 0.28j, 0.4j)
            canvas.shape(nose, lines, solid=True)
            canvas.mark("triangle", nose)
            for way in (-1, 1):
                canvas.arc(arc(way * 0.12 + 0.44j, 0.12, 180, 350), 0.055, lines)
        for way in (-1, 1):
            for rise in (-0.1, 0.03, 0.16):
                canvas.stroke(
                    line(way * 0.3 + (0.38 + rise / 3) * 1j, way * 0.98 + (0.36 + 1.6 * rise) * 1j), 0.035, lines
                )


def cat_ear(canvas: Canvas, fur: Colour, inner: Colour, lift: float) -> None:
    """The right ear, a triangle in a triangle."""
    outline = line(0.18 - 0.42j, 0.62 - 1j * lift, 0.78 - 0.08j)
    with canvas.thing("ear", outline):
        canvas.polygon(outline, fur, concept="triangle")
        middle = complex(outline.mean())
        canvas.polygon(middle + 0.52 * (outline - middle), inner, concept="triangle")


def person(canvas: Canvas, grounds: Grounds) -> None:
    """Head and shoulders."""
    random, palette = canvas.random, canvas.palette
    skin = palette.against(*grounds)
    hair = palette.against(skin, *grounds, gap=24)
    cloth = palette.against(skin, *grounds, gap=24)
    radius = random.uniform(0.42, 0.5)
    centre = -0.32j
    shoulders = blob(mirrored(0.42j, 0.3 + 0.46j, 0.72 + 0.6j, 0.86 + 1.04j, 0.3 + 1.1j, 1.1j), steps=4)
    with canvas.thing("person"):
        style = random.choice(("long", "short", "short", "hat", "bald", "curls"))
        if style == "long":
            canvas.shape(blob(mirrored(-0.98j, 0.46 - 0.8j, 0.6 - 0.2j, 0.62 + 0.36j, 0.3 + 0.4j, 0.4j), steps=4), hair)
        if style == "curls":
            for angle in range(-20, 201, 37):
                canvas.shape(ellipse(centre + 0.46 * toward(angle) - 0.06j, 0.22), hair)
        canvas.rectangle(0.3j, 0.15, 0.24, skin)
        canvas.shape(shoulders, cloth)
        texture(canvas, shoulders, cloth, 0.24, chance=0.45)
        if style != "long":
            for way in (-1, 1):
                with canvas.thing("ear", ellipse(centre + way * radius, 0.1, 0.14)):
                    canvas.shape(ellipse(centre + way * radius, 0.1, 0.14), skin)
        face(canvas, centre, radius, skin)
        person_top(canvas, style, centre, radius, hair)


def person_top(canvas: Canvas, style: str, centre: complex, radius: float, hair: Colour) -> None:
    """What lies on the forehead: a fringe or a hat."""
    top = centre - 0.55j * radius
    if style in ("long", "short", "curls"):
        part = canvas.random.uniform(-0.5, 0.5) * radius
        fringe = [top - 1.04 * radius + 0.25j, top - 0.85 * radius - 0.22j, top - 0.62j * radius,
                  top + 0.85 * radius - 0.22j, top + 1.04 * radius + 0.25j, top + 0.6 * radius, top + part - 0.08j,
                  top - 0.6 * radius]  # fmt: skip
        canvas.shape(blob(fringe, steps=4), hair)
    if style == "hat":
        canvas.polygon(box(top - 0.2j, 0.8 * radius, 0.24), hair, concept="rectangle")
        canvas.polygon(box(top + 0.06j, 1.3 * radius, 0.07), hair)


def bird(canvas: Canvas, grounds: Grounds) -> None:
    """A bird from the side: beak, eye, wing, tail, legs."""
    random, palette = canvas.random, canvas.palette
    coat = palette.against(*grounds)
    second = palette.against(coat, *grounds, gap=22)
    beak = palette.against(coat, *grounds, gap=28)
    long, crest = random.uniform(0.22, 0.5), random.random() < 0.3
    body = blob([0.72 - 0.52j, 0.62 - 0.12j, 0.42 + 0.3j, -0.05 + 0.48j, -0.48 + 0.3j, -0.55 + 0.02j, -0.1 - 0.14j,
                 0.2 - 0.45j, 0.46 - 0.72j], steps=4)  # fmt: skip
    with canvas.thing("bird"):
        tail = line(-0.36 - 0.02j, -1.0 - random.uniform(-0.2, 0.3) * 1j, -0.92 + 0.3j, -0.34 + 0.24j)
        canvas.polygon(tail, second)
        for foot in (-0.06, 0.16):
            canvas.stroke(line(foot + 0.38j, foot + 0.92j), 0.055, beak)
            canvas.stroke(line(foot - 0.1 + 0.95j, foot + 0.92j, foot + 0.18 + 0.95j), 0.05, beak)
        bill = line(0.72 - 0.66j, 0.76 + long - 0.5j, 0.7 - 0.4j)
        with canvas.thing("beak", bill):
            canvas.polygon(bill, beak, concept="triangle")
        if crest:
            canvas.shape(line(0.4 - 0.72j, 0.1 - 1.0j, 0.56 - 0.8j), second)
        canvas.shape(body, coat)
        if random.random() < 0.4:
            with canvas.clip(body):
                canvas.shape(ellipse(0.4 + 0.12j, 0.28, 0.4), second)
        canvas.shape(ellipse(0.5 - 0.52j, 0.3, 0.29), coat)
        wing(
            canvas,
            blob([0.3 - 0.04j, 0.16 + 0.26j, -0.3 + 0.26j, -0.78 + 0.16j, -0.3 - 0.1j, 0.1 - 0.18j], steps=4),
            second,
        )
        eye(canvas, 0.56 - 0.57j, random.uniform(0.1, 0.14), eye_colours(canvas, coat))


def butterfly(canvas: Canvas, grounds: Grounds) -> None:
    """Two pairs of wings, seen from above, alike on both sides."""
    random, palette = canvas.random, canvas.palette
    colour = palette.against(*grounds)
    second = palette.against(colour, *grounds, gap=18) if random.random() < 0.5 else colour
    body = palette.against(colour, *grounds, gap=26)
    spread, seed = random.uniform(0.85, 1.0), random.random()
    upper = blob([0.06 - 0.1j, 0.3 - 0.62j, spread - 0.86j, spread - 0.3j, 0.56 + 0.02j], steps=4)
    lower = blob([0.06 + 0.02j, 0.5 + 0.04j, 0.76 + 0.4j, 0.5 + 0.84j, 0.2 + 0.5j], steps=4)
    with canvas.thing("butterfly"):
        for way in (-1, 1):
            canvas.stroke(way * np.real(curve([0.02, 0.16, 0.34])) - 1j * np.linspace(0.3, 0.92, 13), 0.05, body)
        for side in (-1, 1):
            # Both sides draw the same wings: their random numbers begin alike.
            random.seed(f"{seed}")
            with canvas.frame(0, 1.0, flip=side < 0):
                wing(canvas, lower, second)
                wing(canvas, upper, colour)
        canvas.shape(ellipse(0.08j, 0.09, 0.48), body, solid=True)
        canvas.disc(-0.4j, 0.12, body, solid=True)


def fish(canvas: Canvas, grounds: Grounds) -> None:
    """A fish from the side, with fins and tail."""
    random, palette = canvas.random, canvas.palette
    skin = palette.against(*grounds)
    second = palette.against(skin, *grounds, gap=22)
    tall = random.uniform(0.36, 0.58)
    body = blob([0.92 + 0.02j, 0.55 - 0.8j * tall, 0.05 - 1j * tall, -0.45 - 0.5j * tall, -0.64, -0.45 + 0.5j * tall,
                 0.05 + 1j * tall, 0.55 + 0.8j * tall], steps=4)  # fmt: skip
    fins = (
        line(-0.52, -1.0 - 0.42j, -0.86 + 0.02j, -1.0 + 0.44j),
        blob([0.25 - 0.9j * tall, -0.05 - 1j * tall - 0.28j, -0.42 - 1j * tall - 0.16j, -0.3 - 0.7j * tall], steps=4),
        blob([0.1 + 0.9j * tall, -0.1 + 1j * tall + 0.24j, -0.3 + 1j * tall + 0.14j, -0.2 + 0.8j * tall], steps=4),
    )
    with canvas.thing("fish"):
        for outline in fins:
            with canvas.thing("fin", outline):
                canvas.shape(outline, second)
        canvas.shape(body, skin)
        texture(canvas, body, skin, 0.28, chance=0.55)
        canvas.arc(arc(0.3, 0.36, -55, 55), 0.06, second)
        side_fin = blob([0.14 + 0.06j, -0.2 - 0.02j, -0.28 + 0.2j, 0.02 + 0.24j], steps=4)
        with canvas.thing("fin", side_fin):
            canvas.shape(side_fin, second)
        eye(canvas, 0.66 - 0.16j, random.uniform(0.09, 0.13), eye_colours(canvas, skin))
        canvas.stroke(line(0.9 + 0.12j, 0.72 + 0.16j), 0.06, second)


def snail(canvas: Canvas, grounds: Grounds) -> None:
    """A snail from the side: a spiral shell on a long foot."""
    random, palette = canvas.random, canvas.palette
    shell = palette.against(*grounds)
    coil = palette.against(shell, gap=28)
    foot = palette.against(shell, *grounds, gap=22)
    radius, centre = random.uniform(0.54, 0.64), -0.16 - 0.12j
    body = blob([-1.0 + 0.72j, -0.6 + 0.42j, 0.3 + 0.3j, 0.5 - 0.2j, 0.72 - 0.36j, 0.96 - 0.16j, 0.84 + 0.26j,
                 0.62 + 0.66j, 0.0 + 0.74j], steps=4)  # fmt: skip
    with canvas.thing("snail"):
        for tip in (0.66 - 0.86j, 1.0 - 0.78j):
            canvas.stroke(line(0.8 - 0.24j, tip), 0.07, foot)
            canvas.disc(tip, 0.08, foot, solid=True)
        canvas.shape(body, foot)
        canvas.disc(centre, radius, shell)
        spiral(canvas, centre, 0.92 * radius, random.uniform(0.09, 0.13), coil, random.uniform(2.2, 2.9))
        smile(canvas, 0.82 + 0.02j, 0.16, palette.against(foot, gap=26), 0.05)
