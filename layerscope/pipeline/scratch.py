"""Finished tiles on their way to a sheet: one plain file beside the atlas, gone when the build ends.

Projections come image by image, sheets need the nine tiles of a unit. Every peak has a slot at a fixed place, so a
piece of work that is done again writes the same bytes to the same place. A group's checksum is kept in the atlas with
its mark: after a power failure a group whose bytes did not reach the disk is simply done again.
"""

import errno
import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from layerscope.core.errors import AtlasError


@dataclass(frozen=True)
class Slots:
    """The slots of one layer: where they begin, for which units, tiles of which size, how many tiles per peak, and how
    many bytes of what the peak is made of."""

    start: int
    units: tuple[int, ...]
    k: int
    size: tuple[int, int]
    tiles: int
    shares: int = 0

    @property
    def slot(self) -> int:
        """Bytes of one peak: its tiles, their scales, what it is made of."""
        return self.tiles * (self.size[0] * self.size[1] * 3 + 4) + self.shares

    @property
    def end(self) -> int:
        return self.start + len(self.units) * self.k * self.slot


class Scratch:
    """The file and its slots, by layer."""

    def __init__(self, path: Path, slots: dict[int, Slots]) -> None:
        self.path, self.slots = path, slots
        self._place = {layer: {u: i for i, u in enumerate(own.units)} for layer, own in slots.items()}
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)

    def put(
        self,
        layer: int,
        unit: int,
        rank: int,
        tiles: UInt8[np.ndarray, "t h w 3"],
        scales: Float32[np.ndarray, " t"],
        shares: bytes = b"",
    ) -> int:
        """Write one peak's tiles, and what it is made of; the checksum of what was written. Raises AtlasError when the
        disk is full."""
        data = tiles.tobytes() + scales.tobytes() + shares
        assert len(data) == self.slots[layer].slot
        try:
            self._write(data, self._offset(layer, unit, rank))
        except OSError as error:
            raise AtlasError(
                f"{self.path} cannot be written ({error.strerror}); free some space and run the same command again"
            ) from error
        return zlib.crc32(data)

    def _write(self, data: bytes, offset: int) -> None:
        """Write all of it: a disk that fills, or a signal, may cut a write short without an error."""
        while data:
            written = os.pwrite(self._file, data, offset)
            if not written:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data, offset = data[written:], offset + written

    def unit(
        self, layer: int, unit: int
    ) -> tuple[UInt8[np.ndarray, "k t h w 3"], Float32[np.ndarray, "k t"], UInt8[np.ndarray, "k s"]]:
        """All tiles of a unit, by rank, with their scales and what the peaks are made of; zeros where nothing was
        put."""
        slots = self.slots[layer]
        data = os.pread(self._file, slots.slot * slots.k, self._offset(layer, unit, 0))
        raw = np.zeros((slots.k, slots.slot), np.uint8)
        raw.reshape(-1)[: len(data)] = np.frombuffer(data, np.uint8)
        pixels = slots.slot - 4 * slots.tiles - slots.shares
        scales = np.ascontiguousarray(raw[:, pixels : pixels + 4 * slots.tiles]).view(np.float32)
        tiles = raw[:, :pixels].reshape(slots.k, slots.tiles, *slots.size, 3)
        return tiles, scales, raw[:, slots.slot - slots.shares :]

    def checksum(self, peaks: Iterable[tuple[int, int, int]]) -> int:
        """The sum of the checksums of these peaks (layer, unit, rank), as they stand in the file."""
        found = ((self.slots[layer].slot, self._offset(layer, unit, rank)) for layer, unit, rank in peaks)
        return sum(zlib.crc32(os.pread(self._file, size, offset)) for size, offset in found)

    def _offset(self, layer: int, unit: int, rank: int) -> int:
        slots = self.slots[layer]
        return slots.start + (self._place[layer][unit] * slots.k + rank) * slots.slot

    def close(self, *, remove: bool = False) -> None:
        """Let go of the file, and delete it when all is done."""
        os.close(self._file)
        if remove:
            self.path.unlink(missing_ok=True)
