"""Pixels as encoded pictures, and a unit's tiles as one picture; the codec's name stands beside the bytes.

Measured on sheets of nine 96 px tiles of three trained networks (one core, Pillow 13; patches, natural views, signals):

| codec | ms a tile | kB a sheet | PSNR, dB |
| --- | --- | --- | --- |
| jpeg, quality 55, 4:4:4 | 0.05 / 0.05 / 0.05 | 15 / 10 / 17 | 31 / 34 / 26 |
| jpeg, quality 75, 4:4:4 | 0.06 / 0.05 / 0.05 | 21 / 14 / 25 | 33 / 36 / 28 |
| jpeg, quality 80, 4:4:4 | 0.06 / 0.05 / 0.06 | 24 / 15 / 29 | 35 / 37 / 29 |
| jpeg, quality 90, 4:4:4 | 0.06 / 0.05 / 0.07 | 34 / 23 / 45 | 38 / 40 / 33 |
| webp, quality 80, effort 0 | 0.34 / 0.23 / 0.37 | 19 / 12 / 20 | 35 / 37 / 27 |
| webp, quality 80, effort 4 | 1.10 / 0.80 / 0.91 | 16 / 10 / 19 | 35 / 37 / 27 |
| webp-lossless, effort 0 | 0.38 / 0.38 / 0.38 | 108 / 79 / 149 | exact |

JPEG is five times as fast, and WebP halves the resolution of colours, which ruins a signal's: the default for all
sheets is JPEG. Its mid-gray comes back as exactly 128. Signals look like noise to it, and would take two thirds of an
atlas at one quality for all: each kind of sheet has its own.
"""

import io
import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from layerscope.core.codecs import BLANK, CODECS, DEFAULT_CODEC, MOST_PX, Codec, published_as
from layerscope.core.errors import NotAnAtlas, UsageError
from layerscope.core.failures import out_of_memory

ReadT = TypeVar("ReadT")


def encode(pixels: UInt8[np.ndarray, "h w 3"], codec: str = DEFAULT_CODEC, *, shows: str = "picture") -> bytes:
    """Pixels as an encoded picture.

    shows: what is in it, one of `core.codecs.SHOWS`: "patches", a view, or "picture" for anything else.
    Raises UsageError for a codec that is not known or that lacks a package.
    """
    row = CODECS[codec]
    if row.encode is not None:
        return _by_guest(row, pixels, shows)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, row.format, **row.options_for(shows, pixels.shape[0] * pixels.shape[1]))
    return buffer.getvalue()


def decode(data: bytes, codec: str) -> UInt8[np.ndarray, "h w 3"]:
    """The pixels of an encoded picture; only the named format is tried.

    Raises NotAnAtlas for damaged bytes, and for a codec that is not installed or lacks a package, saying which.
    """
    row = reader_of(codec)
    if row.decode is None:
        return _by_pillow(data, row, lambda picture: np.asarray(picture.convert("RGB")))
    height, width = size(data, codec)
    try:
        pixels = np.asarray(row.decode(data))
    except Exception as error:  # a guest's code
        raise _damaged(codec, error) from error
    if pixels.dtype != np.uint8 or pixels.shape != (height, width, 3):
        raise _damaged(codec)
    return pixels


def size(data: bytes, codec: str) -> tuple[int, int]:
    """Height and width of an encoded picture, px, as its header claims them; nothing is decoded.

    Raises NotAnAtlas as `decode` does, and for more px than any picture of an atlas has.
    """
    row = reader_of(codec)
    if row.size is None:
        return _by_pillow(data, row, lambda picture: (picture.height, picture.width))
    if not isinstance(data, bytes) or not row.begins(data):
        raise _damaged(codec)
    try:
        height, width = map(int, row.size(data))
    except Exception as error:  # a guest's code
        raise _damaged(codec, error) from error
    _check_size(height, width, codec)
    return height, width


def _by_pillow(data: bytes, row: Codec, read: Callable[[Image.Image], ReadT]) -> ReadT:
    """What is read of a picture that was opened once, and claims no more px than any picture of an atlas has."""
    if not isinstance(data, bytes) or not row.begins(data):
        raise _damaged(row.name)
    try:
        with Image.open(io.BytesIO(data), formats=[row.format]) as picture:
            _check_size(picture.height, picture.width, row.name)
            return read(picture)
    except NotAnAtlas:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds of errors for damaged bytes
        raise _damaged(row.name, error) from error


def _check_size(height: int, width: int, codec: str) -> None:
    if min(height, width) < 1:
        raise _damaged(codec)
    if height * width > MOST_PX:
        raise NotAnAtlas(f"a picture in the atlas claims {width} x {height} px, which none has")


def for_browsers(data: bytes, codec: str) -> tuple[Codec, bytes]:
    """A stored picture as it can go to a browser, with the codec that it then has, which says media type and ending.

    It is untouched where it is what its codec says and browsers show that; else it becomes a PNG. An atlas may come
    from anybody, and a browser trusts us. Raises NotAnAtlas as `decode` does.
    """
    row = reader_of(codec)
    shown = published_as(codec)
    if shown is row:
        size(data, codec)
        return row, data
    return shown, encode(decode(data, codec), shown.name)


def _by_guest(row: Codec, pixels: UInt8[np.ndarray, "h w 3"], shows: str) -> bytes:
    assert row.encode is not None
    try:
        data = row.encode(pixels, shows)
    except MemoryError:
        raise
    except Exception as failure:  # a guest's code
        said = f"{type(failure).__name__}: {failure}".splitlines()[0]
        raise UsageError(f'the codec "{row.name}" cannot encode {list(pixels.shape)}: {said}') from failure
    if not isinstance(data, bytes) or not row.begins(data):
        raise UsageError(f'the codec "{row.name}" gave {type(data).__name__} that do not begin with its magic')
    return data


def reader_of(codec: str) -> Codec:
    """The row that reads what is stored so. Raises NotAnAtlas where there is none, with what to install."""
    if codec not in CODECS:
        raise NotAnAtlas(
            f'a picture in the atlas is stored as "{codec}", which nothing here reads: install the package that adds '
            f"this codec to layerscope ({', '.join(CODECS.names)} are there)"
        )
    try:
        return CODECS[codec]
    except UsageError as error:
        raise NotAnAtlas(f'a picture in the atlas is stored as "{codec}", and {error}') from error


def _damaged(codec: str, error: Exception | None = None) -> NotAnAtlas | MemoryError:
    """What is wrong with a stored picture; where memory was short, nothing is."""
    if error is not None and out_of_memory(error):
        return MemoryError()
    return NotAnAtlas(f"a picture in the atlas is damaged: its {codec} bytes cannot be decoded")


def shape_of_grid(k: int) -> tuple[int, int]:
    """Rows and columns of the grid that holds k tiles: ceil(sqrt(k)) columns, as many rows as needed."""
    cols = math.isqrt(k - 1) + 1 if k else 0
    return (-(-k // cols), cols) if k else (0, 0)


def grid(tiles: UInt8[np.ndarray, "k h w 3"]) -> UInt8[np.ndarray, "rows_h cols_w 3"]:
    """Tiles side by side in reading order, in one picture; places without a tile are mid-gray."""
    k, height, width, channels = tiles.shape
    n_rows, n_cols = shape_of_grid(k)
    places = np.full((n_rows * n_cols, height, width, channels), BLANK, np.uint8)
    places[:k] = tiles
    lines = places.reshape(n_rows, n_cols, height, width, channels).swapaxes(1, 2)
    return np.ascontiguousarray(lines).reshape(n_rows * height, n_cols * width, channels)


def cut(sheet: UInt8[np.ndarray, "rows_h cols_w 3"], k: int) -> UInt8[np.ndarray, "k h w 3"]:
    """The k tiles of a picture that `grid` made. Raises NotAnAtlas for one that holds no such tiles."""
    n_rows, n_cols = shape_of_grid(k)
    height, width, channels = sheet.shape
    if not k or height % n_rows or width % n_cols:
        raise NotAnAtlas(f"a sheet in the atlas is damaged: {height} x {width} px are no {k} tiles")
    lines = sheet.reshape(n_rows, height // n_rows, n_cols, width // n_cols, channels).swapaxes(1, 2)
    return np.ascontiguousarray(lines).reshape(n_rows * n_cols, height // n_rows, width // n_cols, channels)[:k]
