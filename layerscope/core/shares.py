"""What a unit's peaks are made of, as a reader gets it: the units of an earlier layer with their shares.

How shares are computed is told in `project/shares.py`; these are the means over a unit's peaks.
"""

from dataclasses import dataclass

# Of each earlier layer so many units of the highest mean share are kept, and so many of the lowest, below zero.
POSITIVE, NEGATIVE = 8, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitShare:
    """One unit of an earlier layer, in what another unit is made of.

    unit: its number there. share: of the later unit's value, the mean over its peaks; below zero where it speaks
    against it. spread: the standard deviation over the peaks. row, col: where in the earlier layer's map the most of it
    comes from, in the image of the later unit's highest peak.
    """

    unit: int
    share: float
    spread: float
    row: int
    col: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Makes:
    """A later unit of whose peaks another is among the strongest parts. layer, unit: which. share: of its value."""

    layer: str
    unit: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeOf:
    """What a unit's peaks are made of, as one earlier layer sees it: shares of the value, means over the peaks.

    layer, unit: whose peaks. earlier: the earlier layer's name. peaks: how many. units: the share of all units of the
    earlier layer together. constants: what biases and other constants between the two layers add. past: what comes by
    ways past the earlier layer. The three are one, but for `rest`: the largest share of a peak that rounding leaves
    open. strongest: the units of the highest shares, at most eight, the highest first, then those that speak against
    it, at most four, the lowest first.
    """

    layer: str
    unit: int
    earlier: str
    peaks: int
    units: float
    constants: float
    past: float
    rest: float
    strongest: tuple[UnitShare, ...]
