"""What a shard finds for one layer, whoever looks for it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int32

from layerscope.core.records import Peaks


@dataclass(frozen=True, eq=False)
class LayerResult:
    """What a shard found for one layer.

    maxima: float32[images, u], each image's maximum. peaks: the k highest of the shard (those below the floors may be
    missing). positions: how many were summed. above, total, squares: float64[u], over these positions: the count
    above zero, the sum, the sum of squares. argmax: int32[m, u], for the shard's sampled images in their order the
    first position in reading order that holds the maximum, row * cols + col.
    """

    maxima: Float32[np.ndarray, "n u"]
    peaks: Peaks
    positions: int
    above: Float64[np.ndarray, " u"]
    total: Float64[np.ndarray, " u"]
    squares: Float64[np.ndarray, " u"]
    argmax: Int32[np.ndarray, "m u"]
