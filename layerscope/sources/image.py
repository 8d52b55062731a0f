"""One image as a source reads it: its record, which tells it from all others, and its picture.

What ``Source.read`` returns is made here, of pixels or of the bytes of a picture file; and what becomes of it in a
batch.
"""

import hashlib
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from layerscope.core.records import ImageRecord, Placement
from layerscope.sources.decode import UPRIGHT, DecodeOptions, Unusable, decode

PictureLike = Image.Image | UInt8[np.ndarray, "rows cols bands"] | Float32[np.ndarray, "bands rows cols"]
ReadImage = tuple[ImageRecord, PictureLike | None]
Cut = UInt8[np.ndarray, "h w c"]
Small = UInt8[np.ndarray, "_ _ 3"]


class PlacedImage(NamedTuple):
    """An image in its row of a batch. placement: None where it cannot be used. small: its small whole picture. cut: the
    bytes that were normalised into the row."""

    record: ImageRecord
    placement: Placement | None = None
    small: Small | None = None
    cut: Cut | None = None


def of_pixels(record: ImageRecord, pixels: Any) -> ReadImage:
    """An image of pixels, known by their SHA-256: a Pillow image, or an array uint8[h,w] or uint8[h,w,3].

    record: what the listing tells of it, `Source.record(id)`. Raises Unusable for what is no picture.
    """
    if isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.shape[2:] in ((), (3,)):
        pixels = Image.fromarray(np.ascontiguousarray(pixels))
    if not isinstance(pixels, Image.Image):
        raise Unusable(f"a {type(pixels).__name__} is no picture")
    digest, size = pixels_digest(pixels)
    return replace(record, sha256=digest.hex(), size=size, height=pixels.height, width=pixels.width), pixels


def of_bytes(record: ImageRecord, encoded: bytes, reading: DecodeOptions = UPRIGHT) -> ReadImage:
    """An image of the bytes of a picture file, known by their SHA-256; no picture where they cannot be decoded."""
    record = replace(record, sha256=hashlib.sha256(encoded).hexdigest(), size=len(encoded))
    try:
        picture = decode(encoded, name=record.source, reading=reading)
    except Unusable as failure:
        return replace(record, skipped=str(failure)), None
    return replace(record, height=picture.height, width=picture.width), picture


def pixels_digest(picture: PictureLike) -> tuple[bytes, int]:
    """The SHA-256 of a picture's pixels, and how many bytes they are; colours of a palette count."""
    pixels = np.ascontiguousarray(picture)  # here a Pillow image that is read lazily may fail
    digest = hashlib.sha256(pixels.data)
    if isinstance(picture, Image.Image) and picture.palette is not None:
        digest.update(picture.palette.tobytes())
    return digest.digest(), pixels.nbytes
