"""The slow way to ask what marked pixels keep of an activation: whole pictures changed px by px, run through the user's
eager model in float64; marks by the slow way back of tests/helpers/reference.py.

The field is given, as rows and columns: what fields are is held to what changes a unit in tests/laws/test_fields.py.
"""

import numpy as np
from jaxtyping import Float32, Float64
from torch import nn

from tests.helpers.reference import Reference

Place = tuple[int, ...]


def masked(
    picture: Float32[np.ndarray, "c h w"], marks: Float64[np.ndarray, "h w"], rows: range, cols: range
) -> Float32[np.ndarray, "c h w"]:
    """The picture of which the 15 % of the field with the largest marks are left, the rest in the field's mean."""
    places = [(row, col) for row in rows for col in cols]
    kept = sorted(places, key=lambda place: (-marks[place], place))[: _count(len(places))]
    gone, out = set(places) - set(kept), picture.copy()
    for channel in range(len(picture)):
        mean = np.float32(sum(float(picture[channel][place]) for place in places) / len(places))
        for place in gone:
            out[channel][place] = mean
    return out


def _count(px: int) -> int:
    return next(n for n in range(px + 1) if 100 * n >= 15 * px)


def decided(marks: Float64[np.ndarray, "h w"], rows: range, cols: range) -> bool:
    """False where rounding decides what is kept: behind the mean of a map many px are marked alike, but for it."""
    falling = sorted((float(marks[row, col]) for row in rows for col in cols), reverse=True)
    last, count = falling[_count(len(falling)) - 1], _count(len(falling))
    return last == 0 or count == len(falling) or last - falling[count] > 1e-12 * falling[0]


def marks(picture: Reference, name: str, place: Place, method: str) -> Float64[np.ndarray, "h w"]:
    """What a method marks, at every px: the signal's magnitude, summed over channels."""
    unit, row, col = (*place, 0, 0)[:3]
    return np.abs(picture.project(name, unit=unit, row=row, col=col, method=method)).sum(0)


def share_kept(
    model: nn.Module, picture: Float32[np.ndarray, "c h w"], name: str, place: Place, by: Float64[np.ndarray, "h w"],
    rows: range, cols: range,
) -> float:  # fmt: skip
    """Of the activation at a place of a module's output the share that stays where only what `by` marks most in the
    field is kept; NaN where that is not decided."""
    if not decided(by, rows, cols):
        return float("nan")
    pictures = picture, masked(picture, by, rows, cols)
    before, after = (float(Reference(model, x.astype(np.float64), [name]).activation(name)[place]) for x in pictures)
    return max(after, 0.0) / before
