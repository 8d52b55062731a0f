"""A scene drawn again: only what was taken out is missing, and what stands alone is what was there."""

import numpy as np
import pytest

from layerscope.core.again import DrawnAgain, DrawnPicture
from layerscope.core.geometry import Box
from layerscope.world import CLASSES, World
from layerscope.world.colours import lab, named, other_colour
from layerscope.world.concepts import PLACE
from layerscope.world.seen import edges

COUNT = 16


@pytest.fixture(scope="module")
def world() -> World:
    return World(COUNT, seed=3)


@pytest.fixture(scope="module")
def pictures(world):
    return [world.again(image) for image in range(COUNT)]


def far_from(mask: np.ndarray, px: int) -> np.ndarray:
    """Where a mask holds nothing within so many px."""
    around, side = np.pad(mask, px), len(mask)
    steps = range(2 * px + 1)
    return ~np.logical_or.reduce([around[row : row + side, col : col + side] for row in steps for col in steps])


def test_a_world_can_be_drawn_again(world, pictures):
    """It is what the interventions ask for, and its pictures are those that it always drew."""
    for image, picture in enumerate(pictures):
        np.testing.assert_array_equal(picture.pixels, np.asarray(world[image][0]))
    assert isinstance(world, DrawnAgain) and isinstance(pictures[0], DrawnPicture)


def test_without_a_class_all_else_stays(world, pictures):
    """Far from the object's mask nothing changes but a few px of lines thinner than a mask sees; no chance is taken."""
    for image, picture in enumerate(pictures):
        name = world[image][1]
        mask = world.masks(image)[PLACE[name]]
        state = picture.canvas.random.getstate()
        taken = picture.without([PLACE[name]])
        assert picture.canvas.random.getstate() == state
        changed = (taken.pixels != picture.pixels).any(2)
        assert changed[far_from(mask, 3)].sum() <= 0.02 * mask.sum()
        assert changed.sum() > 0.5 * mask.sum()
        assert taken.size > 0.5 * mask.sum()


def test_a_part_goes_with_its_thing_and_not_the_other_way_round(pictures):
    """A face alone shows its eyes, an eye alone no face; without faces more px change than without eyes."""
    face, eye = PLACE["face"], PLACE["eye"]
    both = [one for one in pictures if {face, eye} <= set(one.removable)]
    assert both
    for picture in both:
        assert picture.without([face]).size > 0
        assert eye in picture.alone(face).shown and face not in picture.alone(eye).shown


def test_alone_there_is_plain_ground_around(world, pictures):
    """A class alone: far from its mask no edge is seen but of such lines, and no other class."""
    for image, picture in enumerate(pictures):
        name = world[image][1]
        mask = world.masks(image)[PLACE[name]]
        alone = picture.alone(PLACE[name])
        found = np.logical_or.reduce(edges(alone.pixels).masks)
        assert found[far_from(mask, 4)].sum() <= 0.02 * mask.sum()
        assert not {PLACE[other] for other in CLASSES if other != name} & alone.shown


def test_a_gradient_becomes_plain_and_a_colour_another_one(pictures):
    """Where they are taken out they are seen no more, or far less."""
    for name in ("gradient", "red", "blue"):
        place = PLACE[name]
        for picture in (one for one in pictures if place in one.removable):
            taken = picture.without([place])
            assert taken.size > 0
            assert not np.array_equal(taken.pixels, picture.pixels)


def test_something_else_of_the_size_lies_apart(pictures):
    """For most concepts of most pictures there is something that shares hardly a px with them and is as large."""
    alike, some = 0, pictures[:4]
    for picture in some:
        for place in picture.removable:
            taken = picture.without([place])
            every = picture.instead(place, taken.size)
            alike += any(taken.is_control(picture.without(others)) for others in every)
            assert all(place not in others for others in every)
    assert alike > 6 * len(some)


@pytest.mark.parametrize("colour", [(200, 30, 40), (250, 250, 250), (5, 5, 5), (120, 120, 120), (30, 80, 200)])
def test_another_colour_has_another_name(colour):
    """It lies well apart, and as near in lightness as one of another name can."""
    instead = other_colour(colour)
    values = lab(np.array([colour, instead], np.uint8))
    assert named(instead) != named(colour)
    assert np.linalg.norm(values[0] - values[1]) >= 40
    assert abs(values[0, 0] - values[1, 0]) < 25


def test_edges_and_corners_cannot_be_taken_out(world, pictures):
    """No picture offers them, and a sentence says why."""
    places = {PLACE[name] for name in world.fixed}
    assert {"corner", "edge 0", "edge 90"} <= set(world.fixed) and len(places) == 9
    assert not any(places & set(picture.removable) for picture in pictures)


def test_the_kind_of_a_place_is_its_outermost_thing(world, pictures):
    """In the middle of a large object its class is told, whatever it is made of."""
    hits = 0
    for image, picture in enumerate(pictures):
        name = world[image][1]
        rows, cols = np.nonzero(world.masks(image)[PLACE[name]])
        middle = int(np.median(rows)), int(np.median(cols))
        hits += (
            picture.kind(Box(top=middle[0] - 4, left=middle[1] - 4, bottom=middle[0] + 5, right=middle[1] + 5)) == name
        )
    assert hits > 0.7 * COUNT
    assert pictures[0].kind(Box(top=-90, left=-90, bottom=-80, right=-80))
