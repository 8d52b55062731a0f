"""What of a projection to show: a square of one side per layer, centred on the projection's own energy.

The receptive field of a deep position is mostly empty. The side is measured on a sample of the layer's units; each
tile is then moved to where its energy lies, inside the picture.
"""

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64

from layerscope.core.geometry import Box
from layerscope.project.extents import Extent

SMALLEST_SIDE = 8
KEPT_ENERGY = 0.95
SIDE_QUANTILE = 0.75


def energy_profiles(
    signal: Float32[np.ndarray, "m c h w"],
) -> tuple[Float64[np.ndarray, "m h"], Float64[np.ndarray, "m w"]]:
    """The signals' energy along rows and along columns."""
    # Squares overflow float32 from 1.8e19 on and vanish below 1e-23, so each signal is first brought to a largest
    # number of about 1; by a power of two, which changes no digit.
    _, exponents = np.frexp(np.maximum(signal.max((1, 2, 3), initial=0), -signal.min((1, 2, 3), initial=0)))
    energy = np.square(_shifted(signal, -exponents[:, None, None, None])).sum(1, dtype=np.float32)
    back = np.ldexp(1.0, 2 * exponents)[:, None]
    return energy.sum(2, dtype=np.float64) * back, energy.sum(1, dtype=np.float64) * back


def _shifted(signal: Float32[np.ndarray, "m c h w"], exponents: Int32[np.ndarray, "m 1 1 1"]) -> np.ndarray:
    """`np.ldexp`; as a product, several times as fast, where the factors are numbers of their own in float32."""
    if np.abs(exponents).max(initial=0) > 120:
        return np.ldexp(signal, exponents)
    return signal * np.ldexp(np.float32(1), exponents)


def extents_of_energy(profile: Float64[np.ndarray, "m n"]) -> Int64[np.ndarray, " m"]:
    """Per profile the length of the interval that holds the middle 95 % of it."""
    cumulated = np.cumsum(profile, axis=1)
    total = cumulated[:, -1:]
    share = np.divide(cumulated, total, out=np.zeros_like(cumulated), where=total > 0)
    tail = (1 - KEPT_ENERGY) / 2
    first, last = (share < tail).sum(1), (share < 1 - tail).sum(1)
    return np.where(total[:, 0] > 0, last - first + 1, 0)


def tile_side(sides: Int64[np.ndarray, " n"], spatial_size: tuple[int, int]) -> int:
    """The side for a layer: the 75th percentile of its sample's, at least 8 px, at most the input's shorter side."""
    present = sides[sides > 0]
    wanted = int(np.ceil(np.quantile(present, SIDE_QUANTILE))) if len(present) else SMALLEST_SIDE
    return min(max(wanted, SMALLEST_SIDE), *spatial_size)


def centred_boxes(
    profiles: tuple[Float64[np.ndarray, "m h"], Float64[np.ndarray, "m w"]], extent: Extent, side: int
) -> list[Box]:
    """A box per signal, centred on its energy (on its window's middle where there is none), inside the picture."""
    rows, cols = (_centres(p, starts) for p, starts in zip(profiles, (extent.tops, extent.lefts), strict=True))
    height, width = extent.spatial_size
    boxes = []
    for row, col in zip(rows, cols, strict=True):
        top, left = round(row - side / 2), round(col - side / 2)
        boxes.append(Box(top=top, left=left, bottom=top + side, right=left + side).moved_inside(height, width))
    return boxes


def _centres(profile: Float64[np.ndarray, "m n"], starts: Int64[np.ndarray, " m"]) -> Float64[np.ndarray, " m"]:
    total = profile.sum(1)
    places = np.arange(profile.shape[1]) + 0.5
    middle = np.full(len(profile), profile.shape[1] / 2)
    return starts + np.divide(profile @ places, total, out=middle, where=total > 0)


def cosines(a: Float32[np.ndarray, "n c h w"], b: Float32[np.ndarray, "n c h w"]) -> Float64[np.ndarray, " n"]:
    """The cosine between the two signals of each pair; NaN where one of them is zero."""
    a, b = (x.reshape(len(x), -1).astype(np.float64) for x in (a, b))
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.divide((a * b).sum(1), norms, out=np.full(len(a), np.nan), where=norms > 0)
