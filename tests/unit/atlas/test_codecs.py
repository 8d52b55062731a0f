"""Codecs keep pixels as well as they promise; the grid of tiles can be cut again."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from layerscope.atlas.codecs import cut, decode, encode, grid
from layerscope.core.codecs import BLANK, CODECS, FEW_PX, JPEG_QUALITIES, SHOWS
from layerscope.core.errors import NotAnAtlas, UsageError
from layerscope.core.settings import VIEWS

EXACT = ("png", "webp-lossless")


@given(
    tiles=st.tuples(st.integers(1, 17), st.integers(1, 9), st.integers(1, 9)).flatmap(
        lambda size: arrays.arrays(np.uint8, (*size, 3))
    )
)
def test_cutting_undoes_the_grid(tiles):
    """cut(grid(tiles), k) == tiles; the grid has ceil(sqrt(k)) columns and is mid-gray where no tile is."""
    k, height, width, _ = tiles.shape
    sheet = grid(tiles)
    columns = math.ceil(math.sqrt(k))
    assert sheet.shape == (math.ceil(k / columns) * height, columns * width, 3)
    assert np.array_equal(cut(sheet, k), tiles)
    blanks = math.ceil(k / columns) * columns - k
    assert np.all(cut(sheet, k + blanks)[k:] == BLANK)


def test_tiles_lie_in_reading_order():
    """The best peak is top left, the second right of it."""
    sheet = grid(np.arange(4, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3))
    assert sheet[:, :, 0].tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize("codec", EXACT)
@given(pixels=arrays.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3))))
def test_lossless_codecs_give_back_every_pixel(codec, pixels):
    """decode(encode(x)) == x."""
    assert np.array_equal(decode(encode(pixels, codec), codec), pixels)


@pytest.mark.parametrize("codec", CODECS.own)
@pytest.mark.parametrize("side", [8, 24, 95, 288])
def test_a_signal_of_zero_stays_zero(codec, side):
    """Flat mid-gray comes back within one level, at any size."""
    flat = np.full((side, side, 3), BLANK, np.uint8)
    assert np.abs(decode(encode(flat, codec), codec).astype(int) - BLANK).max() <= 1


@pytest.mark.parametrize(("codec", "error"), [("jpeg", 4), ("webp", 6)])
def test_lossy_codecs_stay_near(codec, error):
    """A smooth picture comes back with a root mean square error of a few levels."""
    rows, cols = np.mgrid[:96, :96]
    smooth = np.stack([128 + 100 * np.sin(rows / 9), 128 + 100 * np.cos(cols / 7), (rows + cols) * 1.0], -1)
    pixels = smooth.astype(np.uint8)
    difference = decode(encode(pixels, codec), codec).astype(float) - pixels
    assert math.sqrt((difference**2).mean()) < error


@pytest.mark.parametrize("shows", JPEG_QUALITIES)
@pytest.mark.parametrize("side", [32, 160])
def test_jpeg_keeps_the_resolution_of_colours(shows, side):
    """Red and green that alternate from column to column stay apart: chroma is not subsampled."""
    pixels = np.zeros((side, side, 3), np.uint8)
    pixels[:, ::2, 0] = pixels[:, 1::2, 1] = 200
    seen = decode(encode(pixels, "jpeg", shows=shows), "jpeg").astype(int)
    assert (seen[:, ::2, 0] - seen[:, 1::2, 0]).mean() > 120


def test_every_kind_of_picture_has_its_quality():
    """Patches, each view, and thumbnails; the forecast knows the bytes of each, by each codec of ours."""
    assert set(SHOWS) == set(JPEG_QUALITIES) == {"patches", *VIEWS, "picture"}
    assert all(set(row.bytes_per_px) == set(SHOWS) for row in CODECS.own.values())


def test_a_signal_takes_fewer_bytes_than_a_patch_of_the_same_pixels():
    """It is kept less exactly, unless it is small: then all are kept alike, and better."""
    noise = np.random.default_rng(0).normal(BLANK, 40, (192, 192, 3)).clip(0, 255).astype(np.uint8)
    sizes = {shows: len(encode(noise, shows=shows)) for shows in JPEG_QUALITIES}
    assert sizes["signal"] < sizes["natural"] < sizes["patches"] == sizes["picture"]
    side = math.isqrt(FEW_PX)
    small = {encode(noise[:side, :side], shows=shows) for shows in JPEG_QUALITIES}
    assert len(small) == 1 and len(encode(noise[: side + 1, :side], shows="patches")) < len(small.pop())


def test_faint_structure_of_a_signal_stays():
    """A thin line of a tenth of the scale is still there at the quality of signals, and what is empty stays empty."""
    pixels = np.full((192, 192, 3), BLANK, np.uint8)
    pixels[50, 8:184] = BLANK + 13
    seen = decode(encode(pixels, shows="signal"), "jpeg").astype(int)
    assert (seen[50, 8:184] - seen[46, 8:184]).mean() > 6
    assert (seen[100:] == BLANK).all()


def test_only_the_named_format_is_decoded():
    """Bytes of another format than the row's codec are refused, whatever Pillow could do with them."""
    pixels = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(NotAnAtlas, match="damaged: its jpeg bytes"):
        decode(encode(pixels, "png"), "jpeg")


@pytest.mark.parametrize("codec", CODECS.own)
@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.9])
def test_damaged_pictures_are_refused(codec, keep):
    """Truncated bytes give one sentence, not a half-gray picture."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encode(noise, codec)
    with pytest.raises(NotAnAtlas, match=f"its {codec} bytes cannot be decoded"):
        decode(data[: int(keep * len(data)) if keep < 1 else keep], codec)


def test_unknown_codecs_are_named():
    """A codec without a row is the caller's mistake when writing, the file's when reading."""
    with pytest.raises(UsageError, match='codec "gif" is not known; choose one of jpeg'):
        encode(np.zeros((1, 1, 3), np.uint8), "gif")
    with pytest.raises(NotAnAtlas, match='stored as "gif"'):
        decode(b"GIF89a", "gif")
