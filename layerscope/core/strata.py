"""Below the peaks: where a unit's images lie from the extreme tail to the middle, and which units go with it.

Both are taken on a seeded sample of the images. The nine peaks show the extreme tail alone; the *strata* are rows of
images around lower percentiles of the same unit's image maxima. A unit's *neighbours* are the units of its layer whose
image maxima rise and fall with its own.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64

# Percentiles of a unit's image maxima, the extreme one first; and how many images stand for each.
PERCENTILES = (99, 95, 90, 50)
ROW = 4
# Neighbours: at most so many, of at least this correlation, in layers of at most so many units.
MOST_NEIGHBOURS = 8
LEAST_CORRELATION = 0.2
MOST_UNITS = 2048
# Over 16 images the correlation of two unrelated units has a standard deviation of 0.26: fewer tell nothing.
FEWEST_IMAGES = 16
# Two units of the same layer that correlate so highly show the same thing.
NEAR_DUPLICATE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strata:
    """Of every unit of a layer the images around each of PERCENTILES, the highest first; empty places hold image -1.

    value: float32[u, p, r], the image's maximum, -inf where empty. image: int64[u, p, r]. row, col: int32[u, p, r],
    the first place in reading order that has it, in the layer's map.
    """

    value: Float32[np.ndarray, "u p r"]
    image: Int64[np.ndarray, "u p r"]
    row: Int32[np.ndarray, "u p r"]
    col: Int32[np.ndarray, "u p r"]

    @classmethod
    def empty(cls, units: int) -> "Strata":
        shape = (units, len(PERCENTILES), ROW)
        return cls(
            value=np.full(shape, -np.inf, np.float32),
            image=np.full(shape, -1, np.int64),
            row=np.zeros(shape, np.int32),
            col=np.zeros(shape, np.int32),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbours:
    """Of every unit of a layer the units that correlate most with it, the highest first; empty places hold unit -1.

    other: int64[u, n]. correlation: float64[u, n], of the image maxima over the sample, LEAST_CORRELATION..1, to six
    decimals; 0 where empty.
    """

    other: Int64[np.ndarray, "u n"]
    correlation: Float64[np.ndarray, "u n"]

    @classmethod
    def empty(cls, units: int, most: int = MOST_NEIGHBOURS) -> "Neighbours":
        return cls(other=np.full((units, most), -1, np.int64), correlation=np.zeros((units, most)))
