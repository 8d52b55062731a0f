"""The images whose maxima are kept as they are: a seeded sample, of which strata and neighbours are made.

At most 512 images, and no more than fit a constant number of bytes: the state stays flat however large the scan. Which
images these are depends on nothing but the number of images, the layers and the seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64

from layerscope.core.records import LayerRecord

MOST_SAMPLED = 512
SAMPLE_BYTES = 64 * 2**20
# A maximum and its place, four bytes each.
_BYTES_EACH = 8


@dataclass(frozen=True, eq=False)
class SampledMaxima:
    """One layer on the sampled images that could be used.

    images: int64[n], their ids, growing. maxima: float32[n, u]. argmax: int32[n, u], the first position in reading
    order that holds the maximum, row * cols + col of the layer's map.
    """

    images: Int64[np.ndarray, " n"]
    maxima: Float32[np.ndarray, "n u"]
    argmax: Int32[np.ndarray, "n u"]


def sample_of(count: int, layers: Sequence[LayerRecord], seed: int) -> Int64[np.ndarray, " s"]:
    """The ids of the images to sample out of `count`, growing."""
    units = sum(layer.units for layer in layers)
    most = min(MOST_SAMPLED, max(1, SAMPLE_BYTES // (_BYTES_EACH * max(units, 1))))
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng([seed, 2]).permutation(count)[:most])
