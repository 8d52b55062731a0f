"""The pictures of a training run: decoded once, kept as bytes, cut anew for every step.

Every draw (order, shift, flip) follows from the seed and the step alone, so a run that goes on after a stop sees the
same batches.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int64, UInt8
from PIL import Image

from layerscope.core.errors import ImageError
from layerscope.core.records import Input

if TYPE_CHECKING:
    from layerscope.sources import Source

DECODED = 1 << 21  # px of the pictures decoded at a time
Empty = Callable[[tuple[int, ...]], np.ndarray]


def in_memory(shape: tuple[int, ...]) -> np.ndarray:
    """Room for bytes, in memory."""
    return np.empty(shape, np.uint8)


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures of one size with their classes. pixels: uint8[n, side, side, 3]. labels: places in `classes`."""

    pixels: UInt8[np.ndarray, "n side side 3"]
    labels: Int64[np.ndarray, " n"]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def side(self) -> int:
        return self.pixels.shape[1]

    def resized(self, side: int, empty: Empty = in_memory) -> "Pictures":
        """The same pictures on another side, each px the mean of what it covers."""
        if side == self.side:
            return self
        out = empty((len(self), side, side, 3))
        for place, picture in enumerate(self.pixels):
            out[place] = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BOX))
        return Pictures(out, self.labels, self.classes)

    def cut(
        self, ids: Int64[np.ndarray, " b"], *, window: int, shift: int, flip: bool, draws: np.random.Generator
    ) -> UInt8[np.ndarray, "b window window 3"]:
        """Windows of these pictures, each at most `shift` px off the middle and flipped or not.

        Beyond the border the edge goes on.
        """
        across = np.arange(window) + (self.side - window) // 2
        moved = draws.integers(-shift, shift + 1, (2, len(ids), 1))
        rows, cols = np.clip(across + moved, 0, self.side - 1)
        flipped = draws.random(len(ids)) < 0.5 if flip else np.zeros(len(ids), bool)
        cols = np.where(flipped[:, None], cols[:, ::-1], cols)
        return self.pixels[ids[:, None, None], rows[:, :, None], cols[:, None, :]]

    def middle(self, places: slice, window: int) -> UInt8[np.ndarray, "b window window 3"]:
        """The middles of some pictures."""
        first = (self.side - window) // 2
        return self.pixels[places, first : first + window, first : first + window]


def order_of(count: int, *, seed: int, epoch: int) -> Int64[np.ndarray, " n"]:
    """The order of an epoch."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def class_order(names: set[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Classes in the order of a network's outputs: as numbers where all are numbers, else by name."""
    return tuple(sorted(names, key=int) if all(name.isdecimal() for name in names) else sorted(names))


def read_pictures(
    source: "Source",
    side: int,
    *,
    ids: Int64[np.ndarray, " n"] | None = None,
    classes: tuple[str, ...] | None = None,
    empty: Empty = in_memory,
    step: Callable[[int], None] = lambda count: None,
) -> Pictures:
    """Decode the usable pictures of a source at one side, with their classes; broken ones are left out.

    ids: which, None for all. classes: the order of the network's outputs; None takes those found. empty: makes room.
    step: is told how many more were tried. Raises ImageError for a source without classes, with one only, or with a
    strange one.
    """
    ids = np.arange(len(source)) if ids is None else ids
    wanted = Input(channels=3, height=side, width=side, resize=side)
    at_once = max(DECODED // side**2, 1)
    room = empty((len(ids), side, side, 3))
    names: list[str | None] = []
    for batch in source.batches(wanted, (ids[start : start + at_once] for start in range(0, len(ids), at_once))):
        pixels = np.rint(batch.pixels.transpose(0, 2, 3, 1) * 255).astype(np.uint8)
        room[len(names) : len(names) + len(pixels)] = pixels
        labels = {record.id: record.label for record in batch.records}
        names.extend(labels[int(id)] for id in batch.ids)
        step(len(batch.records))
    order = class_order({name for name in names if name is not None}) if classes is None else classes
    return Pictures(room[: len(names)], _labels(names, order, source.name), order)


def _labels(names: list[str | None], classes: tuple[str, ...], source: str) -> Int64[np.ndarray, " n"]:
    if not names:
        raise ImageError(f"none of the chosen pictures of {source} can be read")
    if any(name is None for name in names):
        missing = names.count(None)
        raise ImageError(
            f"{missing:,} of {len(names):,} pictures in {source} have no class: give a folder for each class, "
            "or KEY.cls files in the .tar files"
        )
    if len(classes) < 2:
        raise ImageError(
            f"{source} has one class only ({', '.join(classes)}); a network needs at least two to tell apart"
        )
    places = {name: place for place, name in enumerate(classes)}
    strange = sorted({name for name in names if name is not None and name not in places})
    if strange:
        raise ImageError(
            f'{source} has the class "{strange[0]}", which is none of the {len(classes):,} classes trained on '
            f"({classes[0]}, {classes[1]}, ...)"
        )
    return np.array([places[name] for name in names if name is not None], np.int64)


def normalised(pixels: UInt8[np.ndarray, "b side side 3"], input: Input) -> Float32[np.ndarray, "b 3 side side"]:
    """Bytes as the network's input, channels-last in memory: what `sources.prepare` makes of a picture."""
    mean, std = (np.array(numbers, np.float32) for numbers in (input.mean, input.std))
    scale, offset = np.float32(1 / 255) / std, -mean / std
    return (pixels.astype(np.float32) * scale + offset).transpose(0, 3, 1, 2)
