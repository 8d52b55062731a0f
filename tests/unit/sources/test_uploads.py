import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from layerscope.core.errors import ImageError
from layerscope.core.records import Input
from layerscope.sources.decode import decode
from layerscope.sources.uploads import read_upload

INPUT = Input(height=16, width=16)
LIMITS = {"most_bytes": 64 * 1024, "most_px": 10_000}


def claiming(width, height):
    """A PNG file of a few bytes whose header claims this size."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_sound_picture_is_decoded_as_a_sources(draw, encode, format, orientation):
    """The same px, upright by the same rule."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    encoded = encode(draw(1), format, exif=exif)
    assert np.array_equal(np.asarray(read_upload(encoded, INPUT, **LIMITS)), np.asarray(decode(encoded)))


@pytest.mark.parametrize("format", ["GIF", "WEBP", "BMP", "TIFF"])
def test_other_formats_are_refused(draw, encode, format):
    """Sound pictures of formats that sources take, whatever their name was."""
    with pytest.raises(ImageError, match="neither a JPEG nor a PNG"):
        read_upload(encode(draw(2), format), INPUT, **LIMITS)


@pytest.mark.parametrize("encoded", [b"", b"GIF89a", b"<svg/>", b"\xff\xd8", b"%PDF-1.7"])
def test_what_is_no_picture_is_refused(encoded):
    """Nothing at all, and the beginnings of other files."""
    with pytest.raises(ImageError, match="neither a JPEG nor a PNG"):
        read_upload(encoded, INPUT, **LIMITS)


def test_the_bound_on_bytes_is_exact(draw, encode):
    """One byte more is refused, and the sentence says how much is taken."""
    encoded = encode(draw(3))
    assert read_upload(encoded, INPUT, most_bytes=len(encoded), most_px=10_000).size == (32, 24)
    with pytest.raises(ImageError, match="KiB"):
        read_upload(encoded, INPUT, most_bytes=len(encoded) - 1, most_px=10_000)


def test_the_bounds_on_px_are_exact(draw, encode):
    """Of the whole picture and of its longer side."""
    encoded = encode(draw(4))
    for fits in ({"most_px": 32 * 24}, {"most_px": 10_000, "most_side": 32}):
        assert read_upload(encoded, INPUT, most_bytes=64 * 1024, **fits).size == (32, 24)
    for short in ({"most_px": 32 * 24 - 1}, {"most_px": 10_000, "most_side": 31}):
        with pytest.raises(ImageError, match="32 x 24 px"):
            read_upload(encoded, INPUT, most_bytes=64 * 1024, **short)


@pytest.mark.parametrize("size", [(50_000, 50_000), (12_000, 12_000), (2**31 - 1, 2)])
def test_a_bomb_is_refused_by_its_header(size):
    """Before a px is decoded, and without Pillow's warning, which would be turned off after the first."""
    with warnings.catch_warnings(), pytest.raises(ImageError, match="px"):
        warnings.simplefilter("error")
        read_upload(claiming(*size), INPUT, most_bytes=64 * 1024, most_px=16_000_000)


def test_a_sliver_is_refused(draw, encode):
    """Few px that would be resized to many: the short side is brought to the network's."""
    with pytest.raises(ImageError, match=r"too narrow: 600 x 1 px would be resized to 9600 x 16 px"):
        read_upload(encode(draw(5, 1, 600)), INPUT, most_bytes=64 * 1024, most_px=100_000)


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
@given(data=st.data())
def test_damaged_bytes_are_a_picture_or_one_sentence(format, data):
    """Cut short, or with any byte changed: never another error, never a hang."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)).save(file, format)
    damaged = bytearray(file.getvalue())
    damaged[data.draw(st.integers(0, min(len(damaged), 200) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
    try:
        assert read_upload(damaged, INPUT, **LIMITS).size[0] > 0
    except ImageError as error:
        assert "\n" not in str(error)
