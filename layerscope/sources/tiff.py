"""What the tags of a TIFF say of its samples: it may hold numbers that are no gray levels, and a guess shows black.

Tags are those of TIFF 6.0; they are read by Pillow.
"""

import io
from typing import NamedTuple

from PIL.TiffImagePlugin import ImageFileDirectory_v2

BITS, BANDS, FORMAT, DNG_VERSION = 258, 277, 339, 50706
FORMATS = {1: "unsigned", 2: "signed", 3: "floating-point"}
BIG = 43  # where other TIFFs hold 42
WAY_OUT = "map them to 0..255, or give the arrays as a Dataset"


class _Samples(NamedTuple):
    bands: int
    bits: int
    format: str
    raw: bool


def is_tiff(encoded: bytes) -> bool:
    """True for bytes that begin as a TIFF does."""
    return encoded[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def refusal(encoded: bytes) -> str | None:
    """Why a TIFF's values mean no gray levels, or None: by their type, so that all files of a series fare alike."""
    samples = _samples(encoded)
    if samples is None:
        return None
    if samples.raw:
        return "a camera's raw file: develop it to JPEG, PNG or TIFF"
    if samples.bands == 1 and samples.bits >= 16 and (samples.format != "unsigned" or samples.bits > 16):
        hounsfield = " (Hounsfield units?)" if (samples.format, samples.bits) == ("signed", 16) else ""
        return f"{samples.bits}-bit {samples.format} gray values{hounsfield} have no known range: {WAY_OUT}"
    return None


def description(encoded: bytes) -> str:
    """Why a TIFF that no reader takes is not read."""
    samples = _samples(encoded)
    if samples is None:
        return "broken: a TIFF whose tags cannot be read"
    bands = f"{samples.bands} band{'s' * (samples.bands != 1)}"
    values = f"{samples.bits}-bit {samples.format} values"
    return f"a TIFF of {bands} of {values}, which is not read: give the arrays as a Dataset"


def _samples(encoded: bytes) -> _Samples | None:
    try:
        file = io.BytesIO(encoded)
        header = file.read(8)
        header += file.read(8) if BIG in header[2:4] else b""
        tags = ImageFileDirectory_v2(header)
        file.seek(tags.next)
        tags.load(file)
        bits, formats = tags.get(BITS, (1,)), tags.get(FORMAT, (1,))
        format = FORMATS.get(int(formats[0]), "undefined")
        return _Samples(int(tags.get(BANDS, 1)), int(max(bits)), format, DNG_VERSION in tags)
    except Exception:  # damaged tags: Pillow's readers say what is wrong with them
        return None
