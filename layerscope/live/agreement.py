"""How far what a picture excites now is what the scan found in the same image, by what the scan kept of it."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

import numpy as np
from jaxtyping import Float32

from layerscope.atlas.records import Peak
from layerscope.core.errors import NotAnAtlas
from layerscope.core.live import ALIKE, ScanAgreement

# What an activation above zero may be, in float32.
SMALLEST, LARGEST = float(np.finfo(np.float32).smallest_subnormal), float(np.finfo(np.float32).max)
# By layer's id, the maxima of its units in a picture.
Maxima = Mapping[int, Float32[np.ndarray, " units"]]


def agreement(peaks: Sequence[tuple[int, int, Peak]], maxima: Maxima) -> ScanAgreement:
    """The scan's values of an image beside those of now, of the layers in `maxima`.

    peaks: those in the image, each with its layer's id and its unit. A peak is its unit's maximum in the image, so the
    two are of one kind; one that is not above zero says nothing and is not counted. Raises NotAnAtlas for one that no
    scan finds: infinite, or smaller than any float32 above zero.
    """
    counted = [each for each in peaks if each[0] in maxima and each[2].value > 0]
    for _, unit, peak in counted:
        if not SMALLEST <= peak.value <= LARGEST:
            raise NotAnAtlas(
                f"the atlas is damaged: in image {peak.image} it has a peak of {peak.value:g} of unit {unit}, which is "
                "no activation in float32; layerscope build with --overwrite makes it anew"
            )
    return _of(float(maxima[layer][unit]) / peak.value for layer, unit, peak in counted)


def _of(ratios: Iterable[float]) -> ScanAgreement:
    found = list(ratios)
    back = sum(abs(ratio - 1) <= ALIKE for ratio in found)
    return ScanAgreement(peaks=len(found), back=back, ratio=median(found) if found else None)
