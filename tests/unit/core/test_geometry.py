"""Windows compose and join as sets of positions do; boxes are half-open."""

from collections.abc import Iterable
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from layerscope.core.errors import UnalignedBranches
from layerscope.core.geometry import IDENTITY, Box, Field, Window

windows = st.builds(Window, size=st.integers(1, 5), step=st.integers(0, 4), start=st.integers(-4, 3))
boxes = st.builds(
    lambda top, left, height, width: Box(top=top, left=left, bottom=top + height, right=left + width),
    *(st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 6), st.integers(0, 6)),
)


def hull(places: Iterable[int]) -> tuple[int, int]:
    """The smallest half-open interval that holds all of them."""
    held = list(places)
    return min(held), max(held) + 1


@given(outer=windows, inner=windows, index=st.integers(0, 6))
def test_after_is_composition(outer: Window, inner: Window, index: int) -> None:
    """What an output sees through two operations is what the middle positions it sees can see."""
    seen = {px for middle in range(*outer.span(index)) for px in range(*inner.span(middle))}
    assert outer.after(inner).span(index) == hull(seen)


@given(a=windows, b=windows, c=windows)
def test_after_is_associative_and_has_an_identity(a: Window, b: Window, c: Window) -> None:
    """Chains may be composed from either end."""
    assert a.after(b).after(c) == a.after(b.after(c))
    assert a.after(IDENTITY) == a == IDENTITY.after(a)


@given(a=windows, b=windows, count=st.integers(1, 6))
def test_hull_holds_both_and_no_more(a: Window, b: Window, count: int) -> None:
    """Of aligned windows it is tight at every output; where one is global it is global, and tight over all outputs."""
    assume(a.step == b.step or 0 in (a.step, b.step))
    both = a.hull(b, count)
    spans = [(*range(*a.span(i)), *range(*b.span(i))) for i in range(count)]
    if a.step == b.step:
        assert [both.span(i) for i in range(count)] == [hull(span) for span in spans]
    else:
        assert both.step == 0 and both.span(0) == hull(px for span in spans for px in span)
    assert both == b.hull(a, count)


def test_branches_of_different_steps_are_refused() -> None:
    """No single window is true of both, and the message names both steps."""
    with pytest.raises(UnalignedBranches, match="2 px and 3 px"):
        Window(size=1, step=2, start=0).hull(Window(size=1, step=3, start=0), 4)


def test_steps_may_be_fractions() -> None:
    """What upsamples sees whole px: a span holds all that its fraction touches, and whole fractions are integers."""
    doubled = Window(size=1, step=Fraction(1, 2), start=0)
    assert [doubled.span(i) for i in range(4)] == [(0, 1), (0, 2), (1, 2), (1, 3)]
    after = Window(size=3, step=2, start=-1).after(doubled)
    assert after == Window(size=2, step=1, start=Fraction(-1, 2))
    assert isinstance(after.size, int) and isinstance(after.step, int)


def test_whole_windows_see_everything_from_everywhere() -> None:
    """A global operation's outputs all see the same, whatever stood before or comes after it."""
    whole = Window.whole(7)
    assert {whole.span(i) for i in range(5)} == {(0, 7)}
    seen = IDENTITY.after(whole).after(Window(size=5, step=4, start=-2))
    assert seen.step == 0 and seen.span(3) == (-2, 27)


@given(box=boxes, height=st.integers(1, 9), width=st.integers(1, 9))
def test_clipped_is_what_lies_inside(box: Box, height: int, width: int) -> None:
    """Clipping keeps just the px that the plane has, and may leave none."""
    part = box.clipped(height, width)
    rows = set(range(box.top, box.bottom)) & set(range(height))
    cols = set(range(box.left, box.right)) & set(range(width))
    assert (set(range(part.top, part.bottom)), set(range(part.left, part.right))) == (rows, cols)
    assert (part.height, part.width) == (len(rows), len(cols))
    assert 0 <= part.top <= part.bottom <= height and 0 <= part.left <= part.right <= width


@given(box=boxes, room=st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_moved_inside_keeps_the_size(box: Box, room: tuple[int, int]) -> None:
    """The same size, inside a plane that has room, and no further from its place than it must."""
    height, width = box.height + room[0], box.width + room[1]
    moved = box.moved_inside(height, width)
    assert (moved.height, moved.width) == (box.height, box.width)
    assert moved.clipped(height, width) == moved
    assert abs(moved.top - box.top) == max(-box.top, box.bottom - height, 0)
    assert abs(moved.left - box.left) == max(-box.left, box.right - width, 0)


def test_field_gives_the_box_of_a_position() -> None:
    """Rows and columns keep their own windows; the box may cross the border."""
    field = Field(rows=Window(size=11, step=4, start=-2), cols=Window(size=3, step=2, start=0))
    assert field.box(0, 5) == Box(top=-2, left=10, bottom=9, right=13)
    assert not field.whole
    assert field.share(22, 6) == pytest.approx(0.25)
    assert field.share(5, 3) == 1.0
    assert Field(rows=Window.whole(4), cols=Window.whole(4)).whole


@given(box=boxes)
def test_boxes_are_values(box: Box) -> None:
    """Equal boxes are equal and hash alike, and none can be changed."""
    again = Box(top=box.top, left=box.left, bottom=box.bottom, right=box.right)
    assert box == again and hash(box) == hash(again)
    with pytest.raises(AttributeError):
        box.top = 3  # pyright: ignore[reportAttributeAccessIssue]
