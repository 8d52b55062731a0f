"""The codecs, in words: how the pixels of tiles and thumbnails are stored, and what tells each from the others.

This is the only place that knows them: encoding, decoding, what goes to a browser, names of exported files, forecasts
and pages ask a row. Ours encode and decode by Pillow, in `atlas/codecs.py`, where the measurements behind these numbers
stand; a guest's row names a format of Pillow's as well, or brings functions of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from layerscope.core.errors import UsageError
from layerscope.core.registry import Registry, Row

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import UInt8

    Pixels = UInt8[np.ndarray, "h w 3"]

# A signal of zero, and a tile that holds nothing: every codec gives it back within one level.
BLANK = 128
# More px than any picture of an atlas has: a few bytes could ask for gigabytes.
MOST_PX = 1 << 24
# What pixels can show: patches, projections in either view, and thumbnails ("picture") or anything else.
SHOWS = ("patches", "natural", "signal", "picture")
# How exactly JPEG keeps each, and what JPEG takes, bytes per px: means over atlases of three trained networks.
JPEG_QUALITIES = {"patches": 80, "natural": 75, "signal": 55, "picture": 80}
JPEG_BYTES = {"patches": 0.36, "natural": 0.24, "signal": 0.29, "picture": 0.4}
# A picture of so few px weighs little and is shown much enlarged, where every px is seen: it is kept better.
FEW_PX, QUALITY_OF_FEW = 96 * 96, 90
# What browsers show as pixels and as nothing else. All else (SVG holds scripts) goes to them as PNG.
SHOWN_BY_BROWSERS = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif")
RAW_BYTES = 3.0


@dataclass(frozen=True, kw_only=True)
class Codec(Row):
    """A way to store pixels.

    magic: what its bytes begin with, "?" standing for any byte. lossy: what comes back is not exactly what went in.
    media_type: the browsers' name; "" where no browser shows it, and viewer and export make PNGs of it. ending: of
    files, without the dot. bytes_per_px: what it takes by what the pixels show, for forecasts; where it says nothing,
    as raw pixels.

    format: Pillow's name of it, with options of encoding, and qualities by what the pixels show (empty where one
    quality, among the options, is for all). Without a format the row brings three functions. encode: pixels
    uint8[h,w,3], and what they show, one of SHOWS -> bytes. decode: bytes -> the pixels. size: bytes -> height and
    width, px, as the header claims them: it is asked before anything is decoded. decode and size raise ValueError for
    damaged bytes.
    """

    magic: bytes
    lossy: bool
    media_type: str = ""
    ending: str = ""
    bytes_per_px: Mapping[str, float] = field(default_factory=dict[str, float])
    format: str = ""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    qualities: Mapping[str, int] = field(default_factory=dict[str, int])
    encode: "Callable[[Pixels, str], bytes] | None" = None
    decode: "Callable[[bytes], Pixels] | None" = None
    size: Callable[[bytes], tuple[int, int]] | None = None

    def __post_init__(self) -> None:
        functions = (self.encode, self.decode, self.size)
        if bool(self.format) == any(functions) or (not self.format and None in functions):
            raise ValueError(f'the codec "{self.name}" needs a format of Pillow, or encode, decode and size')
        if not self.magic:
            raise ValueError(f'the codec "{self.name}" needs a magic, which tells its bytes from all others')

    @property
    def shown_by_browsers(self) -> bool:
        return self.media_type in SHOWN_BY_BROWSERS

    def begins(self, data: bytes) -> bool:
        """True for bytes that begin as this codec's do."""
        return len(data) > len(self.magic) and all(
            wanted in (byte, ord("?")) for wanted, byte in zip(self.magic, data, strict=False)
        )

    def options_for(self, shows: str, px: int) -> Mapping[str, Any]:
        """Pillow's options for a picture of so many px."""
        if not self.qualities:
            return self.options
        return {**self.options, "quality": QUALITY_OF_FEW if px <= FEW_PX else self.qualities[shows]}

    def bytes_for(self, shows: str) -> float:
        """What a px takes, in bytes: an estimate, and for a codec that says nothing the most that it can be."""
        return self.bytes_per_px.get(shows, RAW_BYTES)


_WEBP = b"RIFF????WEBP"

CODECS = Registry(
    "codec",
    "layerscope.codecs",
    Codec,
    (
        Codec(
            name="jpeg", sentence="small and fast, with full resolution of colours", format="JPEG",
            media_type="image/jpeg", ending="jpg", magic=b"\xff\xd8\xff", lossy=True, options={"subsampling": 0},
            qualities=JPEG_QUALITIES, bytes_per_px=JPEG_BYTES,
        ),
        # What these take was measured beside JPEG, on the same sheets.
        Codec(
            name="webp", sentence="smaller than jpeg, with half the resolution of colours", format="WEBP",
            media_type="image/webp", ending="webp", magic=_WEBP, lossy=True, options={"quality": 80, "method": 0},
            bytes_per_px={"patches": 0.28, "natural": 0.2, "signal": 0.34, "picture": 0.17},
        ),
        Codec(
            name="webp-lossless", sentence="exact, and the smallest that is", format="WEBP", media_type="image/webp",
            ending="webp", magic=_WEBP, lossy=False, options={"lossless": True, "quality": 0, "method": 0},
            bytes_per_px={"patches": 1.6, "natural": 1.35, "signal": 2.4, "picture": 0.96},
        ),
        Codec(
            name="png", sentence="exact, and read by everything", format="PNG", media_type="image/png", ending="png",
            magic=b"\x89PNG\r\n\x1a\n", lossy=False, options={"compress_level": 1},
            bytes_per_px={"patches": 1.65, "natural": 1.4, "signal": 2.4, "picture": 1.06},
        ),
    ),
)  # fmt: skip

DEFAULT_CODEC = "jpeg"
# What pictures become that no browser shows as they are stored.
FOR_BROWSERS = "png"


def published_as(name: str) -> Codec:
    """The codec in which a stored picture goes to a browser: its own, or PNG. Raises UsageError for one unknown."""
    row = CODECS.known(name)
    return row if row.shown_by_browsers else CODECS.own[FOR_BROWSERS]


def is_lossy(name: str) -> bool:
    """Whether pixels stored so are not exact; nothing is said of a codec that is not here, nor are its pixels shown."""
    try:
        return CODECS.known(name).lossy
    except UsageError:
        return False
