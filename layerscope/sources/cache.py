"""An image that is needed again is not decoded again: its input and its small picture lie in a nameless file.

Decoding a photograph takes a hundred times as long as reading what was made of it. What is kept is the input before it
was normalised, a byte a number, where these bytes give the very same numbers; so batches are the same bits either way.
The file has a bound, goes with the process, and is only an aid: where the disk is full, or the image's file was written
since, images are read as before.
"""

import os
import tempfile
from collections import deque
from collections.abc import Container, Hashable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from layerscope.core.records import Batch, ImageRecord, Input, Placement
from layerscope.sources.image import Cut, Small
from layerscope.sources.prepare import PICTURE_SIDE, empty_rows, from_bytes, to_bytes

if TYPE_CHECKING:
    from layerscope.sources.source import Ids, Source

CACHE_BYTES = 256 * 2**20

PixelRow = Float32[np.ndarray, "h w c"]


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is known of one image, and where its bytes lie. stamp: of its file, before it was read. small: the shape of
    its picture, None without."""

    stamp: Hashable
    record: ImageRecord
    placement: Placement
    offset: int
    size: int
    as_bytes: bool
    small: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class _Image:
    """One image as a batch holds it."""

    record: ImageRecord
    placement: Placement
    row: PixelRow
    small: Small | None
    cut: Cut | None = None


class ImageCache:
    """The prepared images of one source, for one input, up to `most` bytes.

    pictures: keep the small pictures too. worth: which images are kept when they are met; at first as many of the
    source's first ones as there is room for.
    """

    def __init__(self, input: Input, *, pictures: bool, most: int = CACHE_BYTES) -> None:
        self.input, self.pictures, self.most = input, pictures, most
        small = PICTURE_SIDE * PICTURE_SIDE * 3 if pictures else 0
        px = input.height * input.width * input.channels
        # Blocks of two sizes, so that what one image leaves fits the next.
        self._blocks = {True: px + small, False: 4 * px + small}
        self.capacity = most // self._blocks[True]
        self.worth: Container[int] = range(self.capacity)
        self._entries: dict[int, _Entry] = {}
        self._free: dict[int, list[int]] = {size: [] for size in self._blocks.values()}
        self._end = 0
        self._file: IO[bytes] | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def only(self, worth: Container[int]) -> None:
        """From now on these images are worth keeping; others are let go."""
        self.worth = worth
        self.release([id for id in self._entries if id not in worth])

    def release(self, ids: Iterable[int]) -> None:
        """Let go of images that are not needed again."""
        for id in ids:
            entry = self._entries.pop(id, None)
            if entry is not None:
                self._free[entry.size].append(entry.offset)

    def close(self) -> None:
        """Let go of everything."""
        self.only(())
        self._free = {size: [] for size in self._free}
        self.most = 0
        if self._file is not None:
            self._file.close()

    def batches(self, source: "Source", runs: Iterable["Ids"], threads: int, ahead: int) -> Iterator[Batch]:
        """The source's batches, each image from here where it is here, and kept where there is room."""
        waiting: deque[tuple[Ids, dict[int, Hashable]]] = deque()
        asked = source.pictured
        reading = source.picturing(asked or (self.worth if self.pictures else ()))._with_cuts(self.worth)

        def lacking() -> Iterator[list[int]]:
            for ids in runs:
                read = [int(id) for id in ids if not self._has(reading, int(id), asked)]
                waiting.append((ids, {id: source.stamp(id) for id in read}))
                yield read

        with closing(reading.batches(self.input, lacking(), threads=threads, ahead=ahead)) as found:  # type: ignore[type-var]
            for batch in found:
                ids, stamps = waiting.popleft()
                whole = batch if len(stamps) == len(ids) else self._joined(reading, ids, batch, asked)
                self._keep(batch, stamps)
                pairs = zip(whole.ids.tolist(), whole.pictures, strict=False)
                pictures = tuple(p if id in asked else None for id, p in pairs) if asked else ()
                yield replace(whole, pictures=pictures, cuts=())

    def _has(self, source: "Source", id: int, pictured: Container[int]) -> bool:
        """True where all that is asked of an image is here, and its file is as it was."""
        entry = self._entries.get(id)
        return entry is not None and (id not in pictured or entry.small is not None) and entry.stamp == source.stamp(id)

    def _joined(self, source: "Source", ids: "Ids", batch: Batch, pictured: Container[int]) -> Batch:
        """A run's images in their order: those that were read now, and those that lie here."""
        records = {record.id: record for record in batch.records}
        images = {image.record.id: image for image in _images(batch)}
        for id in (int(id) for id in ids):
            if id in records:
                continue
            image = self._image(id) if self._has(source, id, pictured) else None
            if image is not None:
                images[id] = image
            else:  # let go of since it was found here, or not to be read
                again = source.load([id], self.input)
                records[id] = again.records[0]
                images.update((id, image) for image in _images(again))
        found = [images[int(id)] for id in ids if int(id) in images]
        rows = empty_rows(len(found), self.input)
        for row, image in zip(rows, found, strict=True):
            row[...] = image.row
        return Batch(
            ids=np.array([image.record.id for image in found], np.int64),
            pixels=rows.transpose(0, 3, 1, 2),
            placements=tuple(image.placement for image in found),
            records=tuple(records[id] if id in records else images[id].record for id in map(int, ids)),
            pictures=tuple(image.small for image in found),
        )

    def _keep(self, batch: Batch, stamps: Mapping[int, Hashable]) -> None:
        """Keep what was read just now, in place of what was here."""
        self.release(stamps)
        for image in _images(batch):
            if image.record.id in self.worth:
                self._put(image, stamps[image.record.id])

    def _put(self, image: _Image, stamp: Hashable) -> None:
        if self._end >= self.most and not any(self._free.values()):
            return
        packed = to_bytes(image.row, self.input) if image.cut is None else image.cut
        size = self._blocks[packed is not None]
        if not self._free[size] and self._end + size > self.most:
            return
        small = b"" if image.small is None else image.small.tobytes()
        data = (image.row if packed is None else packed).tobytes() + small
        offset = self._free[size].pop() if self._free[size] else self._end
        try:
            self._write(data, offset)
        except OSError:
            self.most = 0
            return
        self._end = max(self._end, offset + size)
        shape = None if image.small is None else image.small.shape
        self._entries[image.record.id] = _Entry(
            stamp, image.record, image.placement, offset, size, packed is not None, shape
        )

    def _write(self, data: bytes, offset: int) -> None:
        if self._file is None:
            self._file = _nameless()
        while data:
            written = os.pwrite(self._file.fileno(), data, offset)
            data, offset = data[written:], offset + written

    def _image(self, id: int) -> _Image | None:
        """An image as it was kept; None where the disk does not give back its bytes."""
        entry, shape = self._entries[id], (self.input.height, self.input.width, self.input.channels)
        assert self._file is not None
        kind = np.dtype(np.uint8 if entry.as_bytes else np.float32)
        px = int(np.prod(shape)) * kind.itemsize
        size = px + (int(np.prod(entry.small)) if entry.small else 0)
        try:
            data = os.pread(self._file.fileno(), size, entry.offset)
        except OSError:
            return None
        if len(data) < size:
            return None
        held = np.frombuffer(data, kind, count=int(np.prod(shape))).reshape(shape)
        small = None if entry.small is None else np.frombuffer(data, np.uint8, offset=px).reshape(entry.small)
        row = from_bytes(held, self.input) if entry.as_bytes else held
        return _Image(entry.record, entry.placement, row, small)


def _nameless() -> IO[bytes]:
    """A file that nobody else sees and that goes with the process."""
    return tempfile.TemporaryFile(prefix="layerscope-")


def _images(batch: Batch) -> Iterator[_Image]:
    """The usable images of a batch one by one."""
    records = {record.id: record for record in batch.records}
    rows = batch.pixels.transpose(0, 2, 3, 1)
    nothing = (None,) * len(rows)
    beside = zip(batch.placements, rows, batch.pictures or nothing, batch.cuts or nothing, strict=True)
    for id, found in zip(batch.ids.tolist(), beside, strict=True):
        yield _Image(records[id], *found)
