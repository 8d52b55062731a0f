"""What do the marked pixels do? Keep some of a unit's field, paint the rest over, and run the network once more.

The pixels that are kept are those with the largest marks: of a projection its magnitude, of a picture its edges. All
others in the field get the field's mean colour; what lies outside stays, and matters to gates only.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64
from torch import Tensor

from layerscope.core.geometry import Box
from layerscope.graph import Carrier
from layerscope.project.cone import Entries
from layerscope.project.extents import Extent
from layerscope.project.run import Carried, carried_cropped
from layerscope.project.windows import laid

PERCENT = 15


class Kept:
    """The activations of m entries in pictures of which only a part is kept.

    entries: their `image` says which of the pictures [n, c, h, w]. values: [m], the activations in the whole pictures.
    boxes: the entries' fields, inside the picture, input px.
    """

    def __init__(
        self, program: Carrier, pictures: Float32[np.ndarray, "n c h w"], entries: Entries,
        values: Float64[np.ndarray, " m"], boxes: list[Box],
    ) -> None:  # fmt: skip
        self.program, self.pictures, self.entries, self.values, self.boxes = program, pictures, entries, values, boxes

    def shares(
        self, marks: Float64[np.ndarray, "s h w"], chosen: Bool[np.ndarray, " m"] | None = None
    ) -> Float64[np.ndarray, " m"]:
        """Of each activation the share that stays where the PERCENT of its field with the largest marks are kept: 0 and
        up, what is below zero counts as nothing. NaN where it was not above zero, and of entries that were not chosen.

        marks: at every px of the input, of the chosen entries in turn; all where none are named.
        """
        found = np.full(len(self.entries), np.nan)
        wanted = self.values > 0 if chosen is None else chosen & (self.values > 0)
        wanted &= [box.height > 0 and box.width > 0 for box in self.boxes]
        indices = np.flatnonzero(wanted)
        if not len(indices):
            return found
        of_marks = np.arange(len(marks)) if chosen is None else np.cumsum(chosen) - 1
        changed = self.pictures[self.entries.image[indices]]
        for picture, index in zip(changed, indices.tolist(), strict=True):
            box, of = self.boxes[index], marks[of_marks[index]]
            field = (slice(box.top, box.bottom), slice(box.left, box.right))
            paint(picture, field, strongest(of[field]))
        own = self.entries.part(indices)
        entries = Entries(own.node, np.arange(len(own)), own.unit, own.row, own.col)
        left = activations_of(self.program, torch.from_numpy(changed), entries).double().cpu().numpy()
        found[indices] = np.maximum(left, 0) / self.values[indices]
        return found


def activations_of(program: Carrier, pictures: Tensor, entries: Entries) -> Tensor:
    """The entries' activations in pictures [m, c, h, w], of which only their cones are run."""
    return torch.cat([part.values for part in carried_cropped(program, entries, (), pictures)])


def paint(picture: Float32[np.ndarray, "c h w"], field: tuple[slice, slice], mask: Bool[np.ndarray, "a b"]) -> None:
    """Give a picture the field's mean colour, in place, wherever in the field the mask is not."""
    here = picture[:, *field]
    mean = here.mean((1, 2), dtype=np.float64).astype(picture.dtype)
    here[:] = np.where(mask, here, mean[:, None, None])


def strongest(marks: Float64[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The PERCENT of the px with the largest marks, a whole number of px, rounded up; of equal ones the first, row by
    row."""
    flat = marks.ravel()
    count = -(-PERCENT * flat.size // 100)
    bar = np.partition(flat, flat.size - count)[flat.size - count]
    mask = flat > bar
    mask[np.flatnonzero(flat == bar)[: count - int(mask.sum())]] = True
    return mask.reshape(marks.shape)


def marks_of(parts: list[Carried], method: str, spatial_size: tuple[int, int]) -> Float64[np.ndarray, "m h w"]:
    """What a method marks at every px of the input: the signal's magnitude, summed over channels."""
    planes = [
        laid(
            part.signals[method].abs().sum(1, keepdim=True), part.extents[method],
            Extent.whole(len(part.values), spatial_size),
        )
        for part in parts
    ]  # fmt: skip
    return torch.cat(planes)[:, 0].double().cpu().numpy() if planes else np.empty((0, *spatial_size))


def edges_of(picture: Float32[np.ndarray, "c h w"]) -> Float64[np.ndarray, "h w"]:
    """How much a picture changes at every px: the length of Sobel's gradient of the channels' mean; the border is
    repeated."""
    rows = np.pad(picture.mean(0, dtype=np.float64), 1, mode="edge")
    across, down = rows[:, 2:] - rows[:, :-2], rows[2:] - rows[:-2]
    return np.hypot(across[:-2] + 2 * across[1:-1] + across[2:], down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:])
