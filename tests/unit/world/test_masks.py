"""Masks are true: every concept is marked where it is seen, and nowhere else."""

from random import Random

import numpy as np
import pytest

from layerscope.world import CLASSES, CONCEPTS, draw_scene
from layerscope.world.canvas import Canvas, Style
from layerscope.world.colours import Palette, colour_names
from layerscope.world.concepts import COLOURS, PLACE
from layerscope.world.masks import concept_masks
from layerscope.world.outlines import box, ellipse, line
from layerscope.world.patterns import checker, stripes, wheel
from layerscope.world.render import paint

GRAY, RED, BLUE, WHITE = (128, 128, 128), (220, 30, 30), (30, 60, 200), (250, 250, 250)


@pytest.fixture(scope="module")
def scenes():
    """The first pictures of a world, five of each class."""
    return [draw_scene(0, index) for index in range(5 * len(CLASSES))]


def canvas() -> Canvas:
    """A gray picture of 64 px."""
    random = Random(0)
    made = Canvas(64, random, Palette(random))
    made.fill(box(0.5 + 0.5j, 0.6, 0.6), GRAY)
    return made


def masks_of(made: Canvas) -> dict[str, np.ndarray]:
    """The masks of what is painted, by concept."""
    masks = concept_masks(made, np.asarray(paint(made.stamps, made.size)))
    return {name: masks[place] for name, place in PLACE.items()}


def test_every_concept_occurs(scenes):
    """Each of the concepts is seen in some picture."""
    seen = np.any([scene.masks.any((1, 2)) for scene in scenes], axis=0)
    assert [concept.name for concept, here in zip(CONCEPTS, seen, strict=True) if not here] == []


def test_concepts_go_up_by_level():
    """Five levels in order, names that are all different, classes last."""
    levels = [concept.level for concept in CONCEPTS]
    assert levels == sorted(levels) and set(levels) == {1, 2, 3, 4, 5}
    assert len({concept.name for concept in CONCEPTS}) == len(CONCEPTS)
    assert tuple(concept.name for concept in CONCEPTS if concept.level == 5) == CLASSES


def test_the_object_is_marked_and_no_other(scenes):
    """The class's own mask covers a fair part of the picture; no other object's mask holds anything."""
    first = PLACE[CLASSES[0]]
    for scene in scenes:
        sizes = scene.masks[first:].sum((1, 2))
        assert set(np.flatnonzero(sizes)) == {scene.label}
        assert 0.02 * 64**2 < sizes[scene.label] < 0.95 * 64**2


def test_a_pixel_in_a_colours_mask_has_that_colour(scenes):
    """Every pixel is in at most the mask of its own colour, and most pixels are in it."""
    first = PLACE[COLOURS[0]]
    for scene in scenes:
        masks, names = scene.masks[first : first + len(COLOURS)], colour_names(scene.pixels)
        assert all((names[masks[place]] == place).all() for place in range(len(COLOURS)))
        assert masks.any(0).mean() > 0.7


def test_objects_are_made_of_edges(scenes):
    """Along the border of every object that stands out, edges are marked."""
    for scene in scenes:
        assert (scene.masks[:8].any(0) & scene.masks[PLACE[CLASSES[scene.label]]]).any()


def test_wheels_hold_rings(scenes):
    """Where a bicycle's wheels are seen, so is what they are made of: rings, in them and nowhere apart."""
    wheels = [scene for scene in scenes if CLASSES[scene.label] == "bicycle" and scene.masks[PLACE["wheel"]].any()]
    assert len(wheels) >= 4
    assert sum((scene.masks[PLACE["ring"]] & scene.masks[PLACE["wheel"]]).any() for scene in wheels) >= len(wheels) - 1


@pytest.mark.parametrize(
    ("part", "whole"),
    [("muzzle", "dog face"), ("eye", "bird"), ("spiral", "snail"), ("wing", "butterfly"), ("door", "house"),
     ("petal", "flower"), ("fin", "fish"), ("face", "person"), ("rectangle", "keyboard")],
)  # fmt: skip
def test_objects_hold_their_parts(scenes, part, whole):
    """In most pictures of an object the part that makes it is seen inside it."""
    own = [scene for scene in scenes if CLASSES[scene.label] == whole]
    held = [(scene.masks[PLACE[part]] & scene.masks[PLACE[whole]]).any() for scene in own]
    assert np.mean(held) >= 0.6


@pytest.mark.parametrize("part", ["wheel", "eye", "face", "wing", "window", "flower head", "spiral", "text", "leaf"])
def test_parts_occur_by_themselves(scenes, part):
    """Outside of objects, too."""
    assert any((scene.masks[PLACE[part]] & ~scene.masks[-len(CLASSES) :].any(0)).sum() > 20 for scene in scenes)


def test_what_is_painted_over_leaves_no_mask():
    """A disc under a larger one is gone; a disc beside it stays."""
    made = canvas()
    made.disc(0.3 + 0.3j, 0.12, RED)
    made.rectangle(0.3 + 0.3j, 0.2, 0.2, BLUE)
    made.disc(0.75 + 0.75j, 0.12, RED)
    masks = masks_of(made)
    assert not masks["circle"][:32, :32].any() and masks["circle"][48, 48]
    assert masks["rectangle"][19, 19] and not masks["red"][:32, :32].any()


def test_what_belongs_to_a_thing_does_not_hide_its_shapes():
    """A wheel's disc stays a circle under its hub, and a later thing takes its share of both."""
    made = canvas()
    wheel(made, 0.5 + 0.5j, 0.3, RED, BLUE, WHITE)
    made.rectangle(0.5 + 0.95j, 0.4, 0.25, BLUE)
    masks = masks_of(made)
    for name in ("wheel", "circle", "ring"):
        assert masks[name][32, 32] and not masks[name][48, 32]


def test_what_cannot_be_told_from_its_ground_is_no_shape():
    """A gray disc on gray leaves no mask; with a contour it is a circle."""
    made = canvas()
    made.disc(0.3 + 0.3j, 0.15, GRAY)
    with made.drawn(Style(contour=WHITE)):
        made.disc(0.7 + 0.7j, 0.15, GRAY)
    masks = masks_of(made)
    assert not masks["circle"][:32, :32].any() and masks["circle"][44, 44]


def test_a_pattern_ends_at_its_area():
    """Stripes that are cut off at a disc are marked in the disc alone, and painted there alone."""
    made = canvas()
    area = ellipse(0.5 + 0.5j, 0.3)
    stripes(made, area, RED, 0.15, 30)
    masks = masks_of(made)
    assert masks["stripes"][32, 32] and not masks["stripes"][4, 4]
    # Where the disc's edge crosses a pixel, the picture is reddish just outside.
    assert masks["red"].sum() > 200 and (masks["red"] & ~masks["stripes"]).sum() < 30


def test_small_discs_are_dots_and_large_ones_circles():
    """As their size in the picture has it, whatever frame they are painted in."""
    made = canvas()
    with made.frame(0.25 + 0.25j, 0.03):
        made.disc(0, 1, RED)
    with made.frame(0.7 + 0.7j, 0.2):
        made.disc(0, 1, RED)
    masks = masks_of(made)
    assert masks["dot"][16, 16] and not masks["circle"][16, 16]
    assert masks["circle"][44, 44] and not masks["dot"][44, 44]


def test_a_square_has_four_corners():
    """They are marked at its vertices, not along its sides."""
    made = canvas()
    made.rectangle(0.5 + 0.5j, 0.3, 0.3, RED)
    corner = masks_of(made)["corner"]
    assert all(corner[row, col] for row in (13, 50) for col in (13, 50))
    assert not corner[13, 32] and not corner[32, 32]


def test_a_pattern_that_cannot_be_seen_has_no_parts():
    """Squares of the ground's own colour are neither a checker nor corners, even beside what stands out."""
    made = canvas()
    checker(made, box(0.5 + 0.5j, 0.5, 0.5), GRAY, 0.2)
    for row in range(4):
        made.stroke(line(0.1, 0.9) + 0.2j * (row + 1), 0.02, RED)
    masks = masks_of(made)
    assert not masks["checker"].any() and not masks["corner"].any()
