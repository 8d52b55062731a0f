"""Pixels as encoded pictures, and a unit's tiles as one picture; the codec's name stands beside the bytes.

Measured on sheets of nine 96 px tiles (one core, Pillow 13; photographs / smooth noise / white colour noise):

| codec | ms a tile | kB a sheet | PSNR, dB |
| --- | --- | --- | --- |
| jpeg, quality 85, 4:4:4 | 0.08 / 0.07 / 0.09 | 31 / 23 / 44 | 36 / 36 / 29 |
| jpeg, quality 90, 4:4:4 | 0.08 / 0.06 / 0.09 | 38 / 30 / 61 | 38 / 38 / 31 |
| webp, quality 80, effort 0 | 0.40 / 0.27 / 0.33 | 22 / 16 / 19 | 35 / 36 / 25 |
| webp, quality 80, effort 4 | 1.14 / 1.02 / 1.39 | 19 / 15 / 20 | 35 / 36 / 25 |
| webp-lossless, effort 0 | 0.48 / 0.32 / 0.36 | 122 / 129 / 211 | exact |

JPEG is five times as fast, and WebP halves the resolution of colours, which ruins a signal's: the default for all
sheets is JPEG. Its mid-gray comes back as exactly 128.
"""

import io
import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from layerscope.core.errors import NotAnAtlas, UsageError

# A signal of zero, and a tile that holds nothing.
BLANK = 128
DEFAULT_CODEC = "jpeg"


class Codec(NamedTuple):
    """A way to keep pixels: Pillow's name of the format, the options of encoding, the media type."""

    format: str
    media_type: str
    options: dict[str, Any]


CODECS = {
    "jpeg": Codec("JPEG", "image/jpeg", {"quality": 85, "subsampling": 0}),
    "webp": Codec("WEBP", "image/webp", {"quality": 80, "method": 0}),
    "webp-lossless": Codec("WEBP", "image/webp", {"lossless": True, "quality": 0, "method": 0}),
    "png": Codec("PNG", "image/png", {"compress_level": 1}),
}


def encode(pixels: UInt8[np.ndarray, "h w 3"], codec: str = DEFAULT_CODEC) -> bytes:
    """Pixels as an encoded picture. Raises UsageError for a codec without a row in CODECS."""
    if codec not in CODECS:
        raise UsageError(f'codec "{codec}" is not known; choose one of {", ".join(CODECS)}')
    row = CODECS[codec]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, row.format, **row.options)
    return buffer.getvalue()


def decode(data: bytes, codec: str) -> UInt8[np.ndarray, "h w 3"]:
    """The pixels of an encoded picture; only the named format is tried. Raises NotAnAtlas for damaged bytes."""
    if codec not in CODECS:
        raise NotAnAtlas(f'a picture in the atlas is stored as "{codec}", which this layerscope cannot read')
    try:
        with Image.open(io.BytesIO(data), formats=[CODECS[codec].format]) as picture:
            return np.asarray(picture.convert("RGB"))
    # Pillow's decoders raise many kinds of errors for damaged bytes.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NotAnAtlas(f"a picture in the atlas is damaged: its {codec} bytes cannot be decoded") from error


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
    """The k tiles of a picture that `grid` made."""
    n_rows, n_cols = shape_of_grid(k)
    height, width, channels = sheet.shape
    lines = sheet.reshape(n_rows, height // n_rows, n_cols, width // n_cols, channels).swapaxes(1, 2)
    return np.ascontiguousarray(lines).reshape(n_rows * n_cols, height // n_rows, width // n_cols, channels)[:k]
