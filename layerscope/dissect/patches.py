"""What a unit's strongest patches have in common, and how they differ: direction, colour, brightness, texture."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from layerscope.dissect.filters import angle_of, direction


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
    light = values.mean(-1)
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
