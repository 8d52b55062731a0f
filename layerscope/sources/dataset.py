"""A map-style Dataset as a source: whatever its items hold becomes a picture or, if it is one already, an input.

An item is a picture or (picture, label). A Pillow image, or a uint8 array or tensor, is a picture and is prepared as
the Input says; of the first and last axis of an array the shorter one counts the channels (the first of a tensor and
the last of an array where they are equal). A float array or tensor of exactly the Input's shape [c, h, w] is taken as
the network's input as it is, already normalised. Pictures are taken as the Dataset gives them: an EXIF orientation is
not applied again.

Labels are used where the Dataset lists its classes as ``classes`` (names) or ``targets`` (one label per item), as
torchvision's do. Only this module may load torch, and only when worker processes are wanted.
"""

import hashlib
import multiprocessing
import os
import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from layerscope.core.errors import ImageError, LayerscopeError
from layerscope.core.records import Batch, ImageRecord, Input, Placement
from layerscope.sources.decode import Unusable, reason
from layerscope.sources.prepare import require_picture_channels
from layerscope.sources.source import Entry, Ids, Picture, Placed, Rows, Source

WANTED = "a Pillow image, a uint8 array or a float array of the network's input shape"


class DatasetSource(Source):
    """The items of any object with ``__len__`` and ``__getitem__``; an item's identity is its index.

    labelled: the entries hold the classes of a labels file, and those of the Dataset do not count.
    """

    def __init__(self, dataset: Any, entries: Sequence[Entry], *, name: str, labelled: bool = False) -> None:
        self._dataset = dataset
        self._classes = () if labelled else class_names(dataset)
        super().__init__(entries, name=name, label_names=tuple(sorted(set(self._classes))) or None)
        self._items_tell_labels = bool(self._classes) and not any(entry.label for entry in self._entries)

    def label(self, id: int) -> str | None:
        """The class of item `id`; where only the item itself tells it, the item is read."""
        return self._read(id)[0].label if self._items_tell_labels else super().label(id)

    def _require(self, input: Input) -> None:
        """Arrays can make any input: each item is looked at when it is read."""

    def _threads(self, wanted: int) -> int:
        """One: nothing says that a Dataset may be read by several threads at once."""
        return 1

    def _read(self, id: int) -> tuple[ImageRecord, Picture | None]:
        entry = self._entries[id]
        record = ImageRecord(id=id, source=entry.identity, label=entry.label)
        try:
            value, label = _value_and_label(self._dataset[id])
            picture = _picture(value, id)
            pixels = np.ascontiguousarray(picture)  # here a Pillow image that is read lazily may fail
        except (MemoryError, LayerscopeError):
            raise
        except Exception as failure:  # the user's code and whatever it reads: its failure is this item's alone
            return replace(record, skipped=f"the Dataset failed: {reason(failure)}"), None
        if self._items_tell_labels:
            record = replace(record, label=_label(label, self._classes))
        height, width = _size(picture)
        digest = hashlib.sha256(pixels.data)
        if isinstance(picture, Image.Image) and picture.palette is not None:
            digest.update(picture.palette.tobytes())
        return replace(record, sha256=digest.hexdigest(), size=pixels.nbytes, height=height, width=width), picture

    def _fill(
        self, record: ImageRecord, picture: Picture, input: Input, row: Float32[np.ndarray, "h w c"]
    ) -> Placement:
        if isinstance(picture, np.ndarray) and picture.dtype == np.float32:
            return _fill_as_is(picture, record.id, input, row)
        if isinstance(picture, np.ndarray):
            picture = _bands_or_image(picture, record.id, input)
        if isinstance(picture, Image.Image):
            require_picture_channels(input)
        return super()._fill(record, picture, input, row)

    def _batches(self, input: Input, runs: Iterable[Ids], threads: int, ahead: int) -> Iterator[Batch]:
        if threads < 2 or not _fit_for_workers(self._dataset):
            yield from (self.load(ids, input) for ids in runs)
            return
        for ids, rows, placed in _from_workers(_Runs(self, input), runs, threads, ahead):
            yield self._batch(ids, rows, placed)


class _Runs:
    """What a worker process is given: an object that, indexed by a run of ids, prepares it."""

    def __init__(self, source: DatasetSource, input: Input) -> None:
        self.source, self.input = source, input

    def __getitem__(self, ids: Ids) -> tuple[Ids, Rows, list[Placed]] | LayerscopeError:
        (_, rows), calls = self.source._group(ids, self.input)
        try:
            return ids, rows, [call() for call in calls]
        except LayerscopeError as failure:  # as a value, because the loader would wrap its message in a traceback
            return failure


class _Nowhere:
    """A file that forgets what is written: pickling is tried without holding a second copy of the data."""

    def write(self, data: Any) -> int:
        return len(data) if isinstance(data, bytes) else memoryview(data).nbytes


def _from_workers(
    prepared: _Runs, runs: Iterable[Ids], threads: int, ahead: int
) -> Iterator[tuple[Ids, Rows, list[Placed]]]:
    """What `prepared` gives for each run, in order, from worker processes; they end with the iteration."""
    from torch import Generator
    from torch.utils.data import DataLoader

    # More processes than cores gain nothing, and PyTorch warns of them.
    workers = min(threads, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    loader = DataLoader(
        prepared,  # pyright: ignore[reportArgumentType]
        batch_size=None,
        sampler=runs,  # pyright: ignore[reportArgumentType]
        collate_fn=_unchanged,
        num_workers=workers,
        prefetch_factor=max(1, ahead // workers),
        generator=Generator().manual_seed(0),  # the default would draw from the user's own random numbers
    )
    for result in loader:
        if isinstance(result, LayerscopeError):
            raise result
        yield result


def _unchanged(result: Any) -> Any:
    """Arrays travel by pipe: the shared memory that tensors would take is often only 64 MB in a container."""
    return result


def _fit_for_workers(dataset: Any) -> bool:
    """False for what worker processes cannot be given; what cannot be pickled often holds an open file, which forked
    processes would read into each other's way."""
    if multiprocessing.get_start_method() != "fork" and type(dataset).__module__ == "__main__":
        return False  # a fresh process does not know what a notebook or script has defined
    try:
        pickle.Pickler(_Nowhere()).dump(dataset)
    except Exception:
        return False
    return True


def dataset_entries(dataset: Any) -> list[Entry]:
    """One entry per item, with its class where the Dataset lists ``targets``."""
    targets, classes = getattr(dataset, "targets", None), class_names(dataset)
    count = len(dataset)
    if targets is None or len(targets) != count:
        return [Entry(identity=str(id)) for id in range(count)]
    return [Entry(identity=str(id), label=_label(targets[id], classes)) for id in range(count)]


def class_names(dataset: Any) -> tuple[str, ...]:
    """The names that the Dataset gives its classes; empty where it gives none."""
    classes = getattr(dataset, "classes", None)
    return tuple(str(name) for name in classes) if isinstance(classes, (list, tuple)) else ()


def _label(label: Any, classes: tuple[str, ...]) -> str | None:
    """A label as a class name: a number counts into the names where there are any. None for what is no label."""
    if isinstance(label, str):
        return label if not classes or label in classes else None
    if not isinstance(label, (int, np.integer)) and getattr(label, "ndim", None) != 0:
        return None
    number = int(label)
    if not classes:
        return str(number)
    return classes[number] if 0 <= number < len(classes) else None


def _value_and_label(item: Any) -> tuple[Any, Any]:
    """An item's picture and its label, None where it has none; a TensorDataset's items are tuples of one."""
    if not isinstance(item, (tuple, list)) or not item:
        return item, None
    return item[0], item[1] if len(item) > 1 else None


def _size(picture: Picture) -> tuple[int, int]:
    """Rows and columns."""
    if isinstance(picture, Image.Image):
        return picture.height, picture.width
    rows, cols = picture.shape[1:] if picture.dtype == np.float32 else picture.shape[:2]
    return rows, cols


def _picture(value: Any, id: int) -> Picture:
    """An item as a Pillow image, as uint8[rows, cols, c] or as float32[c, h, w]. Raises ImageError."""
    if isinstance(value, Image.Image):
        return value
    tensor = hasattr(value, "detach")  # told without loading torch
    if tensor:
        value = value.detach().cpu()
        value = (value.float() if value.is_floating_point() else value).numpy()
    if not isinstance(value, np.ndarray):
        raise ImageError(f"item {id} of the Dataset is of type {type(value).__name__}; expected {WANTED}")
    if value.dtype == np.uint8 and value.ndim == 2:
        return value[:, :, None]
    if value.dtype == np.uint8 and value.ndim == 3:
        first, last = value.shape[0], value.shape[2]
        return np.moveaxis(value, 0, -1) if first < last or (tensor and first == last) else value
    if np.issubdtype(value.dtype, np.floating) and value.ndim == 3:
        return value.astype(np.float32, copy=False)
    raise ImageError(f"item {id} of the Dataset is {value.dtype}{list(value.shape)}; expected {WANTED}")


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
