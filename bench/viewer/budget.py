"""A budget: what is measured, its limit, what was found, and whether it is kept."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

HEADS = ("what", "limit", "measured", "met")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One line of the table.

    what: with all that changes the number. found: one value per repeat; their median is held to the limit. floor: the
    limit is a least value. below: the smallest value that can be told apart; what is smaller is shown as "under" it.
    """

    what: str
    limit: float
    found: Sequence[float]
    unit: str
    floor: bool = False
    below: float = 0.0

    @property
    def measured(self) -> float:
        return median(self.found)

    @property
    def met(self) -> bool:
        return self.measured >= self.limit if self.floor else self.measured <= self.limit


def head() -> str:
    """The first two lines of the table."""
    return "\n".join(_row(row) for row in (HEADS, ("---",) * len(HEADS)))


def markdown(budgets: Sequence[Budget]) -> str:
    """The lines below the head; in brackets the smallest and the largest of several repeats."""
    return "\n".join(_row(_cells(budget)) for budget in budgets)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(budget: Budget) -> tuple[str, ...]:
    limit = f"{'at least ' if budget.floor else ''}{budget.limit:,.4g} {budget.unit}".rstrip()
    return budget.what, limit, _measured_text(budget), "yes" if budget.met else "no"


def _measured_text(budget: Budget) -> str:
    if max(budget.found) < budget.below:
        return f"under {budget.below:,.3g} {budget.unit}"
    measured = f"{budget.measured:,.3g} {budget.unit}".rstrip()
    if len(budget.found) == 1 or min(budget.found) == max(budget.found):
        return measured
    return f"{measured} ({min(budget.found):,.3g} to {max(budget.found):,.3g})"


def share_of(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed: the nearest rank. Raises ValueError for none."""
    if not values:
        raise ValueError("nothing was measured")
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]
