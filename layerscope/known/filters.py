"""The known network's filters, written down from the geometry of what they detect.

A stroke's filter is the stroke itself, with the opposite sign beside it. A shape's filter looks for the right lines at
the right places and counts against it the lines that would make it another shape. A thing's filter looks for its
shapes. Positive weights add up to about 1, so an ideal pattern excites its unit to about 1; the biases are thresholds
that a part of the pattern does not reach.
"""

import numpy as np
from jaxtyping import Float, Float32

from layerscope.known.patterns import (
    ANGLES,
    COLOURS,
    DIRECTIONS,
    RINGS,
    SHAPES,
    STRIPES,
    STROKES,
    THINGS,
    TONES,
    UNLIKE,
    kind,
    line_name,
    stripe_middles,
    toward,
)

STROKE_SIDE, SHAPE_SIDE, THING_SIDE = 7, 11, 9
SHAPE_STEP, THING_STEP = 2, 4  # input px per position of the maps that shapes and things look at
GAINS = {"line": 1.6, "blob": 1.2, "shape": 3.0, "spot": 2.0, "thing": 1.6}
BIASES = {"strokes": -0.15, "shapes": -0.6, "things": -0.45}


def stroke_filters() -> Float32[np.ndarray, "strokes 3 7 7"]:
    """Lines of eight angles, light and dark, then blobs of eight colours."""
    lines = [sign * np.broadcast_to(line(angle), (3, 7, 7)) / 3 for sign in (1, -1) for angle in ANGLES]
    return np.stack([*lines, *(blob(colour) for colour in COLOURS)]).astype(np.float32)


def shape_filters() -> Float32[np.ndarray, "shapes strokes 11 11"]:
    """Corners, crosses, rings, stripes and wide blobs, out of strokes. Light and dark lines count alike."""
    outlines = [
        *(arms(directions) for directions in DIRECTIONS.values()),
        *(ring(radius) for radius in RINGS.values()),
        *(stripes(angle) for angle in STRIPES.values()),
    ]
    spots = [wide_blob(colour) for colour in COLOURS]
    rows = [balanced(row, GAINS["shape"]) for row in outlines] + [balanced(row, GAINS["spot"]) for row in spots]
    return np.stack(rows).astype(np.float32)


def thing_filters() -> Float32[np.ndarray, "things shapes 9 9"]:
    """Squares, houses, faces and others, out of shapes."""
    return np.stack([balanced(thing(name), GAINS["thing"]) for name in THINGS]).astype(np.float32)


def line(angle: float) -> Float[np.ndarray, "7 7"]:
    """A light line, dark on both sides; sums to zero."""
    row, col = centred(STROKE_SIDE)
    down, right = toward(angle)
    along, across = row * down + col * right, col * down - row * right
    length = np.exp(-((along / 2.2) ** 2) / 2)
    core, flank = (np.exp(-((across / width) ** 2) / 2) for width in (1.0, 2.0))
    core, flank = core * length, flank * length
    weights = core / core.sum() - flank / flank.sum()
    return GAINS["line"] * weights / weights[weights > 0].sum()


def blob(colour: str) -> Float[np.ndarray, "3 7 7"]:
    """A spot of one colour: its opponent colour counts against it, and so, half, does the same colour around it."""
    row, col = centred(STROKE_SIDE)
    square = row**2 + col**2
    core, around = (np.exp(-square / width**2 / 2) for width in (1.4, 3.0))
    spot = core / core.sum() - 0.7 * around / around.sum()
    channels = np.array(COLOURS[colour], float)
    # What black and white have in common with a colour is no part of the colour.
    if np.ptp(channels) > 0:
        channels = channels - channels.mean()
    return GAINS["blob"] * (channels / np.abs(channels).sum())[:, None, None] * spot / spot[spot > 0].sum()


def arms(directions: tuple[float, ...]) -> Float[np.ndarray, "strokes 11 11"]:
    """Lines that leave the centre in these directions, and in no other of the eight."""
    weights = np.zeros((len(STROKES), SHAPE_SIDE, SHAPE_SIDE))
    for angle in range(0, 360, 45):
        sign = 1 if angle in directions else -0.35
        for distance in (4, 6, 8, 10):
            add_line(weights, toward(angle, distance), angle, sign)
    return weights


def ring(radius: float) -> Float[np.ndarray, "strokes 11 11"]:
    """Lines along a circle; lines across it, and a disc, whose edge is such a circle too, count against it."""
    weights = np.zeros((len(STROKES), SHAPE_SIDE, SHAPE_SIDE))
    for angle in np.arange(0, 360, 22.5):
        add_line(weights, toward(angle, radius), angle + 90, 1)
        add_line(weights, toward(angle, radius), angle, -0.5)
    for colour in ("white", "black"):
        spread(weights[STROKES.index(f"{colour} blob")], 0, 0, -4)
    return weights


def stripes(angle: float) -> Float[np.ndarray, "strokes 11 11"]:
    """Three parallel lines; the same lines in between, or lines across them, count against it."""
    weights = np.zeros((len(STROKES), SHAPE_SIDE, SHAPE_SIDE))
    for down, right in stripe_middles(angle):
        for along in (-9, -6, -3, 0, 3, 6, 9):
            down_along, right_along = toward(angle, along)
            place = (down + down_along, right + right_along)
            add_line(weights, place, angle, 1)
            add_line(weights, place, angle + 90, -0.5)
    return weights


def wide_blob(colour: str) -> Float[np.ndarray, "strokes 11 11"]:
    """A spot of one colour, wider than a stroke's."""
    row, col = centred(SHAPE_SIDE)
    weights = np.zeros((len(STROKES), SHAPE_SIDE, SHAPE_SIDE))
    square = row**2 + col**2
    weights[STROKES.index(f"{colour} blob")] = np.exp(-square / 2 / 1.2**2)
    return weights


def thing(name: str) -> Float[np.ndarray, "shapes 9 9"]:
    """A thing's shapes at their places, and against it the shape that would make it another thing.

    Each kind of shape counts the same: the one cross that tells a window from a square, as much as the four corners.
    """
    weights = np.zeros((len(SHAPES), THING_SIDE, THING_SIDE))
    kinds = [kind(part) for part, _, _ in THINGS[name]]
    amounts = [(part, 1 / kinds.count(kind(part[0]))) for part in THINGS[name]]
    for (part, row, col), amount in amounts + [(part, -1) for part in UNLIKE.get(name, ())]:
        spread(weights[SHAPES.index(part)], row / THING_STEP, col / THING_STEP, amount)
    return weights


def add_line(
    weights: Float[np.ndarray, "strokes side side"], place: tuple[float, float], angle: float, amount: float
) -> None:
    """Ask for a line of either tone at a place (row, col in px); an angle between two filters is shared by both."""
    step = angle % 180 / 22.5
    for index, share in ((int(step), 1 - step % 1), (int(step) + 1, step % 1)):
        for tone in TONES:
            channel = STROKES.index(line_name(tone, ANGLES[index % 8]))
            spread(weights[channel], place[0] / SHAPE_STEP, place[1] / SHAPE_STEP, share * amount)


def spread(weights: Float[np.ndarray, "side side"], row: float, col: float, amount: float) -> None:
    """Add a small spot at a place that need not be a whole position."""
    rows, cols = centred(len(weights))
    spot = np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / 2 / 0.6**2)
    weights += amount * spot / spot.sum()


def balanced(weights: Float[np.ndarray, "channels side side"], total: float) -> Float[np.ndarray, "channels side side"]:
    """The same filter with positive weights that add up to a total."""
    return total * weights / weights[weights > 0].sum()


def centred(side: int) -> tuple[Float[np.ndarray, "side side"], Float[np.ndarray, "side side"]]:
    """Rows and columns of a square, counted from its middle."""
    row, col = np.mgrid[:side, :side] - (side - 1) / 2
    return row, col
