"""Parts of objects, which occur by themselves too: eyes, faces, windows, doors, frames, wings, flower heads, leaves."""

import numpy as np

from layerscope.world.canvas import Canvas
from layerscope.world.colours import Colour
from layerscope.world.outlines import Points, arc, blob, box, curve, ellipse, line, toward
from layerscope.world.patterns import FILLERS, filler, mark_crosses


def eye(canvas: Canvas, centre: complex, radius: float, colours: tuple[Colour, Colour], *, slit: bool = False) -> None:
    """A round eye: a pupil, or a slit, and what is around it, in these colours; at times with a rim."""
    inner, outer = colours
    with canvas.thing("eye", ellipse(centre, radius)):
        canvas.disc(centre, radius, outer, solid=True)
        if slit:
            canvas.fill(ellipse(centre, 0.32 * radius, 0.85 * radius), inner)
        else:
            canvas.disc(centre, 0.55 * radius, inner, solid=True)
        if canvas.random.random() < 0.35:
            canvas.stroke(ellipse(centre, radius), 0.2 * radius, inner, closed=True)


def eye_colours(canvas: Canvas, skin: Colour) -> tuple[Colour, Colour]:
    """Of the pupil and of what is around it, on a skin."""
    outer = canvas.palette.against(skin, gap=24)
    return canvas.palette.against(outer, gap=30), outer


def eyes(canvas: Canvas, middle: complex, apart: float, radius: float, skin: Colour, *, slit: bool = False) -> None:
    """Two eyes alike."""
    colours = eye_colours(canvas, skin)
    for way in (-1, 1):
        eye(canvas, middle + way * apart, radius, colours, slit=slit)


def smile(canvas: Canvas, middle: complex, width: float, colour: Colour, thick: float) -> None:
    """A mouth: a bow that opens up, a straight line, or an open one."""
    kind = canvas.random.choice(("bow", "bow", "line", "open"))
    if kind == "bow":
        canvas.arc(arc(middle - 0.5j * width, 0.75 * width, 220, 320), thick, colour)
    elif kind == "line":
        canvas.stroke(line(middle - width / 2, middle + width / 2), thick, colour)
    else:
        canvas.fill(ellipse(middle, 0.4 * width, 0.28 * width), colour)


def face(canvas: Canvas, centre: complex, radius: float, skin: Colour) -> None:
    """A human face: an oval with eyes, nose and mouth."""
    random = canvas.random
    tall = radius * random.uniform(1.0, 1.25)
    outline = ellipse(centre, radius, tall)
    with canvas.thing("face", outline):
        canvas.shape(outline, skin)
        canvas.mark_round(outline)
        features(canvas, centre, radius, skin)


def features(canvas: Canvas, centre: complex, radius: float, skin: Colour) -> None:
    """Eyes, brows, nose and mouth on a skin."""
    random = canvas.random
    line_colour = canvas.palette.against(skin, gap=30)
    height, apart = random.uniform(0.1, 0.28) * radius, random.uniform(0.36, 0.46) * radius
    size = random.uniform(0.15, 0.24) * radius
    eyes(canvas, centre - 1j * height, apart, size, skin)
    if random.random() < 0.5:
        for way in (-1, 1):
            brow = centre - 1j * (height + 1.7 * size) + way * apart
            canvas.stroke(line(brow - size, brow + size), 0.08 * radius, line_colour)
    nose = centre + 0.12j * radius
    if random.random() < 0.7:
        canvas.stroke(nose + radius * line(0, 0.12 + 0.2j, -0.04 + 0.2j), 0.07 * radius, line_colour)
    smile(canvas, centre + 0.58j * radius, random.uniform(0.5, 0.85) * radius, line_colour, 0.1 * radius)


def window(canvas: Canvas, centre: complex, across: float, down: float, wall: Colour) -> None:
    """Panes between bars: a cross, or more of them."""
    random = canvas.random
    pane = canvas.palette.against(wall, gap=26)
    bar = canvas.palette.against(pane, gap=26)
    cols, rows = random.choice(((2, 2), (2, 2), (2, 3), (3, 2), (3, 3)))
    width = 0.16 * min(across, down)
    with canvas.thing("window", box(centre, across, down)):
        canvas.rectangle(centre, across, down, pane)
        first = len(canvas.stamps)
        rights = [2 * across * (col / cols - 0.5) for col in range(1, cols)]
        downs = [2 * down * (row / rows - 0.5) for row in range(1, rows)]
        for right in rights:
            canvas.stroke(centre + right + 1j * np.array([-down, down]), width, bar)
        for step in downs:
            canvas.stroke(centre + 1j * step + np.array([-across, across]), width, bar)
        canvas.stroke(box(centre, across, down), 1.3 * width, bar, closed=True)
        reach = min(across / cols, down / rows)
        crossings = [centre + right + 1j * step for right in rights for step in downs]
        mark_crosses(canvas, crossings, reach, width, 0.0, since=first)
        if cols * rows > 4:
            canvas.mark("grid", box(centre, across, down), since=first)


def door(canvas: Canvas, foot: complex, across: float, height: float, wall: Colour) -> None:
    """A door with a knob; square or round above. foot: the middle of its lower edge."""
    random = canvas.random
    leaf_colour = canvas.palette.against(wall, gap=28)
    detail = canvas.palette.against(leaf_colour, gap=28)
    middle = foot - 0.5j * height
    outline = box(middle, across, height / 2)
    if random.random() < 0.4:
        top = foot - 1j * (height - across)
        outline = np.concatenate((arc(top, across, 0, 180), [foot - across, foot + across]))
    with canvas.thing("door", outline):
        canvas.polygon(outline, leaf_colour, concept="rectangle" if len(outline) == 4 else None)
        if random.random() < 0.5:
            canvas.rectangle(middle - 0.2j * height, 0.55 * across, 0.18 * height, detail)
        canvas.disc(middle + 0.6 * across, 0.16 * across, detail, solid=True)


def frame(canvas: Canvas, centre: complex, across: float, down: float, ground: Colour) -> Colour:
    """A picture frame around a free area, and the colour inside."""
    wood = canvas.palette.against(ground, gap=28)
    inside = canvas.palette.against(wood, gap=28)
    width = canvas.random.uniform(0.16, 0.3) * min(across, down)
    with canvas.thing("frame", box(centre, across, down)):
        canvas.rectangle(centre, across, down, wood)
        canvas.rectangle(centre, across - width, down - width, inside)
        if canvas.random.random() < 0.4:
            canvas.stroke(box(centre, across - width / 2, down - width / 2), 0.15 * width, inside, closed=True)
    return inside


def petals(canvas: Canvas, centre: complex, radius: float, colour: Colour, heart: Colour) -> None:
    """A flower head: petals around a heart."""
    random = canvas.random
    count, begin = random.choice((5, 5, 6, 7, 8, 10)), random.uniform(0, 360)
    wide = min(0.46, 1.75 / count) * random.uniform(0.85, 1.1)
    pointed = random.random() < 0.35
    second = canvas.palette.near(colour) if random.random() < 0.3 else colour
    outlines = [centre + radius * toward(begin + 360 * step / count) * _petal(pointed, wide) for step in range(count)]
    with canvas.thing("flower head", *outlines):
        for step, outline in enumerate(outlines):
            with canvas.thing("petal", outline):
                canvas.shape(outline, second if step % 2 else colour)
        canvas.disc(centre, radius * random.uniform(0.24, 0.38), heart, solid=True)


def _petal(pointed: bool, wide: float) -> Points:
    if pointed:
        return blob([0.1, 0.5 - 1j * wide, 1, 1, 0.5 + 1j * wide])
    return ellipse(0.6, 0.42, wide)


def wing(canvas: Canvas, outline: Points, colour: Colour, feathers: int = 3) -> None:
    """A wing of any outline, with feathers as lines, spots or stripes. It begins at the outline's first point."""
    random = canvas.random
    detail = canvas.palette.against(colour, gap=28)
    root, middle = complex(outline[0]), complex(outline.mean())
    size = float(np.abs(outline - middle).mean())
    with canvas.thing("wing", outline):
        canvas.shape(outline, colour)
        with canvas.clip(outline):
            kind = random.choice(("feathers", "spots", "stripes", "rim"))
            if kind == "feathers":
                for step in range(feathers):
                    end = outline[int(len(outline) * (0.35 + 0.3 * step / max(feathers - 1, 1)))]
                    canvas.stroke(line(root, root + 0.85 * (end - root)), 0.1 * size, detail)
            elif kind == "spots":
                canvas.disc(middle, 0.4 * size, detail, solid=True)
                canvas.disc(middle + 0.7 * (middle - root), 0.2 * size, detail, solid=True)
            elif kind == "stripes":
                filler("stripes")(canvas, outline, detail, 0.55 * size, random.uniform(0, 180))
            else:
                canvas.stroke(outline, 0.4 * size, detail, closed=True)


def leaf(canvas: Canvas, root: complex, tip: complex, colour: Colour, bulge: float = 0.3) -> None:
    """A leaf with its rib."""
    outline = root + (tip - root) * np.concatenate((curve([0, 0.5 - 1j * bulge, 1]), curve([1, 0.5 + 1j * bulge, 0])))
    with canvas.thing("leaf", outline):
        canvas.shape(outline, colour)
        rib = canvas.palette.against(colour, gap=22)
        canvas.stroke(line(root, root + 0.8 * (tip - root)), 0.07 * abs(tip - root), rib)


def texture(canvas: Canvas, outline: Points, colour: Colour, period: float, chance: float = 0.35) -> None:
    """At times, a pattern inside an outline that is painted in `colour` already."""
    random = canvas.random
    if random.random() < chance and canvas.style.paper is None:
        ink = canvas.palette.against(colour, gap=16)
        period *= random.uniform(0.8, 1.4)
        filler(random.choice(FILLERS))(canvas, outline, ink, period, random.choice((0, 45, 90, random.uniform(0, 180))))
