"""Does a unit fire more for the images of a label? The test of Mann and Whitney, for all units and labels at once.

Each unit's image maxima are ranked once, equal ones by the mean of their ranks. All that the test needs of a label is
the sum of its images' ranks, so that labels, unions of them and labels drawn by lot cost one sum each. With n images of
the label among N, U = sum - n (n + 1) / 2 counts the pairs in which the label's image is ahead, and the AUC is
U / (n (N - n)). Where labels mean nothing, U has the mean n (N - n) / 2 and, with ties of t images each, the variance
n (N - n) / 12 ((N + 1) - sum(t^3 - t) / (N (N - 1))) (Lehmann 1975, section 1.4).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64

# One thread per core of a small machine; units are ranked side by side, each by one thread, so nothing depends on it.
_THREADS = 2
# So many units are ranked by one call.
_RUN = 16


def rising(values: Float32[np.ndarray, " n"]) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " different"]]:
    """The places of the values in rising order, and where in it another value begins. Values are finite."""
    # A float's bits, as a whole number, rise with it above zero and fall below. With the place behind them they are
    # sorted as one number, which takes a third of the time of sorting places by their values.
    bits = values.view(np.int32).astype(np.int64)
    keys = (np.where(bits < 0, -(bits & 0x7FFFFFFF), bits) << 32) | np.arange(len(values))
    keys.sort()
    value = keys >> 32
    return keys & 0xFFFFFFFF, np.flatnonzero(np.concatenate([[True], value[1:] != value[:-1]]))


@dataclass(frozen=True, eq=False)
class Ranks:
    """The images of each unit, ranked. ranks: float32[u, n], 1 for the lowest. ties: float64[u], sum(t^3 - t)."""

    ranks: Float32[np.ndarray, "u n"]
    ties: Float64[np.ndarray, " u"]

    @classmethod
    def of(cls, maxima: Float32[np.ndarray, "n u"]) -> "Ranks":
        """By the units' maxima. float32 holds every half rank of up to eight million images."""
        images, units = maxima.shape
        ranks, ties = np.empty((units, images), np.float32), np.zeros(units)

        def rank(first: int) -> None:
            run = np.ascontiguousarray(maxima[:, first : first + _RUN].T)
            for unit, values in enumerate(run, start=first):
                order, starts = rising(values)
                counts = np.diff(np.append(starts, images))
                ranks[unit, order] = np.repeat((starts + (counts + 1) / 2).astype(np.float32), counts)
                tied = counts[counts > 1].astype(np.float64)
                ties[unit] = (tied**3 - tied).sum()

        _for_all(rank, range(0, units, _RUN))
        return cls(ranks, ties)

    @property
    def images(self) -> int:
        return self.ranks.shape[1]

    def sums(self, deepest: Int64[np.ndarray, " n"], labels: int) -> Float64[np.ndarray, "u labels"]:
        """For every unit and label the sum of the ranks of the images whose number is the label's; -1 is none."""
        found, places = np.empty((len(self.ranks), labels)), deepest + 1

        def add(unit: int) -> None:
            found[unit] = np.bincount(places, self.ranks[unit], labels + 1)[1:]

        _for_all(add, range(len(self.ranks)))
        return found

    def tested(self, sums: Float64[np.ndarray, "u m"], sizes: Float64[np.ndarray, "#u m"]) -> "Tested":
        """The test of sets of images by the sums of their ranks. sizes: how many images each set has."""
        rest = self.images - sizes
        pairs = sizes * rest
        ahead = sums - sizes * (sizes + 1) / 2
        ties = self.ties[:, None] / max(self.images * (self.images - 1), 1)
        spread = np.sqrt(np.maximum(pairs / 12 * (self.images + 1 - ties), 0))
        possible = (pairs > 0) & (spread > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            auc = np.where(pairs > 0, ahead / pairs, 0.5)
            # U moves in steps of one, or of a half: half a step towards chance (the correction for continuity).
            z = np.where(possible, (ahead - pairs / 2 - 0.5) / spread, -np.inf)
        return Tested(auc, z)


@dataclass(frozen=True, eq=False)
class Tested:
    """auc: float64[u, m]. z: float64[u, m], standard deviations above chance; -inf where there is nothing to test."""

    auc: Float64[np.ndarray, "u m"]
    z: Float64[np.ndarray, "u m"]


def p_of(z: Float64[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
    """The one-sided p-value: how likely chance alone comes so far above its mean, by the normal distribution."""
    return torch.special.erfc(torch.from_numpy(z / np.sqrt(2))).numpy() / 2


def _for_all(do: Callable[[int], None], numbers: range) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(do, numbers))
