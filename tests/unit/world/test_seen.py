"""Edges and colours are told from pixels, whoever drew them."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from layerscope.world.colours import colour_names
from layerscope.world.concepts import COLOURS, EDGE_ANGLES
from layerscope.world.seen import colours, edges


def half_plane(angle: float, light: int = 200, dark: int = 60) -> np.ndarray:
    """A straight edge through the middle that runs in a direction, counter-clockwise from the right, as seen."""
    rows, cols = np.mgrid[:64, :64] - 31.5
    along = np.radians(angle)
    beside = cols * np.sin(along) + rows * np.cos(along)
    share = (beside + 0.5).clip(0, 1)[..., None]
    return (dark + share * (light - dark)).repeat(3, 2).round().astype(np.uint8)


@pytest.mark.parametrize("angle", EDGE_ANGLES)
@pytest.mark.parametrize("off", [-8, 0, 8])
def test_an_edge_is_marked_by_its_direction(angle, off):
    """Within 8 degrees, in a band of about 3 px along the whole edge, and in no other mask."""
    found = edges(half_plane(angle + off)).masks
    place = EDGE_ANGLES.index(angle)
    assert found[place].sum() > 100
    assert found.sum() - found[place].sum() < 12
    rows, cols = np.nonzero(found[place])
    along = np.radians(angle + off)
    beside = np.abs((cols - 31.5) * np.sin(along) + (rows - 31.5) * np.cos(along))
    assert beside.max() < 2.6


@pytest.mark.parametrize("angle", EDGE_ANGLES)
def test_a_planted_line_is_marked_by_its_direction(angle):
    """A line of 2 px is an edge of its direction, whether light or dark."""
    step = 25 * np.exp(-1j * np.radians(angle))
    for ground, ink in ((60, 200), (200, 60)):
        picture = Image.new("RGB", (256, 256), (ground,) * 3)
        ends = [(128 + 4 * way * step.real, 128 + 4 * way * step.imag) for way in (-1, 1)]
        ImageDraw.Draw(picture).line(ends, (ink,) * 3, 8)
        found = edges(np.asarray(picture.resize((64, 64), Image.Resampling.BOX))).masks
        assert found.sum((1, 2)).argmax() == EDGE_ANGLES.index(angle)


def test_edges_of_colour_alone_are_edges():
    """Red beside green of the same brightness."""
    pixels = np.full((64, 64, 3), (200, 40, 40), np.uint8)
    pixels[:, 32:] = (30, 118, 30)
    assert edges(pixels).masks[EDGE_ANGLES.index(90)][10:50, 31:33].all()


def test_a_plain_picture_has_no_edges():
    """Neither has one whose brightness changes slowly."""
    slow = np.broadcast_to(np.linspace(60, 200, 64)[None, :, None], (64, 64, 3)).round().astype(np.uint8)
    assert not edges(np.full((64, 64, 3), 90, np.uint8)).masks.any()
    assert not edges(slow).masks.any()


@pytest.mark.parametrize(
    ("rgb", "name"),
    [((0, 0, 0), "black"), ((128, 128, 128), "gray"), ((255, 255, 255), "white"), ((255, 0, 0), "red"),
     ((255, 140, 0), "orange"), ((139, 69, 19), "brown"), ((255, 255, 0), "yellow"), ((0, 128, 0), "green"),
     ((0, 0, 255), "blue"), ((128, 0, 128), "purple"), ((255, 192, 203), "pink"), ((70, 130, 180), "blue"),
     ((34, 139, 34), "green"), ((178, 34, 34), "red")],
)  # fmt: skip
def test_well_known_colours_bear_their_names(rgb, name):
    """The names that CSS gives them."""
    assert COLOURS[int(colour_names(np.array([[rgb]], np.uint8))[0, 0])] == name


def test_a_single_pixel_is_no_region_of_colour():
    """A colour needs company."""
    pixels = np.full((64, 64, 3), 255, np.uint8)
    pixels[30, 30] = (255, 0, 0)
    pixels[40:43, 40:43] = (255, 0, 0)
    red = colours(pixels)[COLOURS.index("red")]
    assert not red[30, 30] and red[41, 41]
