"""The known network's filters have the symmetries of what they detect."""

import numpy as np
import pytest

from layerscope.known import filters
from layerscope.known.patterns import ANGLES, COLOURS, RINGS, SHAPES, STROKES, THINGS, UNIT_NAMES, line_name, toward

SHAPE_FILTERS = filters.shape_filters()


def turned(weights: np.ndarray) -> np.ndarray:
    """A shape's filter, turned a quarter counter-clockwise: places and the angles of lines alike."""
    places = np.rot90(weights, axes=(1, 2))
    lines = places[:16].reshape(2, 8, *places.shape[1:])
    return np.concatenate([np.roll(lines, 4, axis=1).reshape(16, *places.shape[1:]), places[16:]])


def test_every_filter_has_a_name_and_no_name_is_used_twice():
    """Units and names match one to one, in every layer."""
    made = [filters.stroke_filters(), SHAPE_FILTERS, filters.thing_filters()]
    assert [len(weights) for weights in made] == [len(names) for names in UNIT_NAMES.values()]
    assert all(len(set(names)) == len(names) for names in UNIT_NAMES.values())


@pytest.mark.parametrize("angle", ANGLES)
def test_a_line_is_blind_to_flat_colour(angle):
    """A line's filter sums to zero, and looks the same after half a turn."""
    weights = filters.line(angle)
    assert abs(weights.sum()) < 1e-12
    np.testing.assert_allclose(weights, np.rot90(weights, 2), atol=1e-12)


@pytest.mark.parametrize("angle", ANGLES[:4])
def test_a_quarter_turn_of_a_line_is_the_line_90_degrees_on(angle):
    """Angles count counter-clockwise, as seen."""
    np.testing.assert_allclose(np.rot90(filters.line(angle)), filters.line(angle + 90), atol=1e-12)


def test_light_and_dark_are_opposites():
    """The dark lines' filters are the light ones' negatives."""
    weights = filters.stroke_filters()
    np.testing.assert_array_equal(weights[:8], -weights[8:16])


@pytest.mark.parametrize("colour", [name for name in COLOURS if name not in ("black", "white")])
def test_a_colour_is_blind_to_gray(colour):
    """A colour's channels sum to zero at every px, and its own colour excites it more than any other."""
    weights = filters.blob(colour)
    np.testing.assert_allclose(weights.sum(0), 0, atol=1e-12)
    excitement = {name: float(weights.sum((1, 2)) @ np.array(channels)) for name, channels in COLOURS.items()}
    assert max(excitement, key=lambda name: excitement[name]) == colour


@pytest.mark.parametrize(
    ("shape", "after"),
    [
        ("upright cross", "upright cross"),
        ("diagonal cross", "diagonal cross"),
        *((ring, ring) for ring in RINGS),
        ("corner, arms right and down", "corner, arms right and up"),
        ("corner, arms right and up", "corner, arms left and up"),
        ("corner pointing up", "corner pointing left"),
        ("corner pointing left", "corner pointing down"),
        ("horizontal stripes", "vertical stripes"),
        ("stripes rising to the right", "stripes falling to the right"),
    ],
)
def test_a_quarter_turn_of_a_shape_is_the_shape_of_that_name(shape, after):
    """Names of shapes mean what a reader sees."""
    np.testing.assert_allclose(
        turned(SHAPE_FILTERS[SHAPES.index(shape)]), SHAPE_FILTERS[SHAPES.index(after)], atol=1e-6
    )


def test_a_square_wants_its_corners_and_no_cross():
    """A thing's strongest weights stand where its parts are, 4 px a position, and count against what it must not be."""
    weights = filters.thing_filters()[list(THINGS).index("square")]
    middle = filters.THING_SIDE // 2
    for part, row, col in THINGS["square"]:
        kernel = weights[SHAPES.index(part)]
        assert np.unravel_index(kernel.argmax(), kernel.shape) == (middle + row // 4, middle + col // 4)
    assert weights[SHAPES.index("upright cross"), middle, middle] < 0


def test_toward_counts_counter_clockwise_from_the_right():
    """0 degrees is right, 90 is up: a smaller row."""
    np.testing.assert_allclose([toward(0), toward(90, 2), toward(180)], [(0, 1), (-2, 0), (0, -1)], atol=1e-12)
    assert STROKES.index(line_name("light", 225)) == STROKES.index("light line at 45 degrees")
