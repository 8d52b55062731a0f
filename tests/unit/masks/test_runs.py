"""Regions of COCO as masks: known answers, what pycocotools makes of the same, and runs there and back."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.masks.runs import Misshapen, mask_of_polygons, mask_of_runs, packed_runs, plain_runs
from tests.helpers.masks import packed, runs_of

# Rows, columns, polygons, and the runs that pycocotools 2.0.11 makes of them (merge of frPyObjects).
THEIRS = json.loads((Path(__file__).parent / "pycocotools.json").read_text())


@pytest.mark.parametrize(("rows", "cols", "polygons", "letters"), THEIRS)
def test_polygons_are_filled_as_pycocotools_fills_them(rows, cols, polygons, letters):
    """Px for px: squares on and between px, beyond the picture, crossing themselves, thin, joined, and drawn by lot."""
    mask = mask_of_polygons([np.array(polygon, float) for polygon in polygons], rows, cols)
    np.testing.assert_array_equal(mask, mask_of_runs(packed_runs(letters), rows, cols))


def test_a_square_on_the_px():
    """Corners are points between px: from 2 to 10 are the px 2 to 9."""
    mask = mask_of_polygons([np.array([2, 3, 10, 3, 10, 8, 2, 8], float)], 20, 30)
    expected = np.zeros((20, 30), bool)
    expected[3:8, 2:10] = True
    np.testing.assert_array_equal(mask, expected)


def test_what_a_polygon_covers_twice_is_outside_and_two_polygons_are_joined():
    """A square within a square is a hole where one outline goes round both, else it changes nothing."""
    outer, inner = [0, 0, 20, 0, 20, 20, 0, 20], [5, 5, 15, 5, 15, 15, 5, 15]
    one = np.array([*outer, 0, 0, *inner, 5, 5], float)
    assert mask_of_polygons([one], 20, 20).sum() == 300
    assert mask_of_polygons([np.array(outer, float), np.array(inner, float)], 20, 20).sum() == 400


def test_known_runs():
    """Down the columns, the first run outside."""
    expected = [[False, True, True], [False, True, False]]
    assert mask_of_runs(np.array([2, 3, 1]), 2, 3).tolist() == expected
    assert packed_runs("231").tolist() == [2, 3, 1]
    assert mask_of_runs(np.array([0, 4]), 2, 2).all() and not mask_of_runs(np.array([4]), 2, 2).any()


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([0.0, 0.02, 0.5, 1.0]), st.integers(0, 99))
def test_runs_come_back(rows, cols, share, seed):
    """A mask's runs, as numbers and as letters, give the mask."""
    mask = np.random.default_rng(seed).random((rows, cols)) < share
    runs = runs_of(mask)
    np.testing.assert_array_equal(mask_of_runs(plain_runs(runs), rows, cols), mask)
    assert packed_runs(packed(runs)).tolist() == runs


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=9))
def test_long_runs_come_back(runs):
    """Numbers of many letters, growing and falling."""
    assert packed_runs(packed(runs)).tolist() == runs


@pytest.mark.parametrize(
    ("region", "said"),
    [
        (lambda: mask_of_runs(np.array([2, 3]), 2, 3), "its runs hold 5 px"),
        (lambda: mask_of_runs(np.array([7, -1]), 2, 3), "below zero"),
        (lambda: plain_runs([1, 2.5]), "no whole numbers"),
        (lambda: plain_runs([True, 2]), "no whole numbers"),
        (lambda: plain_runs([10**30]), "too long"),
        (lambda: packed_runs(""), "no packed runs"),
        (lambda: packed_runs("\x01"), "no packed runs"),
        (lambda: packed_runs("é"), "no packed runs"),
        (lambda: packed_runs("P"), "no packed runs"),
        (lambda: packed_runs("P" * 30 + "0"), "no packed runs"),
    ],
)
def test_what_is_no_region(region, said):
    """A clause that says why."""
    with pytest.raises(Misshapen, match=said):
        region()
