"""Maps come to the evaluation grid by their receptive fields' centres, masks by the nearest source px."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.geometry import Field, Window
from layerscope.core.records import Input, LayerRecord
from layerscope.dissect.grid import EvaluationGrid, Upsampling, masks_on, weights_between
from layerscope.sources import placement_of
from tests.helpers.dissection import interpolated


def layer(window: Window, size: tuple[int, int]) -> LayerRecord:
    field = Field(rows=window, cols=window)
    return LayerRecord(name="l", path="l", node=1, kind="relu", units=2, map=size, field=field)


@pytest.mark.parametrize("every", [1, 2, 3])
@pytest.mark.parametrize("window", [Window(size=7, step=4, start=-3), Window(size=2, step=2, start=0)])
def test_upsampling_equals_a_loop(window, every):
    """Inside, between the centres and beyond the outermost ones, every px has the value that a loop finds."""
    grid = EvaluationGrid(height=20, width=24, every=every)
    maps = np.random.default_rng(0).integers(0, 16, (2, 4, 5)).astype(float)
    bits = Upsampling(layer(window, (4, 5)), grid).bits(torch.from_numpy(maps).permute(1, 2, 0)[None].half())
    centre = window.start + (window.size - 1) / 2
    axes = ((float(centre), float(window.step)),) * 2
    expected = [interpolated(maps, axes, (row, col)) for row in grid.rows for col in grid.cols]
    np.testing.assert_array_equal(bits.view(np.float16), np.array(expected))


def test_the_edge_value_holds_beyond_the_outermost_centres():
    """Above the first centre and below the last one nothing is made up."""
    weights = weights_between(Window(size=11, step=4, start=2), 3, 30, np.arange(30))
    assert (weights[:8, 0] == 1).all() and (weights[15:, 2] == 1).all()
    assert weights[9].tolist() == [0.5, 0.5, 0]


@given(st.integers(1, 9), st.integers(1, 7), st.integers(0, 5), st.integers(-9, 9))
def test_weights_are_shares(count, size, step, start):
    """At every px the weights of the positions are at least 0 and add up to 1, also where all see the same."""
    weights = weights_between(Window(size=size, step=step, start=start), count, 17, np.arange(17))
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)


def test_positions_without_a_place_are_spread_evenly():
    """Where every position sees the whole input, two of them are the halves of the axis."""
    weights = weights_between(Window.whole(8), 2, 8, np.arange(8))
    np.testing.assert_allclose(weights[:, 0], [1, 1, 0.875, 0.625, 0.375, 0.125, 0, 0], atol=1e-6)


def test_masks_stay_as_they_are_where_the_picture_is_the_input():
    """The grid's px are every second px of the masks."""
    masks = np.random.default_rng(0).random((3, 8, 10)) < 0.5
    taken = masks_on(EvaluationGrid(height=8, width=10), masks, placement_of(Input(height=8, width=10), 8, 10))
    np.testing.assert_array_equal(taken, masks[:, 1::2, 1::2].reshape(3, -1))


def test_masks_are_resized_and_cropped_like_the_picture():
    """A picture twice as large and 8 px wider: the middle of it is seen, and a mask is where its object is."""
    masks = np.zeros((1, 16, 24), bool)
    masks[0, 4:8, 6:10] = True
    taken = masks_on(EvaluationGrid(height=8, width=8, every=1), masks, placement_of(Input(height=8, width=8), 16, 24))
    found = np.argwhere(taken.reshape(8, 8))
    assert (found.min(0).tolist(), found.max(0).tolist()) == ([2, 1], [3, 2])


def test_beyond_the_picture_there_is_nothing():
    """Where the crop is larger than the picture, the px around it carry no concept."""
    masks = np.ones((1, 4, 4), bool)
    taken = masks_on(
        EvaluationGrid(height=8, width=8, every=1), masks, placement_of(Input(height=8, width=8, resize=4), 4, 4)
    )
    assert taken.reshape(8, 8)[2:6, 2:6].all() and taken.sum() == 16
