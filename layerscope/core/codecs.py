"""The codecs, in words: how the pixels of tiles and thumbnails are stored, and what tells each from the others.

What encodes and decodes is Pillow, in `atlas/codecs.py`, where the measurements behind these numbers stand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from layerscope.core.registry import Registry, Row

# How exactly JPEG keeps what a picture shows: views and patches of tiles, and the small whole pictures.
JPEG_QUALITIES = {"patches": 80, "natural": 75, "signal": 55, "picture": 80}


@dataclass(frozen=True, kw_only=True)
class Codec(Row):
    """A way to store pixels.

    format: Pillow's name of it. media_type: the browsers'. ending: of files, without the dot. magic: what its bytes
    begin with, "?" standing for any byte. lossy: what comes back is not exactly what went in. options: Pillow's, of
    encoding. qualities: by what the pixels show; empty where one quality, among the options, is for all.
    """

    format: str
    media_type: str
    ending: str
    magic: bytes
    lossy: bool
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    qualities: Mapping[str, int] = field(default_factory=dict[str, int])


_WEBP = b"RIFF????WEBP"

CODECS = Registry(
    "codec",
    "layerscope.codecs",
    Codec,
    (
        Codec(
            name="jpeg", sentence="small and fast, with full resolution of colours", format="JPEG",
            media_type="image/jpeg", ending="jpg", magic=b"\xff\xd8\xff", lossy=True, options={"subsampling": 0},
            qualities=JPEG_QUALITIES,
        ),
        Codec(
            name="webp", sentence="smaller than jpeg, with half the resolution of colours", format="WEBP",
            media_type="image/webp", ending="webp", magic=_WEBP, lossy=True, options={"quality": 80, "method": 0},
        ),
        Codec(
            name="webp-lossless", sentence="exact, and the smallest that is", format="WEBP", media_type="image/webp",
            ending="webp", magic=_WEBP, lossy=False, options={"lossless": True, "quality": 0, "method": 0},
        ),
        Codec(
            name="png", sentence="exact, and read by everything", format="PNG", media_type="image/png", ending="png",
            magic=b"\x89PNG\r\n\x1a\n", lossy=False, options={"compress_level": 1},
        ),
    ),
)  # fmt: skip

DEFAULT_CODEC = "jpeg"
