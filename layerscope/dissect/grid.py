"""The evaluation grid: maps of any layer, upsampled to the same px of the input, where masks are known too.

The grid is every second px of the input (a stride, so that no mask is blurred). A position of a map stands at the
centre of its receptive field, and between four centres its values are joined bilinearly; beyond the outermost centres
the edge's value holds (Bau et al. 2017, section 2.2).
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float16, Float32, Int16, Int64, Integer
from torch import Tensor

from layerscope.core.geometry import Window
from layerscope.core.records import Input, LayerRecord, Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationGrid:
    """Every `every`-th row and column of the input px, the first of them every // 2."""

    height: int
    width: int
    every: int = 2

    @classmethod
    def of(cls, input: Input, every: int) -> "EvaluationGrid":
        # A picture narrower than the stride keeps its middle px.
        return cls(height=input.height, width=input.width, every=min(every, input.height, input.width))

    @property
    def rows(self) -> Int64[np.ndarray, " rows"]:
        return np.arange(self.every // 2, self.height, self.every)

    @property
    def cols(self) -> Int64[np.ndarray, " cols"]:
        return np.arange(self.every // 2, self.width, self.every)

    @property
    def px(self) -> int:
        """How many px of each image are evaluated."""
        return len(self.rows) * len(self.cols)


def masks_on(
    grid: EvaluationGrid, masks: Bool[np.ndarray, "concepts h w"], placement: Placement
) -> Bool[np.ndarray, "concepts px"]:
    """Masks that lie on the source picture, at the grid's px: the nearest source px; False beyond the picture."""
    return _taken(grid, masks, placement, False).reshape(len(masks), -1)


def numbers_on(
    grid: EvaluationGrid, numbers: Integer[np.ndarray, "h w"], placement: Placement
) -> Int64[np.ndarray, " px"]:
    """Numbers that lie over the whole source picture, likewise; -1 beyond it. They may have px of another size."""
    return _taken(grid, numbers, placement, -1).ravel().astype(np.int64)


def _taken(grid: EvaluationGrid, planes: np.ndarray, placement: Placement, beyond: int) -> np.ndarray:
    """The nearest px of planes [..., h, w] over the source picture at the grid's rows and columns."""
    height, width = planes.shape[-2:]
    # Planes of the picture's own size: the factor is 1, and changes no digit.
    row = (placement.top + (grid.rows + 0.5) * placement.row_scale) * (height / placement.height)
    col = (placement.left + (grid.cols + 0.5) * placement.col_scale) * (width / placement.width)
    rows, cols = np.floor(row).astype(np.int64), np.floor(col).astype(np.int64)
    inside = ((rows >= 0) & (rows < height))[:, None] & ((cols >= 0) & (cols < width))
    taken = planes[..., rows.clip(0, height - 1)[:, None], cols.clip(0, width - 1)]
    return np.where(inside, taken, np.array(beyond).astype(taken.dtype if beyond == 0 else np.int64))


def weights_between(
    window: Window, count: int, length: int, at: Int64[np.ndarray, " px"]
) -> Float32[np.ndarray, "px count"]:
    """How much each of `count` positions along an axis counts at each of these px.

    window: of the positions, in input px; where all of them see the same, they are spread evenly over the `length` px
    of the axis. A px and a position's centre are points in the same coordinates: px j is at j.
    """
    if window.step:
        first, step = float(window.start) + (float(window.size) - 1) / 2, float(window.step)
    else:
        first, step = length / count / 2 - 0.5, length / count
    place = np.clip((at - first) / step, 0, count - 1)
    low = np.minimum(place.astype(np.int64), max(count - 2, 0))
    weights = np.zeros((len(at), count))
    lines = np.arange(len(at))
    weights[lines, low] = 1 - (place - low)
    if count > 1:
        weights[lines, low + 1] = place - low
    return weights.astype(np.float32)


class Upsampling:
    """The way from one layer's maps to the grid."""

    def __init__(self, layer: LayerRecord, grid: EvaluationGrid) -> None:
        assert layer.map is not None, "a dense layer has no positions"
        rows = weights_between(layer.field.rows, layer.map[0], grid.height, grid.rows)
        cols = weights_between(layer.field.cols, layer.map[1], grid.width, grid.cols)
        self.rows, self.cols = torch.from_numpy(rows), torch.from_numpy(cols)

    def bits(self, maps: Float16[Tensor, "n h w u"] | Float32[Tensor, "n h w u"]) -> Int16[np.ndarray, "npx u"]:
        """The maps at every px of the grid, image by image, as float16's bit patterns.

        Those of numbers above zero are ordered as the numbers are, and those of negative ones are below zero; so
        thresholds can be compared, and counted, as integers.
        """
        n, height, width, units = maps.shape
        tall = torch.matmul(self.rows, maps.float().reshape(n, height, width * units))
        whole = torch.matmul(self.cols, tall.reshape(n * len(self.rows), width, units))
        return whole.half().view(torch.int16).reshape(-1, units).numpy()
