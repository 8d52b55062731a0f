"""Between which numbers the values of an operation lie: intervals, and what sums and products make of them.

A row states its range as a function of its inputs' ranges, so that what is never below zero is known by computing, and
not by the operation's name. A range may be wider than it need be, never narrower.
"""

from collections.abc import Iterable
from math import inf
from typing import Any, NamedTuple

from torch import Tensor


class Range(NamedTuple):
    """The lowest and the highest value; infinite where there is no bound."""

    low: float = -inf
    high: float = inf

    def plus(self, other: "Range") -> "Range":
        """Of the sum of two values."""
        return Range(self.low + other.low, self.high + other.high)

    def times(self, other: "Range") -> "Range":
        """Of their product; zero times a value without a bound is zero."""
        ends = [a * b if a and b else 0.0 for a in self for b in other]
        return Range(min(ends), max(ends))

    def clipped(self, low: float, high: float) -> "Range":
        """Of the value cut off below and above."""
        return Range(min(max(self.low, low), high), min(max(self.high, low), high))


ANYTHING = Range()
ZERO = Range(0.0, 0.0)


def hull(ranges: Iterable[Range]) -> Range:
    """The smallest range that holds all of these."""
    lows, highs = zip(*ranges, strict=True)
    return Range(min(lows), max(highs))


def constant(value: Any) -> Range:
    """Of a number, or of a constant's numbers; a weight of the network may be anything."""
    if isinstance(value, int | float):
        return Range(float(value), float(value))
    if isinstance(value, Tensor) and value.numel():
        return Range(float(value.min()), float(value.max()))
    return ANYTHING
