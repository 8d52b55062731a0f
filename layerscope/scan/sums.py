"""Sums that do not depend on how what is summed up was grouped: each number is kept as two of float64 (double-double).

A float64 sum loses half a unit of its last place with every addition, another half for each grouping. Here what an
addition loses is known exactly (Knuth's TwoSum) and kept in the second number; a sum of n terms is off by about
n * 2^-104 of the largest sum on the way (Joldes, Muller & Popescu 2017). Rounded to float64, two groupings of 10,000
terms differ only where the exact sum lies that near to the middle of two float64 numbers: less than once in 2^38 sums,
and in the float32 of a statistic less than once in 2^60.
"""

from typing import Any

import numpy as np
from jaxtyping import Float64

Array = Float64[np.ndarray, "..."]


class DoubleDouble:
    """An array of sums. high: each sum rounded to float64. low: what that leaves out, as far as it is known."""

    def __init__(self, high: Array, low: Array) -> None:
        self.high, self.low = high, low

    @classmethod
    def zeros(cls, *shape: int) -> "DoubleDouble":
        """Sums of nothing."""
        return cls(np.zeros(shape), np.zeros(shape))

    def add(self, high: Array, low: Array | float = 0.0, *, at: Any = ...) -> None:
        """Add these numbers, or sums of high and low, to those `at` an index that names none twice."""
        total, lost = _sum(self.high[at], high)
        more, rest = _sum(self.low[at], low)
        total, lost = _renormalised(total, lost + more)
        self.high[at], self.low[at] = _renormalised(total, lost + rest)


def _sum(a: Array, b: Array | float) -> tuple[Array, Array]:
    """a + b in float64, and exactly what that loses."""
    total = a + b
    of_b = total - a
    return total, (a - (total - of_b)) + (b - of_b)


def _renormalised(high: Array, low: Array) -> tuple[Array, Array]:
    """The same sum, high rounded to nearest; low is smaller than high."""
    total = high + low
    return total, low - (total - high)
