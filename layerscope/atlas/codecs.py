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
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from layerscope.core.errors import NotAnAtlas, UsageError
from layerscope.core.failures import out_of_memory

# A signal of zero, and a tile that holds nothing.
BLANK = 128
# More px than any picture of an atlas has: a few bytes could ask for gigabytes.
MOST_PX = 1 << 24
DEFAULT_CODEC = "jpeg"

# How exactly JPEG keeps what a picture shows: views and patches of tiles, and the small whole pictures.
JPEG_QUALITIES = {"patches": 80, "natural": 75, "signal": 55, "picture": 80}
# A picture of so few px weighs little and is shown much enlarged, where every px is seen: it is kept better.
FEW_PX, QUALITY_OF_FEW = 96 * 96, 90


class Codec(NamedTuple):
    """A way to keep pixels: Pillow's name of the format, the media type, the options of encoding.

    qualities: by what the pixels show; empty where one quality, among the options, is for all.
    """

    format: str
    media_type: str
    options: dict[str, Any]
    qualities: Mapping[str, int] = {}

    def options_for(self, shows: str, px: int) -> dict[str, Any]:
        """The options for a picture of so many px."""
        if not self.qualities:
            return self.options
        return self.options | {"quality": QUALITY_OF_FEW if px <= FEW_PX else self.qualities[shows]}


CODECS = {
    "jpeg": Codec("JPEG", "image/jpeg", {"subsampling": 0}, JPEG_QUALITIES),
    "webp": Codec("WEBP", "image/webp", {"quality": 80, "method": 0}),
    "webp-lossless": Codec("WEBP", "image/webp", {"lossless": True, "quality": 0, "method": 0}),
    "png": Codec("PNG", "image/png", {"compress_level": 1}),
}


def encode(pixels: UInt8[np.ndarray, "h w 3"], codec: str = DEFAULT_CODEC, *, shows: str = "picture") -> bytes:
    """Pixels as an encoded picture.

    shows: what is in it, a key of JPEG_QUALITIES: "patches", a view, or "picture" for anything else.
    Raises UsageError for a codec without a row in CODECS.
    """
    if codec not in CODECS:
        raise UsageError(f'codec "{codec}" is not known; choose one of {", ".join(CODECS)}')
    row = CODECS[codec]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, row.format, **row.options_for(shows, pixels.shape[0] * pixels.shape[1]))
    return buffer.getvalue()


def decode(data: bytes, codec: str) -> UInt8[np.ndarray, "h w 3"]:
    """The pixels of an encoded picture; only the named format is tried. Raises NotAnAtlas for damaged bytes."""
    if codec not in CODECS:
        raise NotAnAtlas(f'a picture in the atlas is stored as "{codec}", which this layerscope cannot read')
    try:
        with Image.open(io.BytesIO(data), formats=[CODECS[codec].format]) as picture:
            if picture.width * picture.height > MOST_PX:
                raise NotAnAtlas(f"a picture in the atlas claims {picture.width} x {picture.height} px, which none has")
            return np.asarray(picture.convert("RGB"))
    # Pillow's decoders raise many kinds of errors for damaged bytes.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if out_of_memory(error):
            raise MemoryError from error
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
    """The k tiles of a picture that `grid` made. Raises NotAnAtlas for one that holds no such tiles."""
    n_rows, n_cols = shape_of_grid(k)
    height, width, channels = sheet.shape
    if not k or height % n_rows or width % n_cols:
        raise NotAnAtlas(f"a sheet in the atlas is damaged: {height} x {width} px are no {k} tiles")
    lines = sheet.reshape(n_rows, height // n_rows, n_cols, width // n_cols, channels).swapaxes(1, 2)
    return np.ascontiguousarray(lines).reshape(n_rows * n_cols, height // n_rows, width // n_cols, channels)[:k]
