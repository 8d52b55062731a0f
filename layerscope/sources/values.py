"""Numbers that cannot be what they are taken for: said in one sentence, from a few images, before anything is read."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float32
from PIL import Image

from layerscope.core.records import Input

BEYOND = 0.25  # so far outside 0..1 no resampling carries the values of a picture
SIXTEEN_BIT = 65535
LITTLE = 16  # 16-bit pictures that use less than one in so many of their levels look black


def float_remarks(arrays: Iterable[Float32[np.ndarray, "c h w"]], input: Input) -> list[str]:
    """What is odd about arrays that are taken as already normalised as the Input says; empty where nothing is."""
    mean, std = (np.asarray(values)[:, None, None] for values in (input.mean, input.std))
    finite = [array for array in arrays if np.isfinite(array).all()]
    if not finite:
        return []
    low, high = min(float(array.min()) for array in finite), max(float(array.max()) for array in finite)
    undone = [array * std + mean for array in finite]
    darkest, lightest = min(float(array.min()) for array in undone), max(float(array.max()) for array in undone)
    held = f"float items hold {low:,.5g} to {high:,.5g}"
    if low >= 0 and high <= 1 and (np.any(mean != 0) or np.any(std != 1)):
        return [
            f"{held}, as pictures do before mean and std are taken off, but floats are taken as already normalised: "
            "add Normalize(mean, std) to the Dataset's transforms, or give uint8 pictures"
        ]
    if darkest < -BEYOND or lightest > 1 + BEYOND:
        return [
            f"{held}, which with the Input's mean and std undone is {darkest:,.5g} to {lightest:,.5g}, not 0 to 1: "
            "patches show 0 to 1 only; if the network learned from other numbers, scale them or give uint8 pictures"
        ]
    return []


def sixteen_bit_remarks(pictures: Sequence[Image.Image]) -> list[str]:
    """Whether 16-bit gray pictures, which are scaled from 0..65535, use so little of it that they come out black."""
    if not pictures:
        return []
    highest = max(int(np.asarray(picture).max()) for picture in pictures)
    if highest * LITTLE > SIXTEEN_BIT:
        return []
    return [
        f"16-bit gray pictures reach {highest:,} of {SIXTEEN_BIT:,} ({len(pictures)} looked at), so they come out "
        "nearly black: scale them to the whole range, or give them as 8-bit pictures"
    ]
