"""Conditions on what changed between two atlases, as a shell writes them: "dead>0", "matched<95%"."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from layerscope.core.changes import MATCHED, NAMES
from layerscope.core.values import Kind, Unfit

# The longer signs first: ">=" begins as ">" does.
SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": lambda found, bound: found >= bound,
    "<=": lambda found, bound: found <= bound,
    "==": lambda found, bound: found == bound,
    "!=": lambda found, bound: found != bound,
    ">": lambda found, bound: found > bound,
    "<": lambda found, bound: found < bound,
}
_WRITTEN = re.compile(
    rf"\s*({'|'.join(NAMES)})\s*(?:({'|'.join(SIGNS)})\s*(\d{{1,9}}(?:\.\d{{1,9}})?)\s*(%?)\s*)?", re.ASCII
)


class Condition(NamedTuple):
    """So many units of a kind. change: a word of core.changes. sign: of SIGNS. bound: a count, or a percentage."""

    change: str
    sign: str
    bound: float
    percent: bool = False

    def holds(self, count: int, of: int) -> bool:
        """Whether so many units, of all that there are, are as many as this says."""
        return SIGNS[self.sign](100 * count / max(of, 1) if self.percent else count, self.bound)

    @property
    def written(self) -> str:
        """As a shell writes it."""
        return f"{self.change}{self.sign}{self.bound:g}{'%' if self.percent else ''}"


class Bound(Kind[Condition]):
    """A condition; a word alone says that there is any such unit."""

    expected = f"a condition such as dead>0 or matched<95%, on one of {', '.join(NAMES)}"

    def check(self, value: Any) -> Condition:
        if isinstance(value, Condition):
            return value
        found = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise Unfit(value)
        change, sign, bound, percent = found.groups()
        if sign is None and change == MATCHED:
            raise Unfit(value, "; say how many, as in matched<95%")
        return Condition(change, sign or ">", float(bound or 0), bool(percent))
