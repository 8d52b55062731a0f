"""Sums in two numbers: correctly rounded, and the same however what is summed up was grouped."""

import itertools
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from layerscope.scan.sums import DoubleDouble

NUMBERS = st.floats(-1e30, 1e30, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-30)


def summed(values: list[float], cuts: list[int]) -> DoubleDouble:
    """The sum of the sums of parts."""
    whole = DoubleDouble.zeros(1)
    for a, b in itertools.pairwise(sorted({0, len(values), *(cut for cut in cuts if cut < len(values))})):
        part = DoubleDouble.zeros(1)
        for value in values[a:b]:
            part.add(np.array([value]))
        whole.add(part.high, part.low)
    return whole


@given(values=st.lists(NUMBERS, max_size=30), cuts=st.lists(st.integers(0, 29), max_size=4))
def test_a_sum_is_exact_to_104_bits(values, cuts) -> None:
    """Of the largest sum on the way: beside exact fractions, and whatever the groups."""
    found = summed(values, cuts)
    exact = sum(map(Fraction, values), Fraction(0))
    largest = sum(map(abs, map(Fraction, values)), Fraction(0))
    assert abs(Fraction(found.high[0]) + Fraction(found.low[0]) - exact) <= largest * 30 * Fraction(1, 2**104)
    assert found.high[0] == found.high[0] + found.low[0]


def test_groups_change_no_bit_of_what_is_rounded() -> None:
    """A thousand sums of 500 numbers like those of a shard, grouped by one, by seven and by all at once; plain float64
    sums of the same differ in their last bits."""
    values = np.random.default_rng(0).normal(3, 100, (500, 1000))
    found, plain = [], []
    for group in (1, 7, 500):
        whole, rough = DoubleDouble.zeros(1000), np.zeros(1000)
        for first in range(0, 500, group):
            part, sum_of_part = DoubleDouble.zeros(1000), np.zeros(1000)
            for row in values[first : first + group]:
                part.add(row)
                sum_of_part += row
            whole.add(part.high, part.low)
            rough += sum_of_part
        found.append(whole.high)
        plain.append(rough)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    assert (plain[0] != plain[1]).any()


def test_chosen_rows_are_added_to() -> None:
    """An index chooses the sums that grow; no others do."""
    sums = DoubleDouble.zeros(4, 2)
    sums.add(np.ones((2, 2)), at=np.array([3, 1]))
    sums.add(np.full((2, 2), 1e-20), at=np.array([3, 0]))
    assert sums.high.tolist() == [[1e-20] * 2, [1.0] * 2, [0.0] * 2, [1.0] * 2]
    assert sums.low[3].tolist() == [1e-20] * 2
