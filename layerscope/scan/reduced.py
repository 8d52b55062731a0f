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


def sums_of(flat: Float[Tensor, "n p u"]) -> Float64[Tensor, "3 u"]:
    """Of each unit over all positions: how many are above zero, their sum, and that of their squares.

    In float64, whatever the network's dtype: the squares of float16 overflow above 255. In pieces that stay in the
    processor's cache this is as fast as float32 sums over whole maps.
    """
    units = flat.shape[2]
    side = _beside(units)
    rows = flat.reshape(-1, units)
    even = len(rows) - len(rows) % side
    parts = [rows[:even].reshape(-1, side * units), rows[even:]] if even else [rows]
    return torch.stack([_summed(part).unflatten(1, (-1, units)).sum(1) for part in parts]).sum(0)


def _summed(rows: Float[Tensor, "p w"]) -> Float64[Tensor, "3 w"]:
    sums = torch.zeros((3, rows.shape[1]), dtype=torch.float64, device=rows.device)
    for piece in rows.split(max(1, SUMMED_AT_ONCE // rows.shape[1])):
        values = piece.double()
        sums[0] += (piece > 0).sum(0)
        sums[1] += values.sum(0)
        sums[2] += (values.square() if values is piece else values.square_()).sum(0)
    return sums


def _beside(units: int) -> int:
    """How many positions are taken side by side."""
    return ABREAST // gcd(units, ABREAST) if units < 4 * ABREAST else 1
