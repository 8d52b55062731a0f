"""Counting bit patterns gives the same quantiles as sorting all values, however the values were divided."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from layerscope.dissect.thresholds import Counts
from tests.helpers.dissection import threshold

VALUES = arrays(np.float16, (30, 3), elements=st.floats(-4, 4, width=16) | st.sampled_from([0.0, -0.0, 1.0]))


def counted(values: np.ndarray) -> Counts:
    counts = Counts(values.shape[1])
    counts.add(np.ascontiguousarray(values).view(np.int16))
    return counts


@given(VALUES, st.lists(st.integers(0, 30), min_size=1, max_size=4))
def test_quantiles_are_exact(values, areas):
    """Each threshold is the least value that at most so many exceed, never below zero; and so many do exceed it."""
    bits, exceeding = counted(values).thresholds(np.array(areas))
    for unit, column in enumerate(values.astype(float).T):
        for place, area in enumerate(areas):
            cut = float(bits[unit, place].view(np.float16))
            assert (column > cut).sum() == exceeding[unit, place] <= area
            assert (column > cut).tolist() == (column > threshold(column, area)).tolist()


@given(VALUES, st.integers(0, 30))
def test_merging_is_counting_together(values, cut):
    """Two parts, counted apart and merged, are the whole."""
    merged, rest = counted(values[:cut]), counted(values[cut:])
    merged.merge(rest)
    np.testing.assert_array_equal(merged.counts, counted(values).counts)


def test_above_zero():
    """What is zero or below is not above zero."""
    assert counted(np.array([[-1, 0, 2], [-0.0, 1, 3]], np.float16)).above_zero.tolist() == [0, 1, 2]


def test_infinity_is_a_value():
    """An activation beyond float16's range is the largest of all."""
    bits, exceeding = counted(np.array([[np.inf], [5], [1]], np.float16)).thresholds(np.array([0, 1, 2]))
    assert exceeding.tolist() == [[0, 1, 2]]
    assert bits.view(np.float16).tolist() == [[np.inf, 5, 1]]
