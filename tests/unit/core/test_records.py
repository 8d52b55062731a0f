"""Records hold what they say: wrong Inputs are refused in a sentence, placements give boxes on the source picture."""

import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.errors import UsageError
from layerscope.core.geometry import Box, Field, Window
from layerscope.core.records import HISTOGRAM_EDGES, Input, LayerRecord, Peaks, Placement, Projections

REFUSED = {
    "height= must be a whole number of at least 1, got 0": {"height": 0},
    "mean and std need one number per channel (3), got 2 and 3": {"mean": (0.1, 0.2)},
    "mean and std need one number per channel (3), got 3 and 1": {"std": (1.0,)},
    "std= must be numbers above zero, one for each channel, such as 0.485,0.456,0.406, got 0.0": {"std": (1, 0, 1)},
    "5 channels cannot be shown as a picture; say which three to show: show=(0, 1, 2)": {"channels": 5},
    "show needs three channels in 0..4, got (0, 1, 5)": {"channels": 5, "show": (0, 1, 5)},
    "resize= must be a whole number of at least 1, got 0": {"resize": 0},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_inputs_that_make_no_sense_are_refused(sentence: str) -> None:
    """Each wrong value has its sentence, which names it."""
    options = {"height": 8, "width": 8} | REFUSED[sentence]
    with pytest.raises(UsageError, match=f"^Input: {re.escape(sentence)}$"):
        Input(**options)


WRONG = """
from layerscope.core.errors import UsageError
from layerscope.core.records import Input

for given in [
    {"order": "GBR"}, {"crop": "middle"}, {"interpolation": "cubic"}, {"height": 8.0}, {"height": "8"}, {"width": True},
    {"mean": "abc"}, {"mean": 0.5}, {"std": (None,) * 3}, {"mean": (float("nan"),) * 3}, {"show": "rgb"},
    {"show": (0, 1)}, {"show": 5}, {"resize": 2.5}, {"channels": None},
]:
    try:
        Input(**{"height": 8, "width": 8} | given)
    except UsageError as error:
        assert str(error).startswith(f"Input: {next(iter(given))}= must be "), error
    else:
        raise AssertionError(given)
"""


def test_inputs_of_wrong_types_are_refused() -> None:
    """A sentence for each, in a process where nobody else looks at types (as here the tests do)."""
    subprocess.run([sys.executable, "-c", WRONG], check=True)


def test_inputs_fill_in_what_was_left_out() -> None:
    """Mean and deviation are 0 and 1 for each channel; numbers of any kind become plain floats."""
    left_out = Input(channels=2, height=5, width=6, show=(0, 1, 1))
    assert (left_out.mean, left_out.std, left_out.shape) == ((0.0, 0.0), (1.0, 1.0), (2, 5, 6))
    given_ints = Input(height=5, width=6, mean=(0, 1, 0), std=(1, 2, 1))
    assert all(type(v) is float for v in (*given_ints.mean, *given_ints.std))


def test_channels_are_shown_as_red_green_blue() -> None:
    """BGR is turned, gray stays one channel, and a choice of three wins."""
    size = {"height": 4, "width": 4}
    assert Input(**size).shown == (0, 1, 2)
    assert Input(**size, order="BGR").shown == (2, 1, 0)
    assert Input(**size, channels=1).shown == (0,)
    assert Input(**size, channels=7, show=(6, 0, 3)).shown == (6, 0, 3)


sides = st.integers(1, 40)


@given(
    top=st.floats(-9, 9), left=st.floats(-9, 9), row_scale=st.floats(0.1, 4), col_scale=st.floats(0.1, 4), size=sides
)
def test_source_boxes_hold_every_px_of_the_input_box(
    top: float, left: float, row_scale: float, col_scale: float, size: int
) -> None:
    """The source box is the smallest of whole px that holds the placed box, cut at the picture's border."""
    place = Placement(row_scale=row_scale, col_scale=col_scale, top=top, left=left, height=size, width=2 * size)
    box = Box(top=2, left=-1, bottom=7, right=5)
    found = place.source_box(box)
    exact = (top + 2 * row_scale, top + 7 * row_scale, left - col_scale, left + 5 * col_scale)
    for low, high, first, last, length in (
        (found.top, found.bottom, exact[0], exact[1], size),
        (found.left, found.right, exact[2], exact[3], 2 * size),
    ):
        assert low == min(max(int(np.floor(first)), 0), length)
        assert high == min(max(int(np.ceil(last)), 0), length)


def test_a_placement_one_to_one_changes_nothing() -> None:
    """An unscaled picture, cropped 20 px from the left: boxes move by 20 and are cut at the border."""
    place = Placement(row_scale=1, col_scale=1, top=0, left=20, height=50, width=60)
    assert place.source_box(Box(top=-3, left=5, bottom=9, right=70)) == Box(top=0, left=25, bottom=9, right=60)


def test_positions_are_those_of_the_map() -> None:
    """A dense layer has one."""
    field = Field(rows=Window.whole(4), cols=Window.whole(4))
    common = {"name": "f", "path": "f", "node": 1, "kind": "relu", "units": 3, "field": field}
    assert LayerRecord(**common, map=(4, 5)).positions == 20
    assert LayerRecord(**common, map=None).positions == 1


def test_empty_peaks_hold_nothing() -> None:
    """Every place says that no image is there, and is below every value."""
    empty = Peaks.empty(2, 3)
    assert (empty.image == -1).all() and (empty.value == -np.inf).all() and empty.row.shape == (2, 3)


def test_projections_are_laid_on_the_whole_plane() -> None:
    """Where boxes lie the signal stands; what crosses the border is dropped; all else is zero."""
    signal = np.arange(1, 19, dtype=np.float32).reshape(2, 1, 3, 3)
    boxes = (Box(top=-1, left=2, bottom=2, right=5), Box(top=1, left=0, bottom=4, right=3))
    projections = Projections(method="gradient", signal=signal, boxes=boxes, values=np.ones(2), input_size=(3, 4))
    np.testing.assert_array_equal(projections.full()[0, 0], [[0, 0, 4, 5], [0, 0, 7, 8], [0, 0, 0, 0]])
    np.testing.assert_array_equal(projections.full()[1, 0], [[0, 0, 0, 0], [10, 11, 12, 0], [13, 14, 15, 0]])


def test_histogram_edges_are_zero_and_eighths_of_octaves() -> None:
    """Strictly growing, symmetric, with zero and every power of two from 2^-12 to 2^12."""
    edges = HISTOGRAM_EDGES
    assert (np.diff(edges) > 0).all() and np.array_equal(edges, -edges[::-1])
    assert {0.0, *(2.0**j for j in range(-12, 13))} <= set(edges.tolist())
    positive = edges[edges > 0]
    np.testing.assert_allclose(positive[1:] / positive[:-1], 2 ** (1 / 8))
