"""The demo's count of right answers: a patch holds its unit's pattern where that was drawn, and nowhere else."""

import numpy as np
import pytest

from layerscope.api.answers import SLACK, _holds
from layerscope.core.geometry import Box
from layerscope.known.canvas import Plant
from layerscope.known.network import UNIT_NAMES
from layerscope.known.pictures import Picture


def drawn(*plants: Plant) -> Picture:
    return Picture(pixels=np.zeros((96, 96, 3), np.uint8), plants=plants, label="face")


def field_around(row: int, col: int, size: int = 65) -> Box:
    """A field of odd size whose middle px is this one."""
    return Box(top=row - size // 2, left=col - size // 2, bottom=row + size // 2 + 1, right=col + size // 2 + 1)


@pytest.mark.parametrize(("moved", "held"), [(0, True), (6, True), (7, False)])
def test_a_pattern_is_held_up_to_the_slack(moved, held):
    """Things may lie 6 px from the middle of the field."""
    picture = drawn(Plant(name="face", row=40, col=50, size=32))
    assert _holds(picture, "face", field_around(40 + moved, 50), SLACK["things"]) is held


def test_another_pattern_at_the_place_does_not_count():
    """It must be the one that the unit was built for."""
    picture = drawn(Plant(name="face", row=40, col=50, size=32))
    assert not _holds(picture, "house", field_around(40, 50), SLACK["things"])
    assert not _holds(drawn(), "face", field_around(40, 50), SLACK["things"])


def test_every_layer_has_its_slack():
    """No layer of the known network is judged by another's."""
    assert set(SLACK) == set(UNIT_NAMES)
