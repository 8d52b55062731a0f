"""Ranks, AUC and p-values are those of counting pairs one by one, and of going through every order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerscope.dissect.ranks import Ranks, p_of
from layerscope.testing.slow import slow_paths
from tests.helpers.ranks import all_choices, exact_p, pairwise_auc

# Whole numbers make ties; signs, fractions and both zeros stand among them.
NUMBERS = st.lists(
    st.sampled_from([-3.5, -1.0, -0.0, 0.0, 0.0, 0.25, 1.0, 2.0]) | st.floats(-9, 9, width=32), min_size=2, max_size=24
)


def measured(values: np.ndarray, inside: np.ndarray):
    """One unit and one label. z and AUC."""
    ranks = Ranks.of(values[:, None].astype(np.float32))
    sums = ranks.sums(np.where(inside, 0, -1), 1)
    found = ranks.tested(sums, np.array([[float(inside.sum())]]))
    return float(found.z[0, 0]), float(found.auc[0, 0])


@given(NUMBERS, st.data())
def test_auc_is_the_share_of_pairs(numbers, data):
    """With ties, for any label that some images carry and some do not."""
    values = np.array(numbers, np.float32).astype(np.float64)
    inside = np.array(data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))))
    if inside.all() or not inside.any():
        inside = np.arange(len(values)) == 0
    assert measured(values, inside)[1] == pytest.approx(pairwise_auc(values, inside), abs=1e-12)


@pytest.mark.parametrize("values", [[0, 0, 0, 1, 2, 2, 5, 7], [1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0, 0, 0, 0, 0, 3]])
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_mean_and_variance_are_those_of_all_orders(values, size):
    """z is U from its mean in its standard deviations, less the half step; both are those of every choice of images."""
    numbers = np.array(values, np.float64)
    chance = all_choices(numbers, size)
    inside = np.arange(len(values)) >= len(values) - size
    own = pairwise_auc(numbers, inside) * size * (len(values) - size)
    expected = (own - chance.mean() - 0.5) / chance.std()
    assert measured(numbers, inside)[0] == pytest.approx(expected, abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=9, max_size=9, unique=True), st.integers(3, 5), st.randoms())
def test_p_is_near_that_of_all_orders(numbers, size, random):
    """For nine images, without ties, the normal distribution is off by less than 0.03."""
    values = np.array(numbers, np.float64)
    inside = np.zeros(9, bool)
    inside[random.sample(range(9), size)] = True
    assert float(p_of(np.array([measured(values, inside)[0]]))[0]) == pytest.approx(exact_p(values, inside), abs=0.03)


def test_a_unit_without_differences_tells_nothing():
    """All images alike: AUC one half, and no z."""
    z, auc = measured(np.ones(6), np.arange(6) < 2)
    assert (z, auc) == (-np.inf, 0.5)
    assert float(p_of(np.array([z]))[0]) == 1


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0]), min_size=1))
def test_keys_rank_as_values_do(numbers):
    """The fast ranks are those of sorting by values, to the last bit."""
    maxima = np.array(numbers, np.float32)[:, None]
    fast = Ranks.of(maxima)
    with slow_paths("ranks by sorted keys"):
        slow = Ranks.of(maxima)
    assert np.array_equal(fast.ranks, slow.ranks) and np.array_equal(fast.ties, slow.ties)
