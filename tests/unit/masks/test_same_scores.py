"""The same scenes in every form of masks give the same scores as the drawn world itself: nothing is lost on the way."""

from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.core.concepts import Dissection
from layerscope.core.mask_forms import form_of
from layerscope.dissect import dissect
from layerscope.sources import open_source
from layerscope.world import CONCEPTS
from tests.helpers.masks import OBJECTS, PATTERNS, Chosen, Scenes, write_broden, write_coco, write_folders

SIZE, COUNT = 32, 9
SQUARE = ls.Input(channels=3, height=SIZE, width=SIZE, std=(0.25,) * 3)
# As a picture that is three times as large comes to the same px.
NEAREST = replace(SQUARE, interpolation="nearest")
# Larger than the picture on one side, and cut on the other: masks must be placed as the pictures are.
CUT = ls.Input(channels=3, height=40, width=24, std=(0.25,) * 3, resize=36)


@cache
def scenes() -> Scenes:
    return Scenes(COUNT, SIZE)


@cache
def network(input: ls.Input) -> ls.Network:
    torch.manual_seed(0)
    return ls.trace(nn.Sequential(nn.Conv2d(3, 5, 3, stride=2), nn.ReLU(), nn.Conv2d(5, 4, 3), nn.ReLU()), input)


def found(input: ls.Input, source, masked) -> Dissection:
    net = network(input)
    return dissect(net.program, net.input, [net["1"], net["3"]], source, masked, seed=1)


@cache
def drawn(input: ls.Input, chosen: tuple[int, ...], shown: tuple[int, ...] = tuple(range(len(CONCEPTS)))) -> Dissection:
    """The drawn scenes that show any of some concepts, with the masks of the chosen ones."""
    some = scenes().holding(shown)
    return found(input, open_source(some.pictures), Chosen(some, chosen))


def from_disk(input: ls.Input, path) -> Dissection:
    masked = form_of(path).open(path, None, None)
    return found(input, masked.source, masked)


def numbers(result: Dissection, names: set[str] | None = None) -> list:
    """All that was measured, without what the concepts are listed under; by name, since equal scores have no order."""
    return [
        [sorted((one.concept, one.score, one.iou, one.frequency) for one in unit.ranked) for unit in units]
        for layer in result.layers
        for units in (layer.units, *layer.others.values())
    ]


@pytest.mark.parametrize("input", [SQUARE, CUT], ids=["square", "cut"])
def test_coco_equals_the_world(tmp_path, input):
    """Runs, plain and packed, crowds among them, over two levels of concepts that overlap."""
    chosen = (*OBJECTS, *PATTERNS)
    result = from_disk(input, write_coco(tmp_path / "coco", scenes(), chosen))
    assert numbers(result) == numbers(drawn(input, chosen))
    levels = {one.concept: f"level {concept.level}" for layer in result.layers for unit in layer.units
              for one in unit.ranked for concept in CONCEPTS if concept.name == one.concept}  # fmt: skip
    told = {one.concept: one.category for layer in result.layers for unit in layer.units for one in unit.ranked}
    assert told == levels and all(one.level is None for layer in result.layers for one in layer.units[0].ranked)


@pytest.mark.parametrize("input", [SQUARE, CUT], ids=["square", "cut"])
@pytest.mark.parametrize("form", [{}, {"masks": "annotations", "table": "objectInfo150.txt"}], ids=["plain", "ade20k"])
def test_folders_equal_the_world(tmp_path, input, form):
    """Masks of numbers of 8 and 16 bits and with palettes."""
    result = from_disk(input, write_folders(tmp_path / "folders", scenes(), **form))
    assert numbers(result) == numbers(drawn(input, tuple(OBJECTS)))
    categories = {one.category for layer in result.layers for unit in layer.units for one in unit.ranked}
    assert categories == ({"stuff", "thing"} if form else {""})


@pytest.mark.parametrize(("column", "chosen"), [("object", OBJECTS), ("part", PATTERNS)])
def test_broden_equals_the_world(tmp_path, column, chosen):
    """Masks smaller than their pictures, several of one category; pictures whose line is empty say nothing."""
    path = write_broden(tmp_path / "broden", scenes(), [column], larger=3)
    result = from_disk(NEAREST, path)
    assert numbers(result) == numbers(drawn(NEAREST, tuple(chosen), tuple(chosen)))
    assert result.images == len(scenes().holding(chosen)) and (result.images < COUNT) == (column == "part")


def test_each_category_of_broden_is_measured_where_it_is_known(tmp_path):
    """With several categories each concept has the scores that it has by itself, on the pictures that tell of it."""
    columns = ["object", "part", "scene"]
    result = from_disk(NEAREST, write_broden(tmp_path / "broden", scenes(), columns, larger=3))
    alone = {column: from_disk(NEAREST, write_broden(tmp_path / column, scenes(), [column], larger=3))
             for column in columns}  # fmt: skip
    seen = set()
    for place, layer in enumerate(result.layers):
        for unit in layer.units:
            every = [one for other in alone.values() for one in other.layers[place].units[unit.unit].ranked]
            assert sorted(one.score for one in unit.ranked) == sorted(one.score for one in every)[-3:]
            assert set(unit.ranked) <= set(every)
            seen |= {one.category for one in unit.ranked}
    assert len(seen) > 1
