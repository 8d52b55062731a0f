"""Maxima and sums over maps whose channels lie last, several positions side by side where channels are few.

PyTorch reduces 32 neighbouring numbers at once, and what is left of them one by one, a hundred times slower: of 24
channels four positions are taken as 96.
"""

from math import gcd

import torch
from jaxtyping import Float, Float64
from torch import Tensor

# So many numbers are reduced at once.
ABREAST = 32
SUMMED_AT_ONCE = 2**17
# On a GPU each piece costs its calls, and nothing is gained by a small one.
SUMMED_ON_DEVICE = 2**24
# Maps of so many numbers are summed up in float32, so many positions at once: more would add up their rounding.
LARGE = 2**17
ROWS_AT_ONCE = 1024


def maxima_of_rows(maps: Float[Tensor, "n rows cols u"]) -> Float[Tensor, "n rows u"]:
    """The maximum of each row of each map; NaN where there is one."""
    _, _, cols, units = maps.shape
    side = _beside(units)
    even = cols - cols % side
    if side == 1 or not even or not maps.is_contiguous():
        return maps.amax(2)
    abreast = maps[:, :, :even].unflatten(2, (even // side, side)).flatten(3).amax(2)
    found = abreast.unflatten(2, (side, units)).amax(2)
    return found if even == cols else torch.maximum(found, maps[:, :, even:].amax(2))


def sums_of(maps: Float[Tensor, "n rows cols u"]) -> Float64[Tensor, "3 u"]:
    """Of each unit over all positions: how many are above zero, their sum, and that of their squares; of finite values.

    Large maps are summed up in float32 around their own mean, image by image (a few parts in a million), and these sums
    in float64; small ones, and numbers whose squares are too large, in float64 throughout.
    """
    if maps.numel() >= LARGE and maps.dtype == torch.float32 and maps.device.type == "cpu" and maps.is_contiguous():
        found = _around_the_mean(maps)
        if bool(torch.isfinite(found).all()):
            return found
    return _in_float64(maps.flatten(0, 2))


def _around_the_mean(maps: Float[Tensor, "n rows cols u"]) -> Float64[Tensor, "3 u"]:
    """By what batch norm takes of its channels: one pass over memory, where sums of squares take six."""
    sums = torch.zeros((3, maps.shape[3]), dtype=torch.float64)
    positions = maps.shape[1] * maps.shape[2]
    most = max(1, ROWS_AT_ONCE // positions)
    above = torch.empty_like(maps[:most])
    for part in maps.split(most):
        count, signs = len(part) * positions, above[: len(part)]
        mean, spread = (found.double() for found in _mean_and_spread(part))
        torch.gt(part, 0, out=signs)
        sums[0] += (_mean_and_spread(signs)[0].double() * count).round()
        sums[1] += mean * count
        sums[2] += (spread + mean.square()) * count
    return sums


def _mean_and_spread(maps: Float[Tensor, "n rows cols u"]) -> tuple[Tensor, Tensor]:
    return torch.batch_norm_update_stats(maps.permute(0, 3, 1, 2), None, None, 0.0)


def _in_float64(rows: Float[Tensor, "p u"]) -> Float64[Tensor, "3 u"]:
    """Whatever the network's dtype: the squares of float16 overflow above 255. In pieces that stay in the processor's
    cache, or fit a device's memory."""
    units = rows.shape[1]
    side = _beside(units)
    even = len(rows) - len(rows) % side
    parts = [rows[:even].reshape(-1, side * units), rows[even:]] if even else [rows]
    return torch.stack([_summed(part).unflatten(1, (-1, units)).sum(1) for part in parts]).sum(0)


def _summed(rows: Float[Tensor, "p w"]) -> Float64[Tensor, "3 w"]:
    sums = torch.zeros((3, rows.shape[1]), dtype=torch.float64, device=rows.device)
    most = SUMMED_AT_ONCE if rows.device.type == "cpu" else SUMMED_ON_DEVICE
    for piece in rows.split(max(1, most // rows.shape[1])):
        values = piece.double()
        sums[0] += (piece > 0).sum(0)
        sums[1] += values.sum(0)
        sums[2] += (values.square() if values is piece else values.square_()).sum(0)
    return sums


def _beside(units: int) -> int:
    """How many positions are taken side by side."""
    return ABREAST // gcd(units, ABREAST) if units < 4 * ABREAST else 1
