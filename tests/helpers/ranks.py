"""AUC, p-values, and which images a label has, as slow obvious loops over pairs and orders; no ranks, no sums."""

from itertools import combinations
from math import comb

import numpy as np
from jaxtyping import Bool, Float64


def pairwise_auc(values: Float64[np.ndarray, " n"], inside: Bool[np.ndarray, " n"]) -> float:
    """The share of pairs, one inside and one outside, in which the former is larger; equal ones count half."""
    ahead, pairs = 0.0, 0
    for one in values[inside].tolist():
        for other in values[~inside].tolist():
            ahead += 1.0 if one > other else 0.5 if one == other else 0.0
            pairs += 1
    return ahead / pairs


def all_choices(values: Float64[np.ndarray, " n"], size: int) -> Float64[np.ndarray, " choices"]:
    """The pairs won by each set of so many images: what chance alone deals out, each set as likely as another."""
    found = []
    for chosen in combinations(range(len(values)), size):
        inside = np.zeros(len(values), bool)
        inside[list(chosen)] = True
        found.append(pairwise_auc(values, inside) * size * (len(values) - size))
    assert len(found) == comb(len(values), size)
    return np.array(found)


def exact_p(values: Float64[np.ndarray, " n"], inside: Bool[np.ndarray, " n"]) -> float:
    """The share of all sets of that size that win at least as many pairs."""
    own = pairwise_auc(values, inside) * inside.sum() * (~inside).sum()
    return float((all_choices(values, int(inside.sum())) >= own - 1e-9).mean())


def carried(labels: list[tuple[str, ...]], name: str) -> Bool[np.ndarray, " n"]:
    """Which images carry a label: those on whose way through the hierarchy it stands."""
    return np.array([name in way for way in labels])
