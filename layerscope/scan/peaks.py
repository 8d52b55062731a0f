"""The k highest of every unit, under a total order, so that merging is associative, commutative and repeatable.

Larger value first; among equal values the smaller image, then row, then column. `torch.topk` promises no order among
equals, so the order is made here.
"""

import numpy as np
from jaxtyping import Int64

from layerscope.core.records import LayerRecord, Peaks

# The id of a place in a batch where no image is.
NOBODY = -1


def no_peak(layer: LayerRecord) -> float:
    """What a maximum must exceed to be a peak: a rectified layer's zeros are none."""
    return 0.0 if layer.rectified else -np.inf


def in_order(ids: Int64[np.ndarray, " n"], before: int) -> bool:
    """Whether these images are later than one of this id, and each later than the one before it."""
    return bool(ids[0] > before and (ids[1:] > ids[:-1]).all())


def merge(a: Peaks, b: Peaks) -> Peaks:
    """The k highest peaks of two sets of images that share no image; k is that of `a`."""
    k = a.value.shape[1]
    value, image, row, col = (
        np.concatenate([getattr(a, name), getattr(b, name)], axis=1) for name in ("value", "image", "row", "col")
    )
    # Empty places (-inf) have image -1; a large one sends them behind every real peak of value -inf.
    key = np.where(image < 0, np.iinfo(np.int64).max, image)
    order = np.lexsort((col, row, key, -value), axis=1)[:, :k]
    value, image, row, col = (np.take_along_axis(part, order, axis=1) for part in (value, image, row, col))
    return Peaks(value=value, image=image, row=row, col=col)
