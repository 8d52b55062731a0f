"""Encoded bytes become one picture, or one short reason why they cannot.

Only formats that hold pictures as pixels are tried; none that runs another program (EPS) or has no signature of its
own (TGA). What Pillow raises for broken files is a zoo, so everything it raises becomes ``Unusable``.
"""

import io
import logging
import os
import struct
from dataclasses import dataclass
from functools import cache
from typing import IO

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from layerscope.core.errors import UsageError
from layerscope.core.failures import out_of_memory
from layerscope.sources import tiff
from layerscope.sources.signatures import format_of_bytes, format_of_name

# What Pillow logs of a broken file stands in the image's record; a program that listens to the log still hears it.
logging.getLogger("PIL").addHandler(logging.NullHandler())

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF")
LARGEST_FILE = 2**30
LARGEST_PICTURE = 178_956_970  # px: where Pillow, by default, calls a picture a decompression bomb

ORIENTATION_TAG = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


ORIENTATIONS = ("upright", "stored")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeOptions:
    """How encoded pictures are read. orientation: "upright" turns them as their EXIF orientation says, "stored" takes
    the pixels as they lie in the file. most_px: larger pictures are refused. Raises UsageError for other values."""

    orientation: str = "upright"
    most_px: int = LARGEST_PICTURE

    def __post_init__(self) -> None:
        if self.orientation not in ORIENTATIONS:
            raise UsageError(f'orientation must be "upright" or "stored", got "{self.orientation}"')
        if self.most_px < 1:
            raise UsageError(f"max_pixels must be at least 1, got {self.most_px}")

    def differences(self) -> list[str]:
        """What differs from the usual reading: a part of a run's fingerprint."""
        return [
            f"{name}={value}"
            for name, value, usual in (
                ("orientation", self.orientation, UPRIGHT.orientation),
                ("most_px", self.most_px, UPRIGHT.most_px),
            )
            if value != usual
        ]


UPRIGHT = DecodeOptions()


class Unusable(Exception):
    """One image cannot be used; the message is a short clause for its record. Never leaves this room."""


def decode(encoded: bytes, *, name: str = "", reading: DecodeOptions = UPRIGHT) -> Image.Image:
    """The picture in these bytes, of the first frame, in the mode that its file has.

    name: of the file, which tells what some bytes do not. Raises Unusable.
    """
    if not encoded:
        raise Unusable("empty file")
    _require_readable(encoded, name)
    try:
        image = _opened(encoded)
        if image is not None and image.width * image.height > reading.most_px:
            raise Unusable(
                f"{image.width} x {image.height} px, above the limit of {reading.most_px:,} px that guards against "
                "decompression bombs: raise it with --max-pixels, or max_pixels="
            )
        if image is not None:
            image.load()
    except (MemoryError, Unusable):
        raise
    except Exception as failure:  # decoders raise OSError, SyntaxError, ValueError, struct.error, EOFError, ...
        if out_of_memory(failure):
            raise MemoryError from failure
        raise Unusable(f"broken: {reason(failure)}") from None
    if image is None:
        raise Unusable(_unread(encoded))
    return _upright(image) if reading.orientation == "upright" else image


def is_deep(encoded: bytes) -> bool:
    """True for gray pictures of 16 bits, told from the header."""
    try:
        image = _opened(encoded)
    except MemoryError:
        raise
    except Exception:  # a broken header: told when the picture is read
        return False
    return image is not None and image.mode.startswith("I")


def _require_readable(encoded: bytes, name: str) -> None:
    """Raises Unusable, with the way out, for bytes that are told to be of a kind that is not read."""
    kind, meant = format_of_bytes(encoded), format_of_name(name)
    if kind is not None and kind.advice:
        raise Unusable(kind.reason)
    # A camera's raw file is a TIFF with a thumbnail in its first place: only the name tells.
    if meant is not None and meant.advice and meant.image and (kind is None or tiff.is_tiff(encoded)):
        raise Unusable(meant.reason)
    if tiff.is_tiff(encoded) and (why := tiff.refusal(encoded)) is not None:
        raise Unusable(why)


def _unread(encoded: bytes) -> str:
    """Why no reader takes these bytes."""
    if tiff.is_tiff(encoded):
        return tiff.description(encoded)
    kind = format_of_bytes(encoded)
    return "not an image" if kind is None else f"broken: {kind.name} whose header cannot be read"


def stored_size(path: str | os.PathLike[str]) -> tuple[int, int, int] | None:
    """Rows and columns of a picture file as it is stored, and its EXIF orientation, 1 for none, without its pixels.

    None for what cannot be read.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(16)
            file.seek(0)
            image = _opened(head, file)
            return None if image is None else (image.height, image.width, _orientation(image))
    except MemoryError:
        raise
    except Exception:  # what is broken is told when the picture is read
        return None


def _opened(encoded: bytes, file: IO[bytes] | None = None) -> Image.Image | None:
    """As Pillow's ``open`` tells formats apart, but without its warning of large pictures, a setting of the whole
    process. file: where the rest of the bytes lies, if not here. None where no format fits."""
    for format in _known_formats():
        factory, accept = Image.OPEN[format]
        try:
            if accept is None or accept(encoded[:16]) is True:
                return factory(file or io.BytesIO(encoded), "")
        except (SyntaxError, IndexError, TypeError, struct.error):  # no picture of this format: so says Pillow
            continue
    return None


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
    turn = TURNS.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1 for none, and for what is no number."""
    try:
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except MemoryError:
        raise
    except Exception:  # a damaged EXIF block is common beside sound pixels; viewers show these as stored
        return 1
    return orientation if isinstance(orientation, int) else 1


@cache
def _known_formats() -> tuple[str, ...]:
    """Those of FORMATS that this Pillow was built with."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)
