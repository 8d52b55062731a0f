"""Spearman's rank correlation, by its definition."""

from statistics import correlation

import numpy as np
import pytest

from layerscope.causes.ranks import rank_correlation


def slow_ranks(values: list[float]) -> list[float]:
    """How many are smaller, and half of the others that are equal."""
    return [sum(b < a for b in values) + (sum(b == a for b in values) - 1) / 2 for a in values]


@pytest.mark.parametrize("count", [3, 10, 57])
def test_it_is_pearsons_correlation_of_the_ranks(count):
    """With equal values among them, too."""
    draws = np.random.default_rng(count)
    one, other = draws.integers(0, 6, count).astype(float), draws.normal(size=count).round(1)
    other[0], one[:2] = 9, (0, 1)
    expected = correlation(slow_ranks(one.tolist()), slow_ranks(other.tolist()))
    assert rank_correlation(one, other) == pytest.approx(expected, abs=1e-12)
    assert rank_correlation(one, np.exp(one)) == pytest.approx(1)
    assert rank_correlation(one, -one) == pytest.approx(-1)


def test_where_there_is_no_order_there_is_none():
    """Two pairs, or a constant."""
    assert rank_correlation(np.array([1.0, 2]), np.array([1.0, 2])) is None
    assert rank_correlation(np.ones(5), np.arange(5.0)) is None
