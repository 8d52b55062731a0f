"""What do the marked pixels do? Keep some of a unit's field, paint the rest over, and run the network once more.

The pixels that are kept are those with the largest marks: of a projection its magnitude, of a picture its edges. All
others in the field get the field's mean colour; what lies outside stays, and matters to gates only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64, Int64
from torch import Tensor

from layerscope.core.geometry import Box
from layerscope.graph import Carrier
from layerscope.project.cone import Entries
from layerscope.project.run import Carried, values_of_cones

PERCENT = 15

# What is marked at the px of each entry's field, the larger the more; None where nothing is.
FieldMarks = Sequence[Float[np.ndarray, "a b"] | None]


@dataclass(frozen=True)
class PaintedOver:
    """What is painted over in the pictures of m entries: their fields, inside the picture, input px; which px of these
    stay; and the colour of the others."""

    fields: Sequence[Box]
    kept: Sequence[Bool[np.ndarray, "a b"]]
    colours: Sequence[Float32[np.ndarray, " c"]]

    def part(self, chosen: slice) -> "PaintedOver":
        """That of some of the entries."""
        return PaintedOver(self.fields[chosen], self.kept[chosen], self.colours[chosen])

    def over(self, windows: Tensor, tops: Int64[np.ndarray, " m"], lefts: Int64[np.ndarray, " m"]) -> None:
        """Paint windows [m, c, h, w] of the pictures that hold the fields, in place; they begin at these px."""
        for window, top, left, box, kept, colour in zip(
            windows, tops.tolist(), lefts.tolist(), self.fields, self.kept, self.colours, strict=True
        ):
            assert top <= box.top and left <= box.left
            here = window[:, box.top - top : box.bottom - top, box.left - left : box.right - left]
            gone = torch.from_numpy(~kept).to(here.device)
            for channel, value in zip(here, colour.tolist(), strict=True):
                channel.masked_fill_(gone, value)


class Kept:
    """The activations of m entries in pictures of which only a part is kept.

    entries: their `image` says which of the pictures [n, c, h, w]. values: [m], the activations in the whole pictures.
    fields: the entries' fields, inside the picture, input px.
    """

    def __init__(
        self, program: Carrier, pictures: Float32[np.ndarray, "n c h w"], entries: Entries,
        values: Float64[np.ndarray, " m"], fields: Sequence[Box],
    ) -> None:  # fmt: skip
        self.program, self.pictures, self.entries, self.values, self.fields = program, pictures, entries, values, fields
        self._asked = (values > 0) & np.array([box.height > 0 and box.width > 0 for box in fields], bool)
        self._colours = [
            _mean(pictures[image][:, box.top : box.bottom, box.left : box.right]) if asked else np.empty(0, np.float32)
            for image, box, asked in zip(entries.image.tolist(), fields, self._asked, strict=True)
        ]

    def shares(self, marks: Mapping[str, FieldMarks]) -> dict[str, Float64[np.ndarray, " m"]]:
        """Of each activation the share that stays where the PERCENT of its field with the largest marks are kept: 0 and
        up, what is below zero counts as nothing. NaN where it was not above zero, and where nothing is marked.

        marks: of all entries, by whatever name; what is kept has the same names.
        """
        asked = [
            (name, index) for name, of in marks.items() for index, own in enumerate(of)
            if own is not None and self._asked[index]
        ]  # fmt: skip
        found = {name: np.full(len(self.entries), np.nan) for name in marks}
        if not asked:
            return found
        indices = np.array([index for _, index in asked])
        painted = PaintedOver(
            [self.fields[index] for index in indices],
            [strongest(own) for name, index in asked if (own := marks[name][index]) is not None],
            [self._colours[index] for index in indices],
        )
        pictures = torch.from_numpy(self.pictures)
        left = activations_of(self.program, pictures, self.entries.part(indices), painted).double().cpu().numpy()
        for (name, index), value in zip(asked, np.maximum(left, 0) / self.values[indices], strict=True):
            found[name][index] = value
        return found


def activations_of(program: Carrier, pictures: Tensor, entries: Entries, painted: PaintedOver) -> Tensor:
    """The entries' activations in pictures [n, c, h, w] that are painted over, of which only their cones are run."""
    return values_of_cones(program, pictures, entries, lambda part, windows, extent: painted.part(part).over(
        windows, extent.tops, extent.lefts
    ))  # fmt: skip


def _mean(field: Float32[np.ndarray, "c a b"]) -> Float32[np.ndarray, " c"]:
    return field.mean((1, 2), dtype=np.float64).astype(field.dtype)


def strongest(marks: Float[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The PERCENT of the px with the largest marks, a whole number of px, rounded up; of equal ones the first, row by
    row."""
    flat = marks.ravel()
    count = -(-PERCENT * flat.size // 100)
    bar = np.partition(flat, flat.size - count)[flat.size - count]
    mask = flat > bar
    mask[np.flatnonzero(flat == bar)[: count - int(mask.sum())]] = True
    return mask.reshape(marks.shape)


def marks_of(
    part: Carried, method: str, fields: Sequence[Box], chosen: Int64[np.ndarray, " n"] | None = None
) -> FieldMarks:
    """What a method marks at the px of each field: the signal's magnitude, summed over channels. None where it marks
    nothing.

    chosen: of which of the batch's entries these are the fields; of all, in turn, where none are named.
    """
    extent, which = part.extents[method], np.arange(len(part.values)) if chosen is None else chosen
    planes = part.signals[method][torch.from_numpy(which)].abs().sum(1).cpu().numpy()
    found = []
    for plane, index, box in zip(planes, which.tolist(), fields, strict=True):
        own = _within(plane, int(extent.tops[index]), int(extent.lefts[index]), box)
        found.append(own if own.any() else None)
    return found


def _within(plane: Float[np.ndarray, "h w"], top: int, left: int, box: Box) -> Float[np.ndarray, "a b"]:
    """The px of a plane that begins at `top` and `left` within a box; zero where it does not reach."""
    own = np.zeros((box.height, box.width), plane.dtype)
    rows = max(top, box.top), min(top + plane.shape[0], box.bottom)
    cols = max(left, box.left), min(left + plane.shape[1], box.right)
    if rows[0] < rows[1] and cols[0] < cols[1]:
        here = plane[rows[0] - top : rows[1] - top, cols[0] - left : cols[1] - left]
        own[rows[0] - box.top : rows[1] - box.top, cols[0] - box.left : cols[1] - box.left] = here
    return own


def edges_of(picture: Float32[np.ndarray, "c h w"]) -> Float64[np.ndarray, "h w"]:
    """How much a picture changes at every px: the length of Sobel's gradient of the channels' mean; the border is
    repeated."""
    rows = np.pad(picture.mean(0, dtype=np.float64), 1, mode="edge")
    across, down = rows[:, 2:] - rows[:, :-2], rows[2:] - rows[:-2]
    return np.hypot(across[:-2] + 2 * across[1:-1] + across[2:], down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:])
