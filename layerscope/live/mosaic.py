"""A layer's maps as one gray picture: a grid of units, each in gray levels of its own scale.

One JPEG for all maps is by far the cheapest way to a browser: 64 maps of 112 x 112 px are 140 KiB and a few
milliseconds. A mosaic that would be larger than that is cut to the units on the screen, then reduced.
"""

import io
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, UInt8
from PIL import Image
from torch import Tensor

from layerscope.atlas.codecs import shape_of_grid
from layerscope.core.errors import UsageError
from layerscope.core.live import LiveLayer, LiveRequest

QUALITY = 80
# A mosaic of more bytes is cut to the visible units, if those are known.
CUT_ABOVE = 160 * 1024
MOST_BYTES = 256 * 1024
# Encoding takes 2 to 3 ms a million px: more are not tried.
MOST_PX = 1_300_000
# One number a unit becomes a square of one JPEG block, which keeps it to a gray level.
DENSE_SIDE = 8


class Mosaic(NamedTuple):
    """The JPEG, and rows and columns of the grid, rows and columns of one map in it, the first unit."""

    jpeg: bytes
    shape: tuple[int, int, int, int, int]


def gray_levels(
    maps: Float[Tensor, "units rows cols"], scales: Float32[np.ndarray, " units"]
) -> UInt8[Tensor, "units rows cols"]:
    """Maps as gray levels: 255 at the unit's scale and above, 0 at zero and below."""
    factors = torch.from_numpy(255 / scales).to(maps.device)
    return (maps * factors[:, None, None]).round_().clamp_(0, 255).to(torch.uint8).cpu()


def mosaic(
    maps: Float[Tensor, "units rows cols"],
    scales: Float32[np.ndarray, " units"],
    visible: tuple[int, int] | None = None,
) -> Mosaic:
    """All maps, or those of the visible units where all would be more than CUT_ABOVE bytes; at most MOST_BYTES.

    scales: above zero. visible: (first, one past the last). Maps are reduced by whole factors, keeping the highest
    value of each square, where they would be too large otherwise.
    """
    units, rows, cols = maps.shape
    if units * rows * cols <= MOST_PX:
        made = _mosaic(gray_levels(maps, scales), 0)
        if len(made.jpeg) <= (MOST_BYTES if visible is None else CUT_ABOVE):
            return made
    first, last = visible or (0, units)
    levels = gray_levels(maps[first:last], scales[first:last])
    factor = max(1, int(np.ceil(np.sqrt(levels.numel() / MOST_PX))))
    while len((made := _mosaic(_reduced(levels, factor), first)).jpeg) > MOST_BYTES:
        factor += 1
    return made


def _reduced(levels: UInt8[Tensor, "units rows cols"], factor: int) -> UInt8[Tensor, "units fewer_rows fewer_cols"]:
    if factor == 1:
        return levels
    return F.max_pool2d(levels[None].float(), factor, ceil_mode=True)[0].to(torch.uint8)


def _mosaic(levels: UInt8[Tensor, "units rows cols"], first: int) -> Mosaic:
    units, rows, cols = levels.shape
    if (rows, cols) == (1, 1):
        rows = cols = DENSE_SIDE
        levels = levels.expand(units, rows, cols)
    grid_rows, grid_cols = shape_of_grid(units)
    places = levels.new_zeros((grid_rows * grid_cols, rows, cols))
    places[:units] = levels
    lines = places.reshape(grid_rows, grid_cols, rows, cols).transpose(1, 2).reshape(grid_rows * rows, grid_cols * cols)
    buffer = io.BytesIO()
    Image.fromarray(lines.numpy()).save(buffer, "JPEG", quality=QUALITY)
    return Mosaic(buffer.getvalue(), (grid_rows, grid_cols, rows, cols, first))


def visible_units(request: LiveRequest, layer: LiveLayer) -> tuple[int, int] | None:
    """The visible units, cut to those that exist. Raises UsageError where none is left."""
    if request.visible is None:
        return None
    first, last = max(request.visible[0], 0), min(request.visible[1], layer.units)
    if first >= last:
        raise UsageError(f'layer "{layer.name}" has no units {request.visible[0]} to {request.visible[1] - 1}')
    return first, last
