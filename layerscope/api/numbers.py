"""What a scan counted for one unit, as plain numbers."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitNumbers:
    """What a scan counted for one unit.

    mean, std: over all positions of every fourth batch. maximum: over all images. images_above, positions_above:
    shares in 0..1 above zero. histogram: counts of the images' maxima between core.records.HISTOGRAM_EDGES, the
    outermost bins open. class_means: per class the mean over its images of the image's maximum; empty without labels.
    """

    mean: float
    std: float
    maximum: float
    images_above: float
    positions_above: float
    histogram: Int64[np.ndarray, " bins"]
    class_means: dict[str, float]
