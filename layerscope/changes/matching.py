"""Which unit of one network goes with which of another: pairs chosen greedily by a score, the best first."""

import numpy as np
from jaxtyping import Float32, Float64, Int64

from layerscope.core.records import Peaks


def greedy(scores: Float64[np.ndarray, "a b"], least: float) -> list[tuple[int, int]]:
    """Pairs of a row and a column, each at most once, the highest score first, all above `least`.

    Equal scores go by row, then column.
    """
    rows, cols = np.nonzero(scores > least)
    order = np.lexsort((cols, rows, -scores[rows, cols]))
    free_rows, free_cols = np.ones(scores.shape[0], bool), np.ones(scores.shape[1], bool)
    pairs = []
    for row, col in zip(rows[order].tolist(), cols[order].tolist(), strict=True):
        if free_rows[row] and free_cols[col]:
            free_rows[row] = free_cols[col] = False
            pairs.append((row, col))
    return pairs


def correlations(
    one: Float32[np.ndarray, "a classes"], other: Float32[np.ndarray, "b classes"]
) -> Float64[np.ndarray, "a b"]:
    """Pearson's correlation of every row of one with every row of the other, -1..1; 0 where a row is constant."""
    left, right = (standardised(np.asarray(rows, np.float64)) for rows in (one, other))
    return np.clip(left @ right.T, -1, 1)


def standardised(rows: Float64[np.ndarray, "u classes"]) -> Float64[np.ndarray, "u classes"]:
    """Each row with mean 0 and length 1; 0 where it is constant."""
    centred = rows - (rows.mean(1, keepdims=True) if rows.shape[1] else 0)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.divide(centred, length, out=np.zeros_like(centred), where=length > 1e-12)


def shared_images(one: Peaks, other: Peaks) -> Float64[np.ndarray, "a b"]:
    """The share of images that two units have in common among their peaks, of the fewer that either has, 0..1."""
    common = np.zeros((len(one.image), len(other.image)))
    for rank in range(other.image.shape[1]):
        theirs = other.image[:, rank]
        for mine in one.image.T:
            common += (mine[:, None] == theirs[None, :]) & (theirs >= 0)[None, :]
    fewer = np.minimum(_found(one)[:, None], _found(other)[None, :])
    return np.divide(common, fewer, out=np.zeros_like(common), where=fewer > 0)


def _found(peaks: Peaks) -> Int64[np.ndarray, " u"]:
    return (peaks.image >= 0).sum(1)
