"""The known pictures show what they say they show, and follow from their seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from layerscope.known.canvas import Plant, PlantedCanvas, colour_paint
from layerscope.known.patterns import COLOURS, SHAPES, STROKES, THINGS
from layerscope.known.pictures import SIDE, planted, write_pictures

GRAY = np.full((32, 32, 3), 0.5)


@pytest.fixture(scope="module")
def pictures():
    return planted(seed=3, count=64)


def test_the_seed_says_it_all(pictures):
    """The same seed gives the same pictures, however many; another seed gives others."""
    again = planted(seed=3, count=5)
    for one, other in zip(pictures, again, strict=False):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        assert one.plants == other.plants
    assert not np.array_equal(planted(seed=4, count=1)[0].pixels, again[0].pixels)


def test_no_two_pictures_are_alike(pictures):
    """Place, colour and background vary from picture to picture."""
    assert len({drawn.pixels.tobytes() for drawn in pictures}) == len(pictures)


def test_every_pattern_is_planted_somewhere(pictures):
    """64 pictures show every stroke, shape and thing."""
    names = {plant.name for drawn in pictures for plant in drawn.plants}
    assert names == {*STROKES, *SHAPES, *THINGS}


def test_what_is_planted_lies_in_the_picture(pictures):
    """A pattern's centre is inside, far enough from the border to be seen."""
    for plant in (plant for drawn in pictures for plant in drawn.plants):
        assert min(plant.row, plant.col) >= 3 and max(plant.row, plant.col) <= SIDE - 4


def test_the_folder_holds_the_same_pictures(tmp_path):
    """Written and read again, class by class, the px and the labels are the same."""
    drawn = write_pictures(tmp_path, count=6, seed=3)
    for index, one in enumerate(drawn):
        with Image.open(tmp_path / one.label / f"{index:04d}.png") as image:
            np.testing.assert_array_equal(np.asarray(image), one.pixels)
    assert len(list(tmp_path.rglob("*.png"))) == 6


@given(angle=st.sampled_from([0, 45, 90, 135, 30]), along=st.floats(-5, 5), off=st.floats(0, 4))
def test_distance_from_a_line_is_measured_across_it(angle, along, off):
    """Beside a line, the distance is how far beside; beyond its end, how far from the end."""
    turn = np.radians(angle)
    ahead, aside = np.array([-np.sin(turn), np.cos(turn)]), np.array([np.cos(turn), np.sin(turn)])
    line = Plant(name="light line at 0 degrees", row=10, col=10, size=10, angle=angle)
    assert line.distance(*(10 + along * ahead + off * aside)) == pytest.approx(off, abs=1e-9)
    assert line.distance(*(10 + 8 * ahead)) == pytest.approx(3)


@pytest.mark.parametrize("colour", COLOURS)
def test_a_spot_has_its_colour_at_its_centre_and_nothing_far_away(colour):
    """The paint reaches the px it should, and the background stays elsewhere."""
    canvas = PlantedCanvas(GRAY)
    canvas.spot(12, 20, 4, colour, 1)
    pixels = canvas.pixels()
    np.testing.assert_allclose(pixels[12, 20] / 255, colour_paint(colour, 1), atol=1 / 255)
    rows, cols = np.mgrid[:32, :32]
    assert (pixels[np.hypot(rows - 12, cols - 20) > 6] == 128).all()


def test_a_line_is_drawn_where_it_is_planted():
    """The centre of mass of what was drawn is the plant's place, to a quarter of a px."""
    canvas = PlantedCanvas(GRAY)
    canvas.line(14, 17, 22.5, 12, 2.5, "light", (1, 1, 1))
    drawn = canvas.pixels()[..., 0].astype(float) - 128
    rows, cols = np.mgrid[:32, :32]
    plant = canvas.plants[0]
    assert plant.name == "light line at 22.5 degrees"
    assert (rows * drawn).sum() / drawn.sum() == pytest.approx(plant.row, abs=0.25)
    assert (cols * drawn).sum() / drawn.sum() == pytest.approx(plant.col, abs=0.25)
