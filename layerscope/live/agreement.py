"""How far what a picture excites now is what the scan found in the same image, by what the scan kept of it."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

import numpy as np
from jaxtyping import Float32

from layerscope.atlas.records import Peak
from layerscope.core.live import ALIKE, ScanAgreement

# By layer's id, the maxima of its units in a picture.
Maxima = Mapping[int, Float32[np.ndarray, " units"]]


def agreement(peaks: Sequence[tuple[int, int, Peak]], maxima: Maxima) -> ScanAgreement:
    """The scan's values of an image beside those of now, of the layers in `maxima`.

    peaks: those in the image, each with its layer's id and its unit. A peak is its unit's maximum in the image, so the
    two are of one kind; one that is not above zero says nothing and is not counted.
    """
    return _of(
        float(maxima[layer][unit]) / peak.value for layer, unit, peak in peaks if layer in maxima and peak.value > 0
    )


def _of(ratios: Iterable[float]) -> ScanAgreement:
    found = list(ratios)
    back = sum(abs(ratio - 1) <= ALIKE for ratio in found)
    return ScanAgreement(peaks=len(found), back=back, ratio=median(found) if found else None)
