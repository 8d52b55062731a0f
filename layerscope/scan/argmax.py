"""Where in its map each unit of each image is highest, at little more than the cost of the maximum.

The maximum over the map is taken by way of the maxima over its rows, which costs nothing more; to know the place, only
one row of each map is looked at again.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor


def first_argmax(
    values: Float[Tensor, "n rows cols u"], of_rows: Float[Tensor, "n rows u"], highest: Float[Tensor, "n u"]
) -> Int64[Tensor, "n u"]:
    """The first position in reading order, row * cols + col, that holds each map's maximum; no value may be NaN.

    of_rows: the maximum of each of the map's rows. highest: that of the map.
    """
    cols = values.shape[2]
    row = _first(of_rows, highest)
    line = values.gather(1, row[:, None, None].expand(-1, 1, cols, -1))[:, 0]
    return row * cols + _first(line, highest)


def place_of(
    values: Float[Tensor, "n rows cols u"],
    of_rows: Float[Tensor, "n rows u"],
    image: Int64[Tensor, " e"],
    unit: Int64[Tensor, " e"],
) -> Int64[Tensor, " e"]:
    """The same of some images and units alone. Of equal values `argmax` names the first: PyTorch documents that (it
    does not for topk and max)."""
    row = of_rows[image, :, unit].argmax(1)
    return row * values.shape[2] + values[image, row, :, unit].argmax(1)


def _first(values: Float[Tensor, "n p u"], highest: Float[Tensor, "n u"]) -> Int64[Tensor, "n u"]:
    """The first place along the second axis that holds the highest value."""
    # A maximum over falling numbers runs along memory; argmax over this axis does not.
    count = values.shape[1]
    falling = torch.arange(count, 0, -1, dtype=torch.int32, device=values.device)[:, None]
    return count - torch.where(values == highest[:, None], falling, 0).amax(1).long()
