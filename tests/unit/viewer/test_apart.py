"""Boxes on one picture: none hides another, and each has a number that can be read."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerscope.viewer.pages.apart import NUMBERS, STEPS, ShownBox, apart

WIDTH, HEIGHT = 64, 48
STEP = WIDTH / STEPS
sides = st.integers(0, WIDTH - 1)


@st.composite
def boxes_on_the_picture(draw) -> ShownBox:
    left, top = draw(st.integers(0, WIDTH - 1)), draw(st.integers(0, HEIGHT - 1))
    return ShownBox(left, top, draw(st.integers(1, WIDTH - left)), draw(st.integers(1, HEIGHT - top)))


@settings(max_examples=60, deadline=None)
@given(st.lists(boxes_on_the_picture(), max_size=9))
def test_nine_boxes_anywhere_can_all_be_seen(boxes):
    """Numbers never overlap and lie on the picture; drawn boxes differ, and each has its box's middle."""
    found = apart(boxes, WIDTH, HEIGHT)
    assert [one.number for one in found] == list(range(1, len(boxes) + 1))
    for one, other in combinations(found, 2):
        assert not one.label.inset(0.01).meets(other.label.inset(0.01))
        assert max(abs(a - b) for a, b in zip(one.box.sides, other.box.sides, strict=True)) >= 0.9 * STEP
    for one, box in zip(found, boxes, strict=True):
        assert one.label.inset(0.01).within(ShownBox(0, 0, WIDTH, HEIGHT))
        assert one.box.x + one.box.width / 2 == pytest.approx(box.x + box.width / 2, abs=0.02)
        assert one.box.y + one.box.height / 2 == pytest.approx(box.y + box.height / 2, abs=0.02)


def test_boxes_that_lie_apart_stay_where_they_are():
    """And bear their numbers at their upper left corners, without a line."""
    boxes = [ShownBox(0, 0, 20, 20), ShownBox(30, 0, 20, 20), ShownBox(0, 25, 20, 20)]
    for one, box in zip(apart(boxes, WIDTH, HEIGHT), boxes, strict=True):
        assert one.box == box and not one.led
        assert (one.label.x, one.label.y, one.label.height) == (box.x, box.y, round(WIDTH / NUMBERS, 2))


def test_nine_boxes_of_the_whole_picture_lie_inside_one_another():
    """As the units of a dense layer have them: the first is the picture, each further one a step inside the last."""
    found = [one.box for one in apart([ShownBox(0, 0, WIDTH, HEIGHT)] * 9, WIDTH, HEIGHT)]
    assert found[0] == (0, 0, WIDTH, HEIGHT)
    assert all(inner.within(outer) and inner != outer for outer, inner in pairwise(found))


def test_a_number_without_room_in_its_box_is_led_there():
    """Boxes of a px each: their numbers lie beside one another."""
    found = apart([ShownBox(30, 20, 2, 2)] * 4, WIDTH, HEIGHT)
    assert any(one.led for one in found)
