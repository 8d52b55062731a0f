"""The scan, slow and obvious: what the fast one is held to.

One image at a time, one unit at a time, plain comparisons; every value of every map is looked at in reading order.
"""

from collections.abc import Iterable

import numpy as np

from layerscope.core.records import Peaks


def scan_slowly(maps: Iterable[tuple[int, np.ndarray]], *, k: int, rectified: bool) -> Peaks:
    """The k highest peaks of a layer from its maps; maps: (image, float[u, rows, cols]) one by one."""
    found: list[list[tuple[float, int, int, int]]] = []
    for image, layer in maps:
        found = found or [[] for _ in layer]
        for unit, values in enumerate(layer):
            best = max(((float(values[r, c]), -image, -r, -c) for r, c in np.ndindex(values.shape)), default=None)
            if best is not None and (best[0] > 0 or not rectified):
                found[unit] = sorted([*found[unit], best], reverse=True)[:k]
    peaks = Peaks.empty(len(found), k)
    for unit, best in enumerate(found):
        for rank, (value, image, row, col) in enumerate(best):
            peaks.value[unit, rank], peaks.image[unit, rank] = value, -image
            peaks.row[unit, rank], peaks.col[unit, rank] = -row, -col
    return peaks
