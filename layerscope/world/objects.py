"""The world's things: bicycles, cars, boats, houses, trees, flowers, clocks, keyboards, umbrellas.

Each fills about -1..1 both ways of the current frame; grounds are the colours behind it.
"""

from itertools import pairwise

import numpy as np

from layerscope.world.canvas import Canvas
from layerscope.world.colours import Colour
from layerscope.world.outlines import arc, blob, box, curve, ellipse, line, toward
from layerscope.world.parts import door, leaf, petals, texture, window
from layerscope.world.patterns import text, wheel

Grounds = tuple[Colour, ...]


def bicycle(canvas: Canvas, grounds: Grounds) -> None:
    """Two wheels, a frame of tubes, saddle and handlebar."""
    random, palette = canvas.random, canvas.palette
    tyre = palette.against(*grounds, gap=32)
    spoke = palette.against(*grounds, gap=28)
    tube = palette.against(*grounds, gap=32)
    radius = random.uniform(0.4, 0.47)
    rear, front = complex(-0.56, 0.4), complex(0.56, 0.4)
    crank, seat, head = -0.06 + 0.4j, -0.24 - 0.28j, 0.38 - 0.28j
    thick = random.uniform(0.07, 0.11)
    between = line(rear, seat - 0.06 - 0.2j, head - 0.06 - 0.2j, front)
    with canvas.thing("bicycle", ellipse(rear, radius), ellipse(front, radius), between):
        for hub in (rear, front):
            wheel(canvas, hub, radius, tyre, spoke, None)
        first = len(canvas.stamps)
        for tubes in (line(rear, seat, head, crank, seat), line(rear, crank), line(front, head, head - 0.06 - 0.2j)):
            canvas.stroke(tubes, thick, tube)
        canvas.mark("triangle", line(seat, head, crank), since=first)
        canvas.stroke(line(seat, seat - 0.06 - 0.2j), thick, tube)
        canvas.fill(
            blob([seat - 0.28 - 0.22j, seat - 0.06 - 0.28j, seat + 0.14 - 0.22j, seat - 0.06 - 0.16j], steps=4), tyre
        )
        bar = head - 0.06 - 0.2j
        if random.random() < 0.5:
            canvas.arc(arc(bar + 0.14 + 0.12j, 0.15, -80, 130), 0.075, tyre)
        else:
            canvas.stroke(line(bar - 0.12 - 0.06j, bar, bar + 0.2 - 0.08j), 0.08, tyre)
        canvas.disc(crank, 0.1, tyre)


def car(canvas: Canvas, grounds: Grounds) -> None:
    """A car from the side: body, cabin with windows, wheels."""
    random, palette = canvas.random, canvas.palette
    paint = palette.against(*grounds)
    glass = palette.against(paint, gap=28)
    tyre = palette.against(paint, *grounds, gap=26)
    rim = palette.against(tyre, gap=26)
    left, right, roof = random.uniform(-0.62, -0.5), random.uniform(0.36, 0.5), random.uniform(-0.56, -0.46)
    van = random.random() < 0.3
    if van:
        left, right = -0.92, 0.5
    cabin = line(left - 0.1 - 0.02j, left + 0.14 + 1j * roof, right - 0.18 + 1j * roof, right + 0.16 - 0.02j)
    body = line(-0.98 + 0.02j, -0.86 - 0.06j, 0.6 - 0.06j, 0.96 + 0.1j, 0.98 + 0.36j, -0.98 + 0.36j)
    with canvas.thing("car"):
        canvas.polygon(cabin, paint)
        canvas.polygon(body, paint)
        if random.random() < 0.3:
            stripe = palette.against(paint, gap=20)
            canvas.fill(box(0.16j, 0.97, 0.06), stripe)
        middle = (left + right) / 2
        top, low = roof + 0.1, -0.1
        for outline in (
            line(left + 0.06 + 1j * low, left + 0.2 + 1j * top, middle - 0.05 + 1j * top, middle - 0.05 + 1j * low),
            line(middle + 0.05 + 1j * low, middle + 0.05 + 1j * top, right - 0.22 + 1j * top, right + 0.02 + 1j * low),
        ):
            with canvas.thing("window", outline):
                canvas.polygon(outline, glass)
        canvas.disc(0.88 + 0.14j, 0.08, glass, solid=True)
        radius = random.uniform(0.22, 0.27)
        for hub in (-0.55 + 0.38j, 0.55 + 0.38j):
            car_wheel(canvas, hub, radius, tyre, rim)


def car_wheel(canvas: Canvas, hub: complex, radius: float, tyre: Colour, rim: Colour) -> None:
    """A tyre and a rim, with or without spokes."""
    if canvas.random.random() < 0.4:
        wheel(canvas, hub, radius, tyre, tyre, rim)
        return
    with canvas.thing("wheel", ellipse(hub, radius)):
        canvas.disc(hub, radius, tyre, solid=True)
        canvas.mark("ring", ellipse(hub, radius))
        canvas.disc(hub, 0.55 * radius, rim, solid=True)
        canvas.disc(hub, 0.2 * radius, tyre, solid=True)


def boat(canvas: Canvas, grounds: Grounds) -> None:
    """A sailing boat, at times on waves."""
    random, palette = canvas.random, canvas.palette
    hull = palette.against(*grounds)
    sail = palette.against(*grounds)
    mast = palette.against(*grounds, gap=30)
    bottom, bend = random.uniform(0.46, 0.62), random.uniform(0.0, 0.1)
    outline = line(-0.94 + 0.36j, 0.96 + 0.3j, bottom + 0.78j, -bottom + 0.78j)
    with canvas.thing("boat"):
        main = line(-0.06 - 0.86j, -0.06 + 0.2j, -0.78 - bend + 0.2j)
        jib = line(0.08 - random.uniform(0.5, 0.86) * 1j, 0.76 + 0.2j, 0.08 + 0.2j)
        for area in (main, jib):
            canvas.polygon(area, sail, concept="triangle")
            texture(canvas, area, sail, 0.3, chance=0.3)
        canvas.stroke(line(-1.0j, 0.4j), 0.08, mast)
        canvas.polygon(outline, hull)
        texture(canvas, outline, hull, 0.24, chance=0.2)
        detail = palette.against(hull, gap=24)
        if random.random() < 0.6:
            for right in (-0.36, 0.0, 0.36):
                canvas.disc(right + 0.52j, 0.09, detail, solid=True)
        if random.random() < 0.4:
            places = np.linspace(-1, 1, 24)
            canvas.stroke(places + 1j * (0.86 + 0.07 * np.sin(12 * places)), 0.08, mast)


def house(canvas: Canvas, grounds: Grounds) -> None:
    """Walls, a roof, a door and windows."""
    random, palette = canvas.random, canvas.palette
    wall = palette.against(*grounds)
    tiles = palette.against(wall, *grounds, gap=24)
    eaves, half = random.uniform(-0.3, -0.12), random.uniform(0.66, 0.82)
    walls = box(0.5j * (eaves + 0.94), half, (0.94 - eaves) / 2)
    with canvas.thing("house"):
        if random.random() < 0.5:
            chimney = random.choice((-1, 1)) * 0.42
            canvas.rectangle(chimney - 0.66j, 0.1, 0.26, palette.against(*grounds, gap=24))
        canvas.polygon(walls, wall, concept="rectangle")
        texture(canvas, walls, wall, 0.2, chance=0.3)
        if random.random() < 0.7:
            roof = line(-half - 0.16 + 1j * eaves, -0.98j, half + 0.16 + 1j * eaves)
            canvas.polygon(roof, tiles, concept="triangle")
        else:
            roof = line(-half - 0.16 + 1j * eaves, -0.62 * half - 0.84j, 0.62 * half - 0.84j, half + 0.16 + 1j * eaves)
            canvas.polygon(roof, tiles)
        texture(canvas, roof, tiles, 0.2, chance=0.3)
        side = random.choice((-1, 1)) * random.uniform(0.0, 0.4)
        door(canvas, side * half + 0.94j, 0.17, random.uniform(0.5, 0.62), wall)
        for way in (-1, 1):
            place = way * 0.58 * half
            if abs(place - side * half) > 0.36:
                window(canvas, place + (eaves + 0.4) * 1j, 0.19, 0.21, wall)
        if random.random() < 0.3:
            canvas.disc((eaves - 0.28) * 1j, 0.13, palette.against(tiles, gap=26), solid=True)


def tree(canvas: Canvas, grounds: Grounds) -> None:
    """A trunk under a round, a ragged or a pointed crown."""
    random, palette = canvas.random, canvas.palette
    green = palette.against(*grounds)
    bark = palette.against(green, *grounds, gap=22)
    kind = random.choice(("round", "clouds", "fir", "fir", "bare"))
    trunk = line(-0.1 - 0.1j, 0.1 - 0.1j, 0.17 + 0.96j, -0.17 + 0.96j)
    with canvas.thing("tree"):
        canvas.polygon(trunk, bark)
        if kind == "fir":
            for step in range(3):
                low, wide = 0.62 - 0.46 * step, 0.72 - 0.16 * step
                canvas.polygon(line(-wide + 1j * low, (low - 0.66) * 1j, wide + 1j * low), green, concept="triangle")
        elif kind == "bare":
            branches(canvas, bark)
        else:
            crown(canvas, kind, green)


def crown(canvas: Canvas, kind: str, green: Colour) -> None:
    """A crown of leaves, at times with fruits."""
    random, palette = canvas.random, canvas.palette
    if kind == "round":
        canvas.disc(-0.28j, random.uniform(0.6, 0.7), green)
    else:
        outer = [0.62 * toward(angle) * random.uniform(0.9, 1.1) - 0.3j for angle in range(0, 360, 60)]
        for place in outer:
            canvas.shape(ellipse(place, 0.3), green)
        canvas.fill(ellipse(-0.3j, 0.56), green if canvas.style.paper is None else canvas.style.paper)
    fruit = palette.against(green, gap=26)
    if random.random() < 0.5:
        for _ in range(random.randint(5, 8)):
            place = 0.48 * random.random() ** 0.5 * toward(random.uniform(0, 360)) - 0.3j
            canvas.disc(place, 0.085, fruit, solid=True)
    elif random.random() < 0.5:
        for _ in range(5):
            place = 0.42 * random.random() ** 0.5 * toward(random.uniform(0, 360)) - 0.3j
            canvas.arc(arc(place, 0.14, 20, 160), 0.06, fruit)


def branches(canvas: Canvas, bark: Colour) -> None:
    """A crown without leaves, or with a few."""
    random = canvas.random
    leaves = canvas.palette.against(bark, gap=20) if random.random() < 0.6 else None
    for angle, long in ((90, 0.95), (60, 0.9), (120, 0.9), (32, 0.85), (148, 0.85)):
        way = toward(angle + random.uniform(-7, 7))
        canvas.stroke(line(0.1j, 0.1j + long * way), 0.11, bark)
        for fork, turn in ((0.55, 34), (0.6, -34)):
            begin = 0.1j + fork * long * way
            tip = begin + 0.34 * way * toward(turn)
            canvas.stroke(line(begin, tip), 0.07, bark)
            if leaves is not None:
                leaf(canvas, tip - 0.08 * way, tip + 0.22 * way, leaves, 0.4)


def flower(canvas: Canvas, grounds: Grounds) -> None:
    """A flower head on a stem with leaves."""
    random, palette = canvas.random, canvas.palette
    colour = palette.against(*grounds)
    heart = palette.against(colour, gap=26)
    green = palette.against(*grounds)
    bend = random.uniform(-0.2, 0.2)
    stem = curve([-0.3j, bend + 0.3j, 0.5 * bend + 1j])
    with canvas.thing("flower"):
        canvas.stroke(stem, 0.09, green)
        for way in (-1, 1):
            if random.random() < 0.75:
                root = bend * 0.9 + random.uniform(0.5, 0.75) * 1j
                leaf(canvas, root, root + way * random.uniform(0.5, 0.7) - 0.28j, green, 0.24)
        petals(canvas, -0.38j, random.uniform(0.56, 0.64), colour, heart)


def clock(canvas: Canvas, grounds: Grounds) -> None:
    """A dial with ticks or numbers and two hands."""
    random, palette = canvas.random, canvas.palette
    rim = palette.against(*grounds)
    dial = palette.against(rim, gap=24)
    ink = palette.against(dial, gap=34)
    radius, square = random.uniform(0.72, 0.8), random.random() < 0.25
    with canvas.thing("clock"):
        if random.random() < 0.3:
            for way in (-1, 1):
                canvas.disc(way * 0.5 - 0.82j, 0.2, rim)
                canvas.stroke(line(way * 0.5 + 0.5j, way * 0.66 + 0.94j), 0.12, rim)
        if square:
            canvas.rectangle(0, 0.94, 0.94, rim)
        else:
            canvas.disc(0, 0.94, rim)
            canvas.mark("ring", ellipse(0, 0.94))
        canvas.disc(0, radius, dial)
        ticks = random.choice((4, 12, 12))
        for step in range(ticks):
            way = toward(360 * step / ticks)
            if ticks == 4 or step % 3 == 0:
                canvas.stroke(line(0.72 * radius * way, 0.92 * radius * way), 0.1, ink)
            else:
                canvas.fill(ellipse(0.84 * radius * way, 0.045, count=12), ink)
        for long, thick in ((0.52, 0.12), (0.74, 0.085)):
            canvas.stroke(line(0, long * radius * toward(random.uniform(0, 360))), thick, ink)
        canvas.disc(0, 0.1, ink, solid=True)


def keyboard(canvas: Canvas, grounds: Grounds) -> None:
    """Rows of keys on a board, the long one below."""
    random, palette = canvas.random, canvas.palette
    board = palette.against(*grounds)
    key = palette.against(board, gap=26)
    ink = palette.against(key, gap=26)
    cols, half = random.choice((5, 6, 7)), random.uniform(0.5, 0.62)
    pitch, rows = 1.84 / cols, 3
    tall, lettered = (2 * half - 0.14) / (rows + 1), random.random() < 0.5
    with canvas.thing("keyboard"):
        canvas.rectangle(0, 1.0, half, board)
        first = len(canvas.stamps)
        for row in range(rows):
            shift = (row % 2) * pitch / 4
            for col in range(cols):
                middle = -0.92 + pitch * (col + 0.5) + shift - 0.06 + 1j * (-half + 0.07 + tall * (row + 0.5))
                canvas.rectangle(middle, 0.38 * pitch, 0.36 * tall, key)
                if lettered:
                    text(canvas, middle, 0.5 * tall, 1, ink)
        canvas.mark("grid", box(-0.5j * tall, 0.96, half - 0.5 * tall), since=first)
        canvas.rectangle(1j * (half - 0.07 - 0.5 * tall), 0.5, 0.36 * tall, key)


def umbrella(canvas: Canvas, grounds: Grounds) -> None:
    """An open umbrella: slices under a round top, and a hooked stick."""
    random, palette = canvas.random, canvas.palette
    cloth = palette.against(*grounds)
    second = palette.against(cloth, *grounds, gap=22) if random.random() < 0.7 else cloth
    stick = palette.against(*grounds, gap=30)
    slices, low = random.choice((4, 5, 6)), 0.06
    edges = np.linspace(-0.96, 0.96, slices + 1)
    with canvas.thing("umbrella"):
        canvas.stroke(line(-0.95j, 0.72j), 0.08, stick)
        canvas.arc(arc(0.16 + 0.72j, 0.16, 180, 360), 0.085, stick)
        whole = arc(1j * low, 0.96, 180, 0, 24)
        with canvas.thing("arc", whole):
            for place, (left, right) in enumerate(pairwise(edges)):
                panel(canvas, left, right, low, second if place % 2 else cloth)


def panel(canvas: Canvas, left: float, right: float, low: float, colour: Colour) -> None:
    """One slice of an umbrella, scalloped below."""
    height = np.linspace(0, 1, 8)

    def rib(edge: float) -> np.ndarray:
        return edge * np.cos(np.pi / 2 * height) + 1j * (low - 0.9 * np.sin(np.pi / 2 * height))

    scallop = np.linspace(right, left, 7)[1:-1] + 1j * (low - 0.09 * np.sin(np.linspace(0, np.pi, 7)[1:-1]))
    canvas.shape(np.concatenate((rib(left), rib(right)[::-1], scallop)), colour)
