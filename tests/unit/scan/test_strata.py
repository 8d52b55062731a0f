"""Strata and neighbours against slow and obvious references that share no code with them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerscope.core.geometry import IDENTITY, Field
from layerscope.core.records import LayerRecord
from layerscope.core.strata import FEWEST_IMAGES, MOST_UNITS, NEAR_DUPLICATE, PERCENTILES
from layerscope.scan import SampledMaxima, neighbours_of, strata_of

COLS = 7


def layer_of(units: int, *, rectified: bool, dense: bool = False) -> LayerRecord:
    return LayerRecord(
        name="layer", path="layer", node=0, kind="relu", units=units, map=None if dense else (5, COLS),
        field=Field(rows=IDENTITY, cols=IDENTITY), rectified=rectified,
    )  # fmt: skip


def sampled_of(maxima: np.ndarray, *, every: int = 1) -> SampledMaxima:
    """Maxima of the images 0, every, 2 * every, ... at places that tell image and unit."""
    count, units = maxima.shape
    argmax = (np.arange(count)[:, None] * 3 + np.arange(units)) % (5 * COLS)
    return SampledMaxima(np.arange(count) * every, maxima.astype(np.float32), argmax.astype(np.int32))


def slow_strata(
    sampled: SampledMaxima, unit: int, percentile: int, *, rectified: bool
) -> list[tuple[float, int, int, int]]:
    """One row: all of a unit's images sorted, and the four around NumPy's percentile taken from the list."""
    values = [float(value) for value in sampled.maxima[:, unit]]
    found = sorted(zip([-v for v in values], sampled.images.tolist(), sampled.argmax[:, unit].tolist(), strict=True))
    at = float(np.percentile(np.arange(len(values)), 100 - percentile, method="lower"))
    level = float(np.percentile(np.array(values), percentile))
    if max(values) <= 0 or (rectified and level <= 0):
        return []
    first = int(at) - 1
    while first + 4 > len(found):
        first -= 1
    row = found[max(first, 0) : max(first, 0) + 4]
    return [(-v, image, *divmod(place, COLS)) for v, image, place in row if not rectified or v < 0]


few_values = st.integers(-2, 3)


@given(maxima=st.lists(st.lists(few_values, min_size=3, max_size=3), min_size=1, max_size=40), rectified=st.booleans())
def test_strata_are_the_sorted_lists(maxima, rectified) -> None:
    """Each row holds the images around the percentile, ties by image; rows at 0 of a rectified unit are empty."""
    values = np.array(maxima, np.float32)
    sampled = sampled_of(np.maximum(values, 0) if rectified else values, every=3)
    strata = strata_of(sampled, layer_of(3, rectified=rectified))
    for unit, (number, percentile) in itertools.product(range(3), enumerate(PERCENTILES)):
        there = strata.image[unit, number] >= 0
        columns = (strata.value, strata.image, strata.row, strata.col)
        row = list(zip(*(column[unit, number][there].tolist() for column in columns), strict=True))
        assert row == slow_strata(sampled, unit, percentile, rectified=rectified)
        assert not there[len(row) :].any()


def test_rows_of_a_full_sample_lie_where_they_say() -> None:
    """Of 512 different maxima the rows hold the ranks around 5.1, 25.6, 51.1 and 255.5."""
    maxima = np.random.default_rng(0).permutation(512)[:, None] + 1.0
    strata = strata_of(sampled_of(maxima), layer_of(1, rectified=True))
    assert (512 - strata.value[0]).astype(int)[:, 0].tolist() == [4, 24, 50, 254]
    assert (np.diff(strata.value[0], axis=1) == -1).all()
    assert maxima[strata.image[0], 0].tolist() == strata.value[0].tolist()


def test_one_image_stands_for_every_percentile() -> None:
    """A sample of a single image fills the first place of each row; an empty sample fills none."""
    strata = strata_of(sampled_of(np.array([[2.0, 0.0]])), layer_of(2, rectified=True))
    assert strata.image[0].tolist() == [[0, -1, -1, -1]] * 4
    assert (strata.image[1] == -1).all()
    assert (strata_of(sampled_of(np.empty((0, 2))), layer_of(2, rectified=True)).image == -1).all()


def test_dense_units_lie_at_row_and_column_0() -> None:
    """A dense layer has one position."""
    maxima = np.random.default_rng(1).normal(1, 1, (20, 3))
    sampled = SampledMaxima(np.arange(20), maxima.astype(np.float32), np.zeros((20, 3), np.int32))
    strata = strata_of(sampled, layer_of(3, rectified=False, dense=True))
    assert (strata.image >= 0).all() and not strata.row.any() and not strata.col.any()


def slow_neighbours(maxima: np.ndarray, unit: int) -> list[tuple[int, float]]:
    """All other units sorted by NumPy's correlation."""
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.corrcoef(maxima.astype(np.float64), rowvar=False)[unit]
    found = [(-round(float(c), 6), u) for u, c in enumerate(correlation) if u != unit and np.isfinite(c) and c >= 0.2]
    return [(u, -c) for c, u in sorted(found)[:8]]


@settings(max_examples=20)
@given(seed=st.integers(0, 2**16), units=st.integers(2, 40) | st.just(300), count=st.integers(FEWEST_IMAGES, 40))
def test_neighbours_are_the_sorted_correlations(seed, units, count) -> None:
    """The eight highest of corrcoef; a unit that does not vary has none and is none."""
    rng = np.random.default_rng(seed)
    maxima = (rng.normal(0, 1, (count, 4)) @ rng.normal(0, 1, (4, units)) + rng.normal(0, 1, (count, units))).round(3)
    maxima[:, rng.integers(0, units)] = rng.integers(0, 2)
    maxima = maxima.astype(np.float32)
    neighbours = neighbours_of(sampled_of(maxima))
    for unit in rng.integers(0, units, 5):
        there = neighbours.other[unit] >= 0
        expected = slow_neighbours(maxima, unit)
        assert neighbours.other[unit][there].tolist() == [other for other, _ in expected]
        np.testing.assert_allclose(neighbours.correlation[unit][there], [c for _, c in expected], atol=2e-6)


def test_equal_correlations_go_by_number() -> None:
    """Copies of one unit, scaled, are near duplicates of each other in the order of their numbers."""
    one = np.random.default_rng(3).gamma(2, 1, 30)
    neighbours = neighbours_of(sampled_of(np.stack([one * scale for scale in (1, 2, 0.5, 4, 8)], 1)))
    assert neighbours.other[2].tolist() == [0, 1, 3, 4]
    assert (neighbours.correlation >= NEAR_DUPLICATE).all() and (neighbours.correlation <= 1).all()


@pytest.mark.parametrize(("count", "units"), [(FEWEST_IMAGES - 1, 4), (FEWEST_IMAGES, MOST_UNITS + 1), (20, 1), (1, 4)])
def test_some_layers_have_no_neighbours(count: int, units: int) -> None:
    """Too few images, too many units, a single unit."""
    maxima = np.random.default_rng(0).normal(0, 1, (count, 1)) * np.ones((1, units))
    assert (neighbours_of(sampled_of(maxima)).other == -1).all()


def test_the_largest_layers_still_have_neighbours() -> None:
    """2,048 units are not too many."""
    maxima = np.random.default_rng(0).normal(0, 1, (FEWEST_IMAGES, 1)) * np.arange(1, MOST_UNITS + 1)
    assert (neighbours_of(sampled_of(maxima)).other[:, 0] >= 0).all()
