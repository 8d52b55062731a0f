"""Filters set by hand give back the direction, frequency and colours that they were made with."""

import numpy as np
import pytest

from layerscope.dissect.describe import ORIENTED_FILTER
from layerscope.dissect.filters import angle_of, filter_sight, hues

COLOURS = {
    "gray": (1.0, 1.0, 1.0),
    "blue against yellow": (-0.5, -0.5, 1.0),
    "green against magenta": (-0.5, 1.0, -0.5),
    "red against green": (1.0, -1.0, 0.0),
}


def centred(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of a square, counted from its middle."""
    rows, cols = np.mgrid[:side, :side] - (side - 1) / 2
    return rows, cols


def gabor(angle: float, frequency: float, *, edge: bool = False, side: int = 11, width: float = 2.2) -> np.ndarray:
    """A line (light, dark on both sides) or an edge at an angle, degrees as seen, counter-clockwise from the right."""
    rows, cols = centred(side)
    turned = np.radians(angle)
    # The way across the line: a quarter turn from it; rows run downwards.
    across = rows * np.cos(turned) + cols * np.sin(turned)
    wave = (np.sin if edge else np.cos)(2 * np.pi * frequency * across)
    return wave * np.exp(-(rows**2 + cols**2) / (2 * width**2))


def blob(side: int = 7, width: float = 1.4) -> np.ndarray:
    rows, cols = centred(side)
    return np.exp(-(rows**2 + cols**2) / (2 * width**2))


def coloured(one: np.ndarray, colour: str = "gray") -> np.ndarray:
    return np.array(COLOURS[colour])[:, None, None] * one


def test_minus_45_falls_to_the_right():
    """The convention by a picture: a line of px from the upper left to the lower right is at -45 degrees."""
    falling = np.eye(7) - 0.5 * np.eye(7, k=1) - 0.5 * np.eye(7, k=-1)
    assert filter_sight(falling[None]).angle == pytest.approx(-45)
    assert filter_sight(falling[None, ::-1]).angle == pytest.approx(45)


@pytest.mark.parametrize("angle", [-67.5, -45, -20, 0, 30, 45, 77, 90])
@pytest.mark.parametrize("edge", [False, True])
def test_direction_frequency_and_symmetry(angle, edge):
    """A Gabor filter's angle comes back within a degree or two, its frequency within 0.015, and line or edge."""
    seen = filter_sight(coloured(gabor(angle, 0.18, edge=edge)))
    turn = np.exp(2j * np.radians(seen.angle - angle))
    assert abs(np.degrees(np.angle(turn)) / 2) < 1.5
    assert seen.frequency == pytest.approx(0.18, abs=0.015)
    assert seen.oriented > 0.8
    assert (seen.even > 0.9) != edge and (seen.even < 0.1) == edge
    assert seen.chroma == pytest.approx(0, abs=1e-9) and seen.colour == ""


@pytest.mark.parametrize("frequency", [0.1, 0.2, 0.3, 0.4])
def test_frequency(frequency):
    """Where the spectrum is highest is where it was put."""
    assert filter_sight(coloured(gabor(25, frequency, side=15, width=3.5))).frequency == pytest.approx(
        frequency, abs=0.012
    )


def test_noise_has_no_direction():
    """White noise stays below the bar from which on a filter is called oriented."""
    rng = np.random.default_rng(0)
    assert max(filter_sight(rng.normal(size=(3, 7, 7))).oriented for _ in range(20)) < ORIENTED_FILTER


@pytest.mark.parametrize("colour", [name for name in COLOURS if name != "gray"])
def test_opponent_colours(colour):
    """A blob's colour is what it likes in its middle; turned over, it likes the opponent."""
    first, _, second = colour.partition(" against ")
    seen, turned = filter_sight(coloured(blob(), colour)), filter_sight(-coloured(blob(), colour))
    assert (seen.colour, seen.opponent) == (first, second) == (turned.opponent, turned.colour)
    assert seen.chroma == pytest.approx(1)
    assert seen.oriented < 0.01


def test_light_and_dark():
    """Whether the middle likes light, of blobs and of lines."""
    for one in (blob(), gabor(60, 0.2)):
        assert filter_sight(coloured(one)).light
        assert not filter_sight(-coloured(one)).light


def test_uniform_filters():
    """A filter without a shape holds all of its energy in its mean, and waves at no frequency."""
    seen = filter_sight(coloured(np.ones((5, 5)), "blue against yellow"))
    assert seen.uniform == pytest.approx(1) and seen.frequency == 0 and seen.oriented < 1e-6


def test_a_filter_of_zeros():
    """A filter that was never set likes nothing, and does not fail."""
    seen = filter_sight(np.zeros((3, 5, 5)))
    assert (seen.oriented, seen.chroma, seen.frequency, seen.even, seen.colour) == (0, 0, 0, 0, "")


def test_chroma_is_the_share_that_tells_colours_apart():
    """A third of the energy of a filter of red alone is gray."""
    assert filter_sight(np.stack([blob(), 0 * blob(), 0 * blob()])).chroma == pytest.approx(2 / 3)


def test_every_hue_has_an_opponent():
    """The opposite axis has the names the other way round."""
    for turn in np.radians(range(0, 360, 10)):
        axis = np.cos(turn - np.radians([0, 120, 240]))
        assert hues(axis) == hues(-axis)[::-1]


def test_vertical_is_90():
    """-90 and 90 are one line, called 90."""
    assert angle_of(complex(-1, 0.0)) == angle_of(complex(-1, -1e-17)) == 90
