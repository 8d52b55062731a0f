"""Named colours: which name a pixel's colour has, and random colours far enough from their neighbours to be seen.

Names are told in CIE L*a*b* (D65) by lightness, chroma and hue. Random colours are drawn name by name, so that each of
the eleven is as common as the others.
"""

from functools import cache
from random import Random

import numpy as np
from jaxtyping import Float, Int, UInt8

from layerscope.world.concepts import COLOURS

Colour = tuple[int, int, int]
Lab = tuple[float, float, float]
# From linear sRGB to CIE XYZ relative to the D65 white.
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
) / np.array([[0.95047], [1.0], [1.08883]])
BITS = 5  # per channel, of the table of names
APART = 40.0  # L*a*b* distance between a colour and the one that it is painted in instead
SAMPLES = 64  # colours of each name that random ones are drawn from
# Where hues begin, in degrees, with their name for light and for dark colours.
HUES = (
    (0, "pink", "red"),
    (48, "orange", "brown"),
    (78, "yellow", "brown"),
    (98, "yellow", "green"),
    (114, "green", "green"),
    (205, "blue", "blue"),
    (309, "purple", "purple"),
    (342, "pink", "purple"),
)
# The lightness from which on a hue bears its light name.
LIGHT_FROM = {"pink": 62.0, "orange": 56.0, "yellow": 62.0}


def lab(pixels: UInt8[np.ndarray, "*shape 3"]) -> Float[np.ndarray, "*shape 3"]:
    """CIE L*a*b* of sRGB colours: lightness 0..100, a and b about -110..110."""
    value = pixels / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ TO_XYZ.T
    root = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)


def colour_names(pixels: UInt8[np.ndarray, "*shape 3"]) -> Int[np.ndarray, "*shape"]:
    """The name of each pixel's colour, as a place in COLOURS."""
    cells = pixels.astype(np.int64) >> (8 - BITS)
    return _table()[(cells[..., 0] << 2 * BITS) + (cells[..., 1] << BITS) + cells[..., 2]]


def named(colour: Colour) -> str:
    """The name of one colour."""
    return COLOURS[int(colour_names(np.array([colour], np.uint8))[0])]


@cache
def other_colour(colour: Colour) -> Colour:
    """A colour of another name, well apart and as light as can be: what a thing is painted in to take a colour out."""
    drawn, values, _ = _samples()
    own, labs = lab(np.array([colour], np.uint8))[0], np.array(values)
    others = np.repeat(np.arange(len(COLOURS)), SAMPLES) != COLOURS.index(named(colour))
    apart = np.linalg.norm(labs - own, axis=1)
    far = others & (apart >= min(APART, apart[others].max()))
    return drawn[int(np.argmin(np.where(far, np.abs(labs[:, 0] - own[0]), np.inf)))]


@cache
def _table() -> Int[np.ndarray, " cells"]:
    """The name of each cell of the colour cube, told at its middle."""
    half = 1 << (7 - BITS)
    levels = (np.arange(1 << BITS) << (8 - BITS)) + half
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    return _named(lab(cube.astype(np.uint8)))


def _named(values: Float[np.ndarray, "n 3"]) -> Int[np.ndarray, " n"]:
    lightness, chroma = values[:, 0], np.hypot(values[:, 1], values[:, 2])
    hue = np.degrees(np.arctan2(values[:, 2], values[:, 1])) % 360
    named = np.zeros(len(values), int)
    for begin, light, dark in HUES:
        bright = lightness >= LIGHT_FROM.get(light, 0.0)
        name = np.where(bright, COLOURS.index(light), COLOURS.index(dark))
        named = np.where(hue >= begin, name, named)
    # Brown is a dull orange; what is dark and vivid between red and orange is red.
    vivid_red = (named == COLOURS.index("brown")) & (hue < 52) & (chroma > 60)
    named = np.where(vivid_red, COLOURS.index("red"), named)
    pale_red = (named == COLOURS.index("red")) & (lightness > 48) & (chroma < 42)
    named = np.where(pale_red, COLOURS.index("pink"), named)
    dull = chroma < 11 + 4 * (lightness < 35)
    gray = np.select([lightness < 22, lightness > 84], [COLOURS.index("black"), COLOURS.index("white")], 1)
    named = np.where(dull, gray, named)
    return np.where((lightness < 9) & (chroma < 30), COLOURS.index("black"), named)


@cache
def _samples() -> tuple[list[Colour], list[Lab], dict[Colour, Lab]]:
    """SAMPLES colours of each name, one name after the other, and their L*a*b*, in order and by colour."""
    cube = np.random.default_rng(0).integers(0, 256, (40_000, 3), dtype=np.uint8)
    # Gray, black and white take a thin part of the cube: colours drawn close to its diagonal are added.
    near_gray = np.random.default_rng(1).integers(0, 256, (6_000, 1)) + np.random.default_rng(2).integers(
        -9, 10, (6_000, 3)
    )
    pixels = np.concatenate((cube, near_gray.clip(0, 255).astype(np.uint8)))
    names = colour_names(pixels)
    # Dark colours are many and look alike: lightness is spread evenly within a name.
    values = lab(pixels)
    chosen = []
    for name in range(len(COLOURS)):
        own = np.flatnonzero(names == name)
        own = own[np.argsort(values[own, 0], kind="stable")]
        chosen.append(own[np.linspace(0, len(own) - 1, SAMPLES).astype(int)])
    place = np.concatenate(chosen)
    colours, labs = ([tuple(row) for row in rows[place].tolist()] for rows in (pixels, values))
    return colours, labs, dict(zip(colours, labs, strict=True))


class Palette:
    """Random colours of one picture, which seeks no larger contrast (L*a*b* distance) than one drawn for it."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._most = random.choice((45.0, 70.0, 300.0))
        self._colours, self._labs, self._known = _samples()

    def any(self) -> Colour:
        """A random colour."""
        return self._colours[self._random.randrange(len(self._colours))]

    def against(self, *others: Colour, gap: float = 26.0) -> Colour:
        """A random colour that differs from all others by `gap` or, where no draw did, by as much as one did."""
        labs = [self._known[other] for other in others]
        best, furthest = 0, -1.0
        for attempt in range(24):
            place = self._random.randrange(len(self._colours))
            nearest, farthest = _range(self._labs[place], labs)
            if nearest >= gap and (farthest <= self._most or attempt > 10):
                return self._colours[place]
            if nearest > furthest:
                best, furthest = place, nearest
        return self._colours[best]

    def near(self, other: Colour) -> Colour:
        """A colour close to another one, but not the same."""
        lab = self._known[other]
        drawn = [self._random.randrange(len(self._colours)) for _ in range(16)]
        return self._colours[min(drawn, key=lambda place: abs(_distance(self._labs[place], lab) - 14))]


def _range(lab: Lab, others: list[Lab]) -> tuple[float, float]:
    distances = [_distance(lab, other) for other in others]
    return min(distances), max(distances)


def _distance(a: Lab, b: Lab) -> float:
    return ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2) ** 0.5
