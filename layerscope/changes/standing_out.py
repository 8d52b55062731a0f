"""How far units of one number stand out: whether any other unit would go with one of them as well.

A unit whose inputs have changed may have little in common with what it was, and still more than with any other unit.
So each kind of likeness of the two is ranked among the same likeness of either of them to all other units of the other
atlas: the null is made of the two atlases themselves, of pairs that are known to be two units.
"""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Bool, Float64, Int64

from layerscope.changes.agreement import Profiles, tails, vary

# Among fewer pairs nothing stands out.
FEWEST_PAIRS = 30
# The weight of that beside the agreement as it is of any two units: both kinds of error are fewest about there.
OUT = 0.8

# Of units of one atlas and of the other, each with each: higher is more alike.
Likeness = Callable[[Profiles, Profiles, np.ndarray, np.ndarray], np.ndarray]


def standing_out(
    one: Profiles, other: Profiles, units: Int64[np.ndarray, " n"], same: Float64[np.ndarray, " n"]
) -> Float64[np.ndarray, " n"]:
    """The agreement of the two units of each of these numbers, 0..1, where it is known how far they stand out.

    same: their agreement as it is of any two. How far they stand out is the mean, over what both atlases know of them,
    of log(rank / pairs) / log(1 / pairs): 1 where they are more alike in every way than either is to any other unit, 0
    where all are as like. Of that and `same` it is the weighted mean. Layers with too few units keep `same`.
    """
    total, most = np.zeros(len(units)), np.zeros(len(units))
    pairs = np.array([_others(one.alive, unit).sum() + _others(other.alive, unit).sum() for unit in units.tolist()])
    for likeness, known in _ways(one, other, units):
        ranks = _ranks(one, other, units, likeness)
        total += np.where(known, np.log((pairs + 1) / ranks), 0)
        most += np.where(known, np.log(pairs + 1), 0)
    out = np.divide(total, most, out=np.zeros(len(units)), where=most > 0)
    return np.where(pairs >= FEWEST_PAIRS, OUT * out + (1 - OUT) * same, same)


def _ranks(
    one: Profiles, other: Profiles, units: Int64[np.ndarray, " n"], likeness: Likeness
) -> Float64[np.ndarray, " n"]:
    """The place of each number among all pairs of one of its units and another unit of the other atlas; 1 is best."""
    to_all = likeness(one, other, units, np.arange(other.units))
    from_all = likeness(one, other, np.arange(one.units), units)
    found = np.ones(len(units))
    for place, unit in enumerate(units.tolist()):
        own = to_all[place, unit]
        found[place] += ((to_all[place] >= own) & _others(other.alive, unit)).sum()
        found[place] += ((from_all[:, place] >= own) & _others(one.alive, unit)).sum()
    return found


def _others(alive: Bool[np.ndarray, " u"], unit: int) -> Bool[np.ndarray, " u"]:
    found = alive.copy()
    found[unit] = False
    return found


def _ways(
    one: Profiles, other: Profiles, units: Int64[np.ndarray, " n"]
) -> Iterator[tuple[Likeness, Bool[np.ndarray, " n"]]]:
    """The kinds of likeness that both atlases tell of, each with the numbers of which it is known."""
    yield tails, np.ones(len(units), bool)
    yield _by_class, vary(one.classes[units]) & vary(other.classes[units])
    if one.relations.shape[1] and other.relations.shape[1]:
        yield _by_relation, vary(one.relations[units]) | vary(other.relations[units])
    if one.below.shape[1] == other.below.shape[1] > 0:
        yield _by_distribution, np.ones(len(units), bool)


def _by_class(
    one: Profiles, other: Profiles, rows: Int64[np.ndarray, " a"], cols: Int64[np.ndarray, " b"]
) -> Float64[np.ndarray, "a b"]:
    """The correlation of class means."""
    return one.classes[rows] @ other.classes[cols].T


def _by_relation(
    one: Profiles, other: Profiles, rows: Int64[np.ndarray, " a"], cols: Int64[np.ndarray, " b"]
) -> Float64[np.ndarray, "a b"]:
    """The cosine of what they have to do with the units of each number."""
    count = min(one.units, other.units)
    return one.relations[rows][:, :count] @ other.relations[cols][:, :count].T


def _by_distribution(
    one: Profiles, other: Profiles, rows: Int64[np.ndarray, " a"], cols: Int64[np.ndarray, " b"]
) -> Float64[np.ndarray, "a b"]:
    """How far the maxima of one have to be carried, bin by bin, to be distributed as the other's; less is more."""
    found = np.zeros((len(rows), len(cols)))
    for place, row in enumerate(rows.tolist()):
        found[place] = -np.abs(one.below[row] - other.below[cols]).sum(1)
    return found
