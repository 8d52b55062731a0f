"""Encoded bytes become one upright picture, or one short reason why they cannot.

Only formats that hold pictures as pixels are tried; none that runs another program (EPS) or has no signature of its
own (TGA). What Pillow raises for broken files is a zoo, so everything it raises becomes ``Unusable``.
"""

import io
from functools import cache

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF")
LARGEST_FILE = 2**30
LARGEST_PICTURE = 178_956_970  # px: where Pillow, by default, calls a picture a decompression bomb

ORIENTATION_TAG = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Unusable(Exception):
    """One image cannot be used; the message is a short clause for its record. Never leaves this room."""


def decode(encoded: bytes) -> Image.Image:
    """The picture in these bytes, upright, of the first frame, in the mode that its file has.

    Raises Unusable.
    """
    if not encoded:
        raise Unusable("empty file")
    try:
        image = Image.open(io.BytesIO(encoded), formats=_known_formats())
        image.load()
    except UnidentifiedImageError:
        raise Unusable("not an image") from None
    except Image.DecompressionBombError:
        raise Unusable("too many pixels: refused as a decompression bomb") from None
    except MemoryError:
        raise
    except Exception as failure:  # decoders raise OSError, SyntaxError, ValueError, struct.error, EOFError, ...
        raise Unusable(f"broken: {reason(failure)}") from None
    return _upright(image)


def reason(failure: Exception) -> str:
    """What an exception says, as one short line that is the same in every run; its type where it says nothing."""
    line = str(failure).strip().partition("\n")[0][:120]
    # An object's default text holds its address, which differs from run to run.
    return line if line and " at 0x" not in line else type(failure).__name__


def as_mode(image: Image.Image, mode: str) -> Image.Image:
    """The picture as 8-bit "RGB" or "L". Alpha is dropped, as by ``convert``; 16-bit gray is scaled by 1/257.

    Raises Unusable for gray values that have no known range (32-bit integers beyond 65535, floats).
    """
    if image.mode == mode:
        return image
    # Pillow warns of palettes whose colours have an alpha each; the alpha would be dropped anyway.
    image.info.pop("transparency", None)
    if image.mode == "F":
        raise Unusable("floating-point gray values have no known range")
    if image.mode.startswith("I"):
        image = Image.fromarray(_eight_bits(image))
    try:
        return image.convert(mode)
    except ValueError:
        raise Unusable(f"colours of mode {image.mode} cannot be made into {mode}") from None


def _eight_bits(image: Image.Image) -> UInt8[np.ndarray, "h w"]:
    gray = np.asarray(image).astype(np.int64)
    if gray.min() < 0 or gray.max() > 65535:
        raise Unusable("32-bit gray values have no known range")
    return ((gray + 128) // 257).astype(np.uint8)


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # a damaged EXIF block is common beside sound pixels; viewers show these as stored
        return image
    turn = UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


@cache
def _known_formats() -> tuple[str, ...]:
    """Those of FORMATS that this Pillow was built with."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)
