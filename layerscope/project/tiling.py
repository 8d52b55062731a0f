"""Signals become tiles: cut to their boxes, shown in each view, scaled to gray levels."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from layerscope.core.geometry import Box
from layerscope.project.extents import Extent
from layerscope.project.tiles import centred_boxes, energy_profiles
from layerscope.project.views import KERNEL_RADIUS, NaturalView, channels_of, reduced, scales_of, to_gray_levels
from layerscope.project.windows import cut


def boxes_for(signal: Tensor, extent: Extent, side: int) -> list[Box]:
    """A box for each signal: centred on its energy, or the whole input where side is 0."""
    if not side:
        return [Box(top=0, left=0, bottom=extent.spatial_size[0], right=extent.spatial_size[1])] * len(signal)
    return centred_boxes(energy_profiles(signal.float().cpu().numpy()), extent, side)


def view_tiles(
    signal: Tensor,
    extent: Extent,
    boxes: Sequence[Box],
    size: tuple[int, int],
    natural: NaturalView,
    views: Sequence[str],
    shown: tuple[int, ...],
) -> tuple[UInt8[np.ndarray, "m views h w 3"], Float32[np.ndarray, "m views"]]:
    """Each signal inside its box, in each view, with the scale of each tile."""
    r = KERNEL_RADIUS
    tops, lefts = (np.array([getattr(box, edge) - r for box in boxes], np.int64) for edge in ("top", "left"))
    around = Extent(tops, lefts, boxes[0].height + 2 * r, boxes[0].width + 2 * r, extent.spatial_size)
    held = cut(signal.float(), np.arange(len(signal)), extent, around, 0.0)
    pictures = {"signal": lambda: held[..., r:-r, r:-r], "natural": lambda: natural.apply(held)}
    pixels, scales = [], []
    for view in views:
        tiles = reduced(pictures[view](), size)
        scale = scales_of(channels_of(tiles, [*dict.fromkeys(shown)]).contiguous().cpu().numpy())
        pixels.append(to_gray_levels(tiles, scale, shown))
        scales.append(scale)
    return np.stack(pixels, 1), np.stack(scales, 1)


def patch_tile(
    picture: UInt8[np.ndarray, "h w 3"], box: Box, size: tuple[int, int]
) -> UInt8[np.ndarray, "tile_h tile_w 3"]:
    """What the network got inside a box, at the size at which it is kept."""
    tile = np.ascontiguousarray(picture[box.top : box.bottom, box.left : box.right])
    if tile.shape[:2] == size:
        return tile
    smaller = reduced(torch.from_numpy(tile).permute(2, 0, 1)[None].float(), size)[0]
    return smaller.round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
