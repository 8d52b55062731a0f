"""What a unit's strongest patches have in common, and how they differ: direction, colour, brightness, texture."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

# From here on one direction prevails in a set of patches, and from here on they differ somewhat, and much, in gray
# levels. Set by hand, as the words are that stand for them.
ORIENTED = 0.25
SOMEWHAT, MUCH = 10.0, 25.0
# A layer is an early one where its field covers at most this share of the picture's area: what it sees is a stroke.
EARLY = 0.25
# Patches are compared in squares of so many values a side.
COARSE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchSight:
    """Several patches compared.

    angle: of the lines and edges in them, degrees as in dissect/filters.py. oriented: how much one direction prevails
    in all of them, 0..1. colour, brightness, texture: how far the patches lie apart, in gray levels of 0..255: the
    root mean square distance of their mean colours (brightness left out), and the standard deviations of their mean
    brightness and of their contrast.
    """

    angle: float
    oriented: float
    colour: float
    brightness: float
    texture: float


def patch_sight(patches: UInt8[np.ndarray, "k h w 3"]) -> PatchSight:
    """Compare patches; at least one."""
    values = patches.astype(np.float64)
    light = _light(values)
    mean = values.mean((1, 2))
    chroma = mean - mean.mean(1, keepdims=True)
    turn = complex(np.mean([_turn(one) for one in light]))
    return PatchSight(
        angle=angle_of(turn),
        oriented=abs(turn),
        colour=float(np.sqrt(((chroma - chroma.mean(0)) ** 2).sum(1).mean())),
        brightness=float(light.mean((1, 2)).std()),
        texture=float(light.std((1, 2)).std()),
    )


def reduced(patches: UInt8[np.ndarray, "k h w 3"], most: int) -> UInt8[np.ndarray, "k rows cols 3"]:
    """Patches of at most about `most` px a side: squares of px are averaged, what is left over is cut off."""
    by = max(1, max(patches.shape[1:3]) // most)
    rows, cols = (max(1, length // by) for length in patches.shape[1:3])
    if by == 1 or min(patches.shape[1:3]) < by:
        return patches
    # Whole pictures are added, place by place in the squares: far faster than means of many short rows.
    places = (patches[:, row : rows * by : by, col : cols * by : by] for row in range(by) for col in range(by))
    total = np.zeros((len(patches), rows, cols, 3), np.uint32)
    for part in places:
        total += part
    return np.rint(total / by**2).astype(np.uint8)


def likeness(patches: UInt8[np.ndarray, "k h w 3"]) -> float:
    """How alike patches are in light and dark, whatever their colours: 1 for copies, about 0 for unlike ones.

    The mean correlation of two of them, each averaged to at most COARSE x COARSE values; at least two patches.
    """
    light = _light(patches.astype(np.float64))
    rows, cols = (_parts(length) for length in light.shape[1:])
    coarse = np.add.reduceat(np.add.reduceat(light, rows, axis=1), cols, axis=2)
    # Parts differ in size by a px where the side is no multiple.
    sizes = np.outer(np.diff(rows, append=light.shape[1]), np.diff(cols, append=light.shape[2]))
    flat = (coarse / sizes).reshape(len(light), -1)
    flat = flat - flat.mean(1, keepdims=True)
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    flat = np.divide(flat, norms, out=np.zeros_like(flat), where=norms > 1e-9)
    pairs = len(flat) * (len(flat) - 1)
    return float(((flat @ flat.T).sum() - (flat**2).sum()) / pairs)


def _light(values: Float64[np.ndarray, "k h w 3"]) -> Float64[np.ndarray, "k h w"]:
    """The mean of the three colours, added one after the other: numpy is slow over an axis as short."""
    return (values[..., 0] + values[..., 1] + values[..., 2]) / 3


def _parts(length: int) -> np.ndarray:
    """Where the parts of a side begin."""
    count = min(COARSE, length)
    return np.arange(count) * length // count


def direction(
    rows: Float64[np.ndarray, "*n"], cols: Float64[np.ndarray, "*n"], weights: Float64[np.ndarray, "*n"]
) -> complex:
    """The mean of vectors that are the same forwards and backwards (normals of lines), by doubled angles.

    Its length, 0..1, is how much they agree; the doubled angle of the line across them is its argument.
    """
    vectors = rows + 1j * cols
    size = np.abs(vectors)
    total = float((weights * (size > 0)).sum())
    if total <= 0:
        return 0j
    return complex((weights * (vectors / np.where(size > 0, size, 1)) ** 2).sum() / total)


def angle_of(turn: complex) -> float:
    """The line's angle in degrees, (-90, 90], from the mean of its doubled angles."""
    angle = float(np.degrees(np.angle(turn)) / 2)
    # -90 and 90 are the same line; rounding must not choose.
    return 90.0 if angle < -90 + 1e-9 else angle


def _turn(light: Float64[np.ndarray, "h w"]) -> complex:
    """The direction of a patch's edges: its gradients, each weighted by its square, by doubled angles."""
    if min(light.shape) < 3:
        return 0j
    # Inside only: differences at the rim would prefer the axes. Each is smoothed across itself (Scharr's 3, 10, 3), or
    # fine lines between the axes and the diagonals would be turned by some degrees.
    smooth_rows = (3 * light[:-2] + 10 * light[1:-1] + 3 * light[2:]) / 16
    smooth_cols = (3 * light[:, :-2] + 10 * light[:, 1:-1] + 3 * light[:, 2:]) / 16
    rows, cols = smooth_cols[2:] - smooth_cols[:-2], smooth_rows[:, 2:] - smooth_rows[:, :-2]
    return direction(rows, cols, rows**2 + cols**2)
