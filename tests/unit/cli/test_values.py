"""The texts of options as values: what is written as documented comes back, all else is refused with its text."""

from argparse import ArgumentTypeError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.cli import values

sizes = st.integers(1, 10_000)


@given(sizes, sizes, sizes)
def test_a_shape_comes_back(channels, height, width):
    """CHANNELSxHEIGHTxWIDTH is what it says, with either kind of x."""
    assert values.shape(f"{channels}x{height}x{width}") == (channels, height, width)
    assert values.shape(f"{channels}X{height}X{width}") == (channels, height, width)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 20)), min_size=1, max_size=6))
def test_unit_numbers_keep_their_order_and_ranges_hold_both_ends(parts):
    """Each part adds its numbers, in the order written."""
    text = ",".join(f"{first}-{first + more}" if more else str(first) for first, more in parts)
    assert values.unit_numbers(text) == tuple(n for first, more in parts for n in range(first, first + more + 1))


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=5))
def test_numbers_come_back(wanted):
    """Numbers with commas are those numbers."""
    assert values.numbers(",".join(map(repr, wanted))) == tuple(wanted)


@given(st.integers(-5, 5), st.integers(-9, 9))
def test_whole_numbers_have_a_least(least, value):
    """A number below the least is refused, any other comes back."""
    if value < least:
        with pytest.raises(ArgumentTypeError, match=f"at least {least}"):
            values.whole(least)(str(value))
    else:
        assert values.whole(least)(str(value)) == value


def test_choices_may_be_joined_and_a_wrong_one_is_named():
    """Names with commas are those names; a wrong one is named beside the nearest."""
    some = values.Among(("deconvnet", "guided"))
    assert some("guided, deconvnet") == ("guided", "deconvnet")
    with pytest.raises(ArgumentTypeError, match='got "deconv"; did you mean deconvnet'):
        some("guided,deconv")


@pytest.mark.parametrize(
    ("convert", "texts"),
    [
        (values.shape, ["", "3x20", "3x20x20x1", "0x20x20", "3x-1x20", "axbxc"]),
        (values.unit_numbers, ["", "1,", "5-2", "-3", "a", "1-2-3", "1.5"]),
        (values.numbers, ["", "1,,2", "a"]),
        (values.three_channels, ["", "1,2", "1,2,3,4", "a,b,c", "-1,2,3"]),
        (values.whole(1), ["", "a", "1.5", "0"]),
        (values.above_zero, ["", "a", "0", "-1", "nan", "inf"]),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_text(convert, texts):
    """The clause repeats what was given, so that a user sees what was understood."""
    for text in texts:
        with pytest.raises(ArgumentTypeError) as refusal:
            convert(text)
        assert f'got "{text}"' in str(refusal.value)
