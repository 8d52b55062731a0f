"""Spearman's rank correlation: do two lists of numbers agree in their order?"""

import numpy as np
from jaxtyping import Float64

FEWEST = 3


def ranks(values: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Places in ascending order, from 0; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts + 1) / 2)[place]


def rank_correlation(one: Float64[np.ndarray, " n"], other: Float64[np.ndarray, " n"]) -> float | None:
    """Pearson's correlation of the ranks, -1..1; None for fewer than three pairs, or where one list is constant."""
    if len(one) < FEWEST:
        return None
    first, second = (ranks(values) - (len(values) - 1) / 2 for values in (one, other))
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum() / size) if size else None
