"""Thresholds without keeping the activations: every unit's values counted by float16 bit pattern.

Float16 has 31,745 patterns from 0 up to infinity, so these counts are the whole distribution to float16's resolution:
any number of quantiles, exact to it, from a state that neither grows with the images nor depends on how they were
divided. Values of zero and below are not counted: no threshold is below zero.
"""

import numpy as np
import torch
from jaxtyping import Int16, Int64

# Bit pattern of infinity: the highest that a number can have.
PATTERNS = 0x7C00 + 1


class Counts:
    """How often each unit of a layer took each value above zero. counts: [u, patterns], 0 in column 0.

    most: how many values a unit may have at most; int32 holds the counts of fewer than 2^31.
    """

    def __init__(self, units: int, most: int = 2**63 - 1) -> None:
        self.counts = np.zeros((units, PATTERNS), np.int32 if most < 2**31 else np.int64)

    def add(self, bits: Int16[np.ndarray, "px u"]) -> None:
        """Count these values. bits: float16 bit patterns."""
        by_unit = torch.from_numpy(bits).clamp(min=0).T.contiguous()
        for row, values in zip(self.counts, by_unit, strict=True):
            found = torch.bincount(values).numpy()
            row[: len(found)] += found
        self.counts[:, 0] = 0

    def merge(self, other: "Counts") -> None:
        """Add what was counted elsewhere."""
        self.counts += other.counts

    @property
    def above_zero(self) -> Int64[np.ndarray, " u"]:
        """How many values of each unit are above zero."""
        return self.counts.sum(1)

    def exceeding(self, bits: Int16[np.ndarray, " u"]) -> Int64[np.ndarray, " u"]:
        """How many values of each unit are above its own of these thresholds."""
        return np.array([counts[low + 1 :].sum() for counts, low in zip(self.counts, bits.tolist(), strict=True)])

    def thresholds(self, areas: Int64[np.ndarray, " c"]) -> tuple[Int16[np.ndarray, "u c"], Int64[np.ndarray, "u c"]]:
        """For every unit the least value, as bits, that at most so many of its values exceed, and how many do.

        Equal values stay on one side, so fewer than asked may exceed it: in the end those above zero, at threshold 0.
        """
        bits = np.empty((len(self.counts), len(areas)), np.int16)
        exceeding = np.empty(bits.shape, np.int64)
        for unit, counts in enumerate(self.counts):
            # above[b]: how many values are larger than pattern b; it falls with b.
            above = counts.sum() - np.cumsum(counts)
            bits[unit] = PATTERNS - np.searchsorted(above[::-1], areas, side="right")
            exceeding[unit] = above[bits[unit]]
        return bits, exceeding
