"""A picture after its forward pass, and what is read off its maps: maxima, places, entries to carry back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from torch import Tensor

from layerscope.core.errors import TraceError
from layerscope.core.progress import Clock
from layerscope.core.records import Placement
from layerscope.live.watched import WatchedLayer
from layerscope.project.cone import Entries


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """A picture after its forward pass. values: by node, the maps that were wanted."""

    pixels: Float32[np.ndarray, "c h w"]
    placement: Placement
    values: dict[int, Tensor]

    def maps(self, layer: WatchedLayer) -> Float[Tensor, "units rows cols"]:
        """A layer's maps; 1 x 1 for a dense layer."""
        found = self.values[layer.record.node][0]
        return found if found.dim() == 3 else found[:, None, None]

    def maxima(self, layer: WatchedLayer) -> Float32[np.ndarray, " units"]:
        """Each unit's maximum. Raises TraceError where it is no number."""
        maxima = self.maps(layer).amax((1, 2)).float().cpu().numpy()
        require_finite(maxima, f"layer {layer.record.name}")
        return maxima

    @property
    def seen(self) -> tuple[float, float, float, float]:
        """The input plane as a box of the picture's px."""
        place, (_, height, width) = self.placement, self.pixels.shape
        bottom, right = place.top + height * place.row_scale, place.left + width * place.col_scale
        return place.top, place.left, bottom, right

    @property
    def picture_size(self) -> tuple[int, int]:
        return self.placement.height, self.placement.width


def entries(layer: WatchedLayer, units: Sequence[int], rows: Sequence[int], cols: Sequence[int]) -> Entries:
    """Places of a layer in one picture, to be carried back."""
    places = (np.array(values, np.int64) for values in (units, rows, cols))
    return Entries(layer.record.node, np.zeros(len(units), np.int64), *places)


def highest(values: Float[Tensor, "rows cols"]) -> tuple[int, int, float]:
    """Row, column and value of the highest activation; of equals the first in reading order."""
    place = int(values.reshape(-1).argmax())
    row, col = divmod(place, values.shape[1])
    return row, col, float(values[row, col])


def require_finite(values: np.ndarray, where: str) -> None:
    """Raises TraceError for NaN and infinity, which no page can show."""
    if not np.isfinite(values).all():
        raise TraceError(f"the picture gives values that are not finite at {where}: the weights are unusable")


def milliseconds(clock: Clock) -> dict[str, float]:
    """What each stage of an answer took."""
    stages = ("decode", "prepare", "forward", "project", "encode")
    return {stage: 1000 * clock.seconds.get(stage, 0.0) for stage in stages}
