"""Masks whose px are numbers, as PNG files: of a palette the numbers are taken, never the colours.

Pillow brings gray of 2 and 4 bits to 0..255 (seen with 13.0); the file's numbers are had back by its header.
"""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, Integer, UInt8

from layerscope.core.errors import ImageError
from layerscope.core.failures import of_the_machine, unread
from layerscope.masks.planes import Plane
from layerscope.sources.decode import DecodeOptions, Unusable, decode

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GRAY, _COLOURS, _PALETTE = 0, 2, 3
_STORED = DecodeOptions(orientation="stored")
# What a gray value of so many bits was multiplied by.
_STRETCHED = {2: 85, 4: 17}


class Header(NamedTuple):
    """What a PNG says of itself. rows, cols: px. bits: of each number. kind: PNG's colour type."""

    rows: int
    cols: int
    bits: int
    kind: int


def header_of(path: Path) -> Header:
    """The header of a mask. Raises ImageError for what is no PNG."""
    return _header(path, _read(path, 26))


def indices(path: Path) -> Integer[np.ndarray, "h w"]:
    """The numbers of a mask of one channel. Raises ImageError for what is none, or broken."""
    content = _read(path)
    header = require_one_channel(path, _header(path, content))
    numbers = np.asarray(_decoded(path, content))
    if header.kind == _GRAY and header.bits in _STRETCHED:
        return numbers // np.uint8(_STRETCHED[header.bits])
    return numbers.astype(np.uint8) if numbers.dtype == bool else numbers


def coloured(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """The three channels of a mask. Raises ImageError for what has others, or is broken."""
    content = _read(path)
    header = _header(path, content)
    if header.kind != _COLOURS or header.bits != 8:
        raise ImageError(f'the mask "{path}" is no RGB picture of 8 bits')
    return np.asarray(_decoded(path, content).convert("RGB"))


def require_one_channel(path: Path, header: Header) -> Header:
    """The header. Raises ImageError for a mask of several channels."""
    if header.kind not in (_GRAY, _PALETTE):
        raise ImageError(
            f'the mask "{path}" has several channels; expected one, whose numbers the table of names tells (save it as '
            "gray or with a palette)"
        )
    return header


def plane_of(path: Path, numbers: Integer[np.ndarray, "h w"], concepts: Int64[np.ndarray, " n"], table: str) -> Plane:
    """The plane of a mask. concepts: by number; -1 for none, -2 for what `table` does not name, as it does not what
    lies beyond. Raises ImageError for such a number."""
    found = np.unique(numbers)
    unknown = found[(found >= len(concepts)) | (concepts[np.minimum(found, len(concepts) - 1)] == -2)]
    if len(unknown):
        raise ImageError(
            f'the mask "{path}" holds the number {int(unknown[0])}, which {table} does not name; '
            "an empty name says that it is unlabelled"
        )
    return Plane(numbers, concepts)


def by_number(named: Sequence[tuple[int, int]]) -> Int64[np.ndarray, " numbers"]:
    """From pairs of a number and its concept's place to places by number; 0 is unlabelled where it is not named."""
    found = np.full(max((number for number, _ in named), default=0) + 1, -2)
    found[0] = -1
    for number, place in named:
        found[number] = place
    return found


def _header(path: Path, content: bytes) -> Header:
    if content[:8] != _SIGNATURE or len(content) < 26:
        raise ImageError(f'the mask "{path}" is no PNG file; others may change numbers')
    cols, rows, bits, kind = struct.unpack(">IIBB", content[16:26])
    return Header(rows=rows, cols=cols, bits=bits, kind=kind)


def _decoded(path: Path, content: bytes):  # type: ignore[no-untyped-def]
    try:
        return decode(content, name=path.name, reading=_STORED)
    except Unusable as failure:
        raise ImageError(f'the mask "{path}" cannot be read: {failure}') from None


def _read(path: Path, count: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as failure:
        if of_the_machine(failure):
            raise ImageError(unread(path, failure)) from failure
        raise ImageError(f'the mask "{path}" cannot be read: {failure.strerror}') from None
