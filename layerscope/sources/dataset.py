"""A map-style Dataset as a source: whatever its items hold becomes a picture or, if it is one already, an input.

Pictures are prepared as the Input says; a float array of exactly the Input's shape [c, h, w] is taken as the network's
input as it is, already normalised. Pictures are taken as the Dataset gives them: an EXIF orientation is not applied
again. Labels are those that the Dataset lists; where it only names its classes, its items tell which.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from layerscope.core.errors import ImageError, LayerscopeError, UsageError
from layerscope.core.failures import of_the_machine, out_of_memory, unread
from layerscope.core.records import Batch, ImageRecord, Input, Placement
from layerscope.sources.decode import Unusable, reason
from layerscope.sources.image import Cut, PictureLike, ReadImage, pixels_digest
from layerscope.sources.items import label_name, picture_of, value_and_label
from layerscope.sources.listing import Entry
from layerscope.sources.prepare import require_picture_channels
from layerscope.sources.source import Ids, Source
from layerscope.sources.targets import Classes
from layerscope.sources.values import float_remarks
from layerscope.sources.workers import Runs, fit_for_workers, from_workers

READINGS = 3  # of each item looked at: a coin that is tossed for a flip shows one side thrice in one of four


class _Item(NamedTuple):
    """What one item holds. digest, size: of its pixels, SHA-256 and bytes."""

    picture: PictureLike
    digest: bytes
    size: int
    label: Any


class DatasetSource(Source):
    """The items of any object with ``__len__`` and ``__getitem__``; an item's identity is its index.

    places: the items that are taken, by number; None for all. classes: what the Dataset lists of its classes;
    without names where the entries hold those of a labels file.
    Raises ImageError where items are no pictures, or differ each time they are read; UsageError for what cannot be
    read by number.
    """

    in_threads = False  # nothing says that a Dataset may be read by several threads at once

    def __init__(
        self, dataset: Any, entries: Iterable[Entry], *, name: str, classes: Classes, said: Sequence[str] = (),
        places: Sequence[int] | None = None,
    ) -> None:  # fmt: skip
        self._dataset, self._places = dataset, places
        self._classes, self._lists_labels = classes.names, classes.labels is not None
        super().__init__(entries, name=name, label_names=tuple(sorted(set(self._classes))) or None, said=said)
        self._items_tell_labels = bool(self._classes) and not any(entry.label for entry in self._entries)
        self._seen = self._read_again()

    def label(self, id: int) -> str | None:
        """The class of item `id`; where only the item itself tells it, the item is read."""
        return self.read(id)[0].label if self._items_tell_labels else super().label(id)

    def require(self, input: Input) -> None:
        """Arrays can make any input: each item is looked at when it is read."""

    def _item(self, id: int) -> _Item:
        """One item, read now. Raises Unusable, ImageError, UsageError."""
        try:
            item = self._dataset[id if self._places is None else self._places[id]]
            picture = picture_of(item, id)
            digest, size = pixels_digest(picture)
        except (MemoryError, LayerscopeError, Unusable):
            raise
        except NotImplementedError:
            kind = type(self._dataset).__name__
            raise UsageError(
                f"{kind} cannot be read by number, only from its start to its end: give a map-style Dataset, or a list "
                "of its items"
            ) from None
        except Exception as failure:  # the user's code and whatever it reads: its failure is this item's alone
            if out_of_memory(failure):
                raise MemoryError from failure
            if isinstance(failure, OSError) and of_the_machine(failure):
                raise ImageError(unread(f"item {id} of the {type(self._dataset).__name__}", failure)) from failure
            raise Unusable(f"the Dataset failed: {reason(failure)}") from None
        return _Item(picture, digest, size, value_and_label(item)[1])

    def _read_again(self) -> dict[int, Any]:
        """The labels of a few items, each read several times. Raises ImageError where it is not the same each time."""
        labels = {}
        for id in self._some():
            try:
                readings = [self._item(id) for _ in range(READINGS)]
            except Unusable:
                continue
            if len({reading.digest for reading in readings}) > 1:
                raise ImageError(
                    f"item {id} of the {type(self._dataset).__name__} differs each time it is read, as by random crops "
                    "and flips: give the Dataset with the transforms of validation, which are the same each time"
                )
            labels[id] = readings[0].label
        return labels

    def _looked_at(self, input: Input) -> list[str]:
        return [*self._label_remarks(), *float_remarks(self._floats(input), input)]

    def _label_remarks(self) -> list[str]:
        """Labels that are met and not used, or are others than those that the Dataset lists."""
        for id, label in self._seen.items():
            listed, met = self._entries[id].label, label_name(label, self._classes)
            if self._lists_labels and None not in (listed, met) and listed != met:
                return [f'the Dataset lists item {id} as "{listed}", and the item says "{met}": the list counts']
            if label is None or listed is not None:
                continue
            if not self._classes and label_name(label, ()) is not None and not self.label_names:
                return [
                    f"items have labels, such as {label!r}, that are not used, for the Dataset lists no classes: give "
                    "it `classes` (names) or `targets` (one label per item), or a labels file"
                ]
            if self._items_tell_labels and met is None:
                return [f"the label of item {id}, {label!r}, is none of the {len(self._classes)} classes: not used"]
        return []

    def _floats(self, input: Input) -> Iterator[Float32[np.ndarray, "c h w"]]:
        """Those of a few items that are taken as the network's input as they are."""
        for id in self._seen:
            with suppress(Unusable):
                picture = self._item(id).picture
                if isinstance(picture, np.ndarray) and picture.dtype == np.float32 and picture.shape == input.shape:
                    yield picture

    def read(self, id: int) -> ReadImage:
        record = self.record(id)
        try:
            picture, digest, size, label = self._item(id)
        except Unusable as failure:
            return replace(record, skipped=str(failure)), None
        if self._items_tell_labels:
            record = replace(record, label=label_name(label, self._classes))
        height, width = _size(picture)
        return replace(record, sha256=digest.hex(), size=size, height=height, width=width), picture

    def _fill(
        self, record: ImageRecord, picture: PictureLike, input: Input, row: Float32[np.ndarray, "h w c"]
    ) -> tuple[Placement, Cut | None]:
        if isinstance(picture, np.ndarray) and picture.dtype == np.float32:
            return _fill_as_is(picture, record.id, input, row), None
        if isinstance(picture, np.ndarray):
            picture = _bands_or_image(picture, record.id, input)
        if isinstance(picture, Image.Image):
            require_picture_channels(input)
        return super()._fill(record, picture, input, row)

    def _batches(self, input: Input, runs: Iterable[Ids], threads: int, ahead: int) -> Iterator[Batch]:
        if threads < 2 or not fit_for_workers(self._dataset):
            yield from (self.load(ids, input) for ids in runs)
            return
        for ids, rows, placed in from_workers(Runs(self, input), runs, threads, ahead):
            yield self._batch(ids, rows, placed)


def _size(picture: PictureLike) -> tuple[int, int]:
    """Rows and columns."""
    if isinstance(picture, Image.Image):
        return picture.height, picture.width
    rows, cols = picture.shape[1:] if picture.dtype == np.float32 else picture.shape[:2]
    return rows, cols


def _bands_or_image(
    picture: UInt8[np.ndarray, "rows cols bands"], id: int, input: Input
) -> Image.Image | UInt8[np.ndarray, "rows cols bands"]:
    """Gray and colours as a Pillow image; any other number of channels must be the network's own."""
    bands = picture.shape[2]
    if bands in (1, 3, 4) and input.channels in (1, 3):
        return Image.fromarray(np.ascontiguousarray(picture[:, :, 0] if bands == 1 else picture))
    if bands != input.channels:
        raise ImageError(
            f"item {id} of the Dataset, uint8{list(picture.shape)}, has {bands} channels; "
            f"the network takes {input.channels}"
        )
    return picture


def _fill_as_is(
    pixels: Float32[np.ndarray, "bands rows cols"], id: int, input: Input, row: Float32[np.ndarray, "h w c"]
) -> Placement:
    """Take float pixels for the network's input. Raises ImageError for another shape, Unusable for NaN."""
    if pixels.shape != input.shape:
        raise ImageError(
            f"item {id} of the Dataset is float{list(pixels.shape)}, but the network takes {list(input.shape)}; "
            "give uint8 arrays or Pillow images to have them resized and normalised"
        )
    if not np.isfinite(pixels).all():
        raise Unusable("holds NaN or infinite values")
    row[...] = pixels.transpose(1, 2, 0)
    return Placement(row_scale=1.0, col_scale=1.0, top=0.0, left=0.0, height=input.height, width=input.width)
