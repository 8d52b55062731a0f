"""A tile is as large as the middle of the energy, and lies where the energy lies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from layerscope.project.extents import Extent
from layerscope.project.tiles import (
    SMALLEST_SIDE,
    centred_boxes,
    cosines,
    energy_profiles,
    extents_of_energy,
    tile_side,
)

# Energies of single px: whole numbers, so that no share lies on a border by rounding.
profiles = arrays(np.float64, st.tuples(st.just(3), st.integers(1, 30)), elements=st.integers(0, 9).map(float))


def test_profiles_are_sums_of_squares() -> None:
    """Energy along rows and along columns, over all channels."""
    signal = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    rows, cols = energy_profiles(signal)
    np.testing.assert_allclose(rows, (signal.astype(float) ** 2).sum((1, 3)), rtol=1e-5)
    np.testing.assert_allclose(cols, (signal.astype(float) ** 2).sum((1, 2)), rtol=1e-5)


@pytest.mark.parametrize("size", [1e-30, 1e-12, 1e25])
def test_profiles_of_any_size(size: float) -> None:
    """Signals whose squares float32 cannot hold have the profile that float64 gives; of none at all it is zero."""
    signal = (np.random.default_rng(0).normal(size=(2, 3, 4, 5)) * size).astype(np.float32)
    signal[1] = 0
    rows, cols = energy_profiles(signal)
    np.testing.assert_allclose(rows, (signal.astype(float) ** 2).sum((1, 3)), rtol=1e-5)
    np.testing.assert_allclose(cols, (signal.astype(float) ** 2).sum((1, 2)), rtol=1e-5)
    assert not rows[1].any() and rows[0].all()


@given(profile=profiles)
def test_the_interval_holds_the_middle(profile: np.ndarray) -> None:
    """What it leaves out on each side holds at most 2.5 % of the energy, and one px less would leave out more."""
    for row, length in zip(profile, extents_of_energy(profile), strict=True):
        if row.sum() == 0:
            assert length == 0
            continue
        tail = 0.025 * row.sum()
        before = np.cumsum(row) - row
        first = next(i for i in range(len(row)) if before[i] + row[i] >= tail)
        last = next(i for i in range(len(row)) if before[i] + row[i] >= row.sum() - tail)
        assert length in range(last - first, last - first + 3)
        assert row[:first].sum() <= tail and row[last + 1 :].sum() <= tail * (1 + 1e-9)


def test_known_energies() -> None:
    """One px is one px long, a plain profile keeps 95 % of its length, and nothing has no length."""
    one, plain = np.zeros((1, 40)), np.ones((1, 100))
    one[0, 17] = 5
    assert extents_of_energy(one).tolist() == [1]
    assert extents_of_energy(plain)[0] in (95, 96)
    assert extents_of_energy(np.zeros((1, 40))).tolist() == [0]


@pytest.mark.parametrize(
    ("sides", "size", "expected"),
    [
        ([10, 20, 30, 40, 50], (96, 128), 40),
        ([10, 11], (96, 128), 11),
        ([1, 2, 3], (96, 128), SMALLEST_SIDE),
        ([0, 0, 200], (96, 128), 96),
        ([], (96, 128), SMALLEST_SIDE),
        ([50], (6, 9), 6),
    ],
)
def test_a_layers_side(sides: list[int], size: tuple[int, int], expected: int) -> None:
    """The 75th percentile of those that have energy, at least 8 px, at most the input's shorter side."""
    assert tile_side(np.array(sides, np.int64), size) == expected


@given(
    places=st.lists(st.tuples(st.integers(-5, 25), st.integers(-5, 30)), min_size=1, max_size=4),
    side=st.integers(8, 24),
    seed=st.integers(0, 99),
)
def test_boxes_lie_inside_the_picture(places: list[tuple[int, int]], side: int, seed: int) -> None:
    """Every box is a square of the side, wholly in the picture, and as near to the energy as that allows."""
    size = (24, 31)
    tops, lefts = (np.array(axis, np.int64) for axis in zip(*places, strict=True))
    extent = Extent(tops, lefts, 9, 7, size)
    signal = np.random.default_rng(seed).normal(size=(len(places), 2, 9, 7)).astype(np.float32)
    rows, cols = energy_profiles(signal)
    for index, box in enumerate(centred_boxes((rows, cols), extent, side)):
        assert (box.height, box.width) == (side, side) and box.clipped(*size) == box
        for low, length, profile, start in ((box.top, size[0], rows, tops), (box.left, size[1], cols, lefts)):
            centre = start[index] + (profile[index] * (np.arange(profile.shape[1]) + 0.5)).sum() / profile[index].sum()
            wanted = min(max(centre - side / 2, 0), length - side)
            assert abs(low - wanted) <= 0.5 + 1e-9


def test_without_energy_the_window_is_the_place() -> None:
    """An empty signal's box lies on the middle of its window."""
    extent = Extent(np.array([10]), np.array([4]), 8, 12, (40, 40))
    (box,) = centred_boxes((np.zeros((1, 8)), np.zeros((1, 12))), extent, 10)
    assert (box.top, box.left) == (9, 5)


def test_cosines_of_known_pairs() -> None:
    """1 for the same direction, 0 for none in common, -1 for opposites, not a number for nothing."""
    a = np.zeros((4, 1, 2, 2), np.float32)
    a[:3, 0, 0, 0] = 2
    b = a.copy() * 3
    b[1] = 0
    b[1, 0, 1, 1] = 1
    b[2] *= -1
    np.testing.assert_allclose(cosines(a, b), [1, 0, -1, np.nan])
