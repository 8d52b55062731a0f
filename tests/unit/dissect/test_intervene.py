"""Interventions end to end: planted units follow their patterns, and what cannot be tried is said."""

import numpy as np
import pytest

import layerscope as ls
from layerscope.core.errors import UsageError
from layerscope.dissect import TriedNetwork, intervene
from layerscope.known.again import PLACE, KnownPictures
from layerscope.known.patterns import CROSSES, RINGS
from layerscope.known.pictures import planted
from tests.helpers.planted import SomePictures, tried, with_patterns

SOME = (*CROSSES, *RINGS, "square")


@pytest.fixture(scope="module")
def found():
    return tried(SomePictures(16, SOME), ("shapes",), each=3)


def test_planted_units_follow_their_patterns(found):
    """Taken out, nearly all goes; with something else of its size hardly any."""
    shown = 0
    for pattern, unit in with_patterns(found):
        one = unit.of(pattern)
        if pattern in SOME and one is not None and one.necessity is not None:
            shown += 1
            assert one.necessity.gone > 0.9 and abs(one.necessity.control) < 0.1
    assert shown >= 3


def test_the_known_pictures_are_drawn_again(found):
    """They are those that were always drawn; without a pattern only that is missing."""
    pictures, first = KnownPictures(3), planted(0, 3)
    for image, picture in enumerate(first):
        again = pictures.again(image)
        np.testing.assert_array_equal(again.pixels, picture.pixels)
        for place in again.removable:
            taken, alone = again.without([place]), again.alone(place)
            assert 0 < taken.size < 0.3 * taken.changed.size and place in alone.shown
            np.testing.assert_array_equal(taken.pixels[~taken.changed], picture.pixels[~taken.changed])
    assert found.pictures == 16 and found.drawn > 0
    assert set(PLACE) - set(SOME) == set(found.absent)


def test_what_cannot_be_tried_is_said():
    """A layer without names, and pictures from which nothing can be taken: one sentence each."""
    net = ls.trace("worldnet/none")
    with pytest.raises(UsageError, match=r"layer layer1\.relu has no names to try"):
        intervene([TriedNetwork(name="", program=net.program, names={})], net.input, [net["layer1"]], KnownPictures(1))
    with pytest.raises(UsageError, match="no concept can be taken out"):
        tried(SomePictures(2, ()), ("strokes",), each=2)
