"""The laws of codecs: pixels come back, bytes are the same each time, and what is damaged is refused in one sentence.

Each is called with a row of `layerscope.core.codecs.CODECS`; `laws` runs them all. They go the way that a build and a
viewer go, so a guest's package must be installed: its entry point is part of what is tested.
"""

import io
import math
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from layerscope.atlas.codecs import decode, encode, for_browsers, size
from layerscope.core.codecs import BLANK, CODECS, MOST_PX, SHOWN_BY_BROWSERS, SHOWS, Codec
from layerscope.core.errors import NotAnAtlas

Pixels = UInt8[np.ndarray, "h w 3"]
# What a lossy codec may be off on a smooth picture, root mean square, levels of 0..255.
LOSS = 8
SHAPES = ((1, 1), (1, 7), (7, 1), (24, 31), (96, 96), (160, 120), (288, 288))


def is_found(row: Codec) -> None:
    """The registry gives this row under its name, and nothing that it needs is missing."""
    assert row.name in CODECS, f'no codec is called "{row.name}": is the package with its entry point installed?'
    assert CODECS[row.name] is row, f'"{row.name}" is another row than this'


def says_itself(row: Codec) -> None:
    """Name, sentence, ending and media type are of the form that help, pages and files need."""
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", row.name), f'"{row.name}" is no plain word of small letters and digits'
    assert row.sentence and not row.sentence.endswith("."), f"{row.name} needs a sentence without a full stop"
    assert not row.media_type or row.media_type.startswith("image/"), f"{row.name}: {row.media_type} is no picture"
    plain = re.fullmatch(r"[a-z0-9]+", row.ending)
    assert plain or not row.shown_by_browsers, f'{row.name}: the ending "{row.ending}" is none'


def pixels_come_back(row: Codec) -> None:
    """Of every shape: exactly, or, of a smooth picture, within a few levels where the row says that it is lossy."""
    for shows in SHOWS:
        for pixels in _pictures():
            back = decode(encode(pixels, row.name, shows=shows), row.name)
            assert back.shape == pixels.shape, f"{row.name} gives {back.shape} back for {pixels.shape}"
            off = math.sqrt(((back.astype(float) - pixels) ** 2).mean())
            allowed = LOSS if row.lossy else 0
            assert off <= allowed, f"{row.name} gives {shows} of {pixels.shape} back {off:.1f} levels off"


def noise_comes_back(row: Codec) -> None:
    """An exact codec gives back random pixels, which nothing predicts."""
    if not row.lossy:
        noise = np.random.default_rng(0).integers(0, 256, (37, 53, 3), np.uint8)
        assert np.array_equal(decode(encode(noise, row.name), row.name), noise), f"{row.name} is not exact"


def blank_stays_blank(row: Codec) -> None:
    """Flat mid-gray, a signal of zero, comes back within one level whatever it shows."""
    for shows in SHOWS:
        for side in (1, 8, 24, 95, 288):
            flat = np.full((side, side, 3), BLANK, np.uint8)
            off = np.abs(decode(encode(flat, row.name, shows=shows), row.name).astype(int) - BLANK).max()
            assert off <= 1, f"{row.name} gives mid-gray of {side} px back {off} levels off"


def bytes_are_the_same_each_time(row: Codec) -> None:
    """The same pixels give the same bytes, in any thread and however they lie in memory: builds that stop go on."""
    pixels = _smooth(96, 96)
    first = encode(pixels, row.name)
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda _: encode(pixels, row.name), range(8)))
    assert all(data == first for data in again), f"{row.name} gives other bytes for the same pixels"
    lying = np.ascontiguousarray(pixels[:, ::-1])[:, ::-1]
    assert encode(lying, row.name) == first, f"{row.name} gives other bytes for pixels that lie otherwise in memory"
    locked = pixels.copy()
    locked.flags.writeable = False
    assert encode(locked, row.name) == first, f"{row.name} needs pixels that it may write into"


def size_is_read_from_the_header(row: Codec) -> None:
    """Height and width are read from the header, and more px than any picture has are refused by it."""
    for pixels in _pictures():
        stated = size(encode(pixels, row.name), row.name)
        assert stated == pixels.shape[:2], f"{row.name} tells {stated} of {pixels.shape}"
    side = math.isqrt(MOST_PX)
    large = encode(np.full((side + 1, side, 3), BLANK, np.uint8), row.name)
    for read in (size, decode, for_browsers):
        assert _refused(lambda read=read: read(large, row.name)), f"{row.name}: {read.__name__} takes {side + 1} rows"


def what_is_damaged_is_refused(row: Codec) -> None:
    """Cut bytes, none, and those of other codecs raise NotAnAtlas; changed ones do, or give pixels of the same size."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
    data = encode(pixels, row.name)
    for length in (0, 1, len(row.magic), len(row.magic) + 1, len(data) // 2, int(0.9 * len(data))):
        assert _refused(lambda length=length: decode(data[:length], row.name)), f"{row.name} decodes {length} bytes"
    for other in CODECS.own.values():
        if other.magic != row.magic:
            theirs = encode(pixels, other.name)
            assert _refused(lambda theirs=theirs: decode(theirs, row.name)), f"{row.name} decodes {other.name}"
    rng = np.random.default_rng(1)
    for _ in range(60):
        changed = bytearray(data)
        changed[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
        # Whatever else comes than pixels or NotAnAtlas is raised from here.
        _refused(lambda changed=changed: decode(bytes(changed), row.name))


def browsers_get_pictures(row: Codec) -> None:
    """What goes to a browser is of a type that it shows as pixels only, and shows what is stored."""
    pixels = _smooth(96, 64)
    data = encode(pixels, row.name)
    shown, content = for_browsers(data, row.name)
    assert shown.media_type in SHOWN_BY_BROWSERS, f"{row.name} goes to browsers as {shown.media_type}"
    assert content == data or shown is not row, f"{row.name} is changed on its way to a browser"
    with Image.open(io.BytesIO(content)) as picture:
        assert Image.MIME.get(picture.format or "") == shown.media_type, f"{row.name} is no {shown.media_type}"
        assert np.array_equal(np.asarray(picture.convert("RGB")), decode(data, row.name))


LAWS = (
    is_found,
    says_itself,
    pixels_come_back,
    noise_comes_back,
    blank_stays_blank,
    bytes_are_the_same_each_time,
    size_is_read_from_the_header,
    what_is_damaged_is_refused,
    browsers_get_pictures,
)


def laws(row: Codec) -> None:
    """All laws of codecs. Raises AssertionError, with a sentence, for the first that the row breaks."""
    for law in LAWS:
        law(row)


def _smooth(height: int, width: int) -> Pixels:
    rows, cols = np.mgrid[:height, :width]
    waves = (100 * np.sin(rows / 9), 100 * np.cos(cols / 7), 60 * np.sin((rows + cols) / 11))
    return np.stack([128 + wave for wave in np.broadcast_arrays(*waves)], -1).astype(np.uint8)


def _pictures() -> Iterator[Pixels]:
    return (_smooth(*shape) for shape in SHAPES)


def _refused(action: Callable[[], object]) -> bool:
    try:
        action()
    except NotAnAtlas:
        return True
    return False
