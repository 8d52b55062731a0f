"""Pictures as text for a terminal are the pictures: known answers, and what independent readers make of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.cli.forms import half_blocks, kitty, nearest, nothing
from layerscope.cli.sixels import sixels
from layerscope.cli.terminal import ALL_COLOURS
from layerscope.core.picture_forms import PICTURE_FORMS
from tests.helpers.screens import palette, read_blocks, read_kitty, read_sixels

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def drawn(rows: list[list[tuple[int, int, int] | None]]) -> np.ndarray:
    """Px with their colours, None for nothing."""
    return np.array([[(0, 0, 0, 0) if px is None else (*px, 255) for px in row] for row in rows], np.uint8)


def noise(height: int, width: int, seed: int, holes: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (height, width, 4), np.uint8)
    picture[..., 3] = 255
    picture[rng.random((height, width)) < holes] = 0
    return picture


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            [[RED, GREEN], [BLUE, WHITE]],
            "\x1b[38;2;255;0;0;48;2;0;0;255m▀\x1b[38;2;0;255;0;48;2;255;255;255m▀\x1b[0m",
        ),
        ([[RED, RED], [BLUE, BLUE]], "\x1b[38;2;255;0;0;48;2;0;0;255m▀▀\x1b[0m"),
        ([[RED, None], [None, RED]], "\x1b[38;2;255;0;0m▀▄\x1b[0m"),
        ([[RED]], "\x1b[38;2;255;0;0m▀\x1b[0m"),
        ([[None, RED], [None, RED]], " \x1b[38;2;255;0;0;48;2;255;0;0m▀\x1b[0m"),
        ([[RED, None, RED], [BLUE, None, RED]],
         "\x1b[38;2;255;0;0;48;2;0;0;255m▀\x1b[49m \x1b[48;2;255;0;0m▀\x1b[0m"),
        ([[None], [None]], ""),
    ],
)  # fmt: skip
def test_half_blocks_by_hand(rows, text):
    """A 2 x 2 picture, two alike, halves alone, an odd row, a gap between: a colour is said where it changes."""
    assert half_blocks(drawn(rows), ALL_COLOURS) == text


@pytest.mark.parametrize("holes", [0.0, 0.3])
def test_half_blocks_are_the_picture(holes):
    """In 24 bits every px comes back as it was, and where none was the ground shows."""
    picture = noise(9, 11, 0, holes)
    found = read_blocks(half_blocks(picture, ALL_COLOURS))
    np.testing.assert_array_equal(found[:9, :11], picture)
    assert not found[9:].any()


def test_256_colours_are_the_nearest():
    """Of each px the nearest of the 240 that no user changes, found by trying all of them."""
    picture = noise(8, 8, 1)
    every = np.array([palette(number) for number in range(16, 256)])
    wide = picture[..., :3].astype(int)
    off = ((every - wide[:, :, None]) ** 2).sum(-1)
    found = read_blocks(half_blocks(picture, 256))[..., :3].astype(int)
    np.testing.assert_array_equal(((found - wide) ** 2).sum(-1), off.min(-1))
    assert nearest(np.array([[RED, WHITE, (128, 128, 128)]], np.uint8)).tolist() == [[196, 231, 244]]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 10**6))
def test_kitty_holds_the_picture(height, width, seed):
    """What kitty decodes is every px, in chunks of at most 4,096 bytes."""
    picture = noise(height, width, seed, 0.2)
    np.testing.assert_array_equal(read_kitty(kitty(picture, 0)), picture)


def test_sixels_by_hand():
    """A red column of two px beside a hole, in a picture of seven rows: bits from the top, a new band for the last."""
    picture = np.zeros((7, 5, 4), np.uint8)
    picture[:2, :4] = picture[6, 0] = (*RED, 255)
    text = sixels(picture, 0)
    number = text.partition("#")[2].partition(";")[0]
    assert text == f'\x1bP0;1;0q"1;1;5;7#{number};2;100;0;0#{number}!4B-#{number}@\x1b\\'


@pytest.mark.parametrize("shape", [(1, 1), (6, 8), (13, 30)])
def test_sixels_are_the_picture(shape):
    """Where a picture has few colours each px comes back, to the hundredth in which colours are told."""
    rng = np.random.default_rng(2)
    colours = rng.integers(0, 256, (40, 3), np.uint8)
    picture = np.concatenate([colours[rng.integers(0, 40, shape)], np.full((*shape, 1), 255, np.uint8)], -1)
    picture[rng.random(shape) < 0.2] = 0
    found = read_sixels(sixels(picture, 0))
    np.testing.assert_array_equal(found[..., 3], picture[..., 3])
    assert np.abs(found.astype(int) - picture)[..., :3].max() <= 2


def test_sixels_of_many_colours_are_near():
    """A photograph's colours are reduced to 128, and what comes back is like it."""
    rows, cols = np.mgrid[:60, :80]
    picture = np.stack([rows * 4, cols * 3, (rows + cols) % 256, np.full_like(rows, 255)], -1).astype(np.uint8)
    found = read_sixels(sixels(picture, 0))
    assert np.abs(found.astype(int) - picture).mean() < 12


def test_every_form_is_a_row():
    """Each draws a picture into text, but for that which draws none."""
    picture = noise(4, 4, 0)
    assert PICTURE_FORMS.names[:4] == ("blocks", "kitty", "sixel", "none")
    texts = {name: PICTURE_FORMS[name].encode(picture, ALL_COLOURS) for name in ("blocks", "kitty", "sixel", "none")}
    assert [name for name, text in texts.items() if not text] == ["none"]
    assert texts["none"] == nothing(picture, 0)
