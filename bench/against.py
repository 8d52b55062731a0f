"""A run held to an earlier one: which lines are worse by more than both runs' own spread.

Ratios are compared, not times. A line that moved by less than five in a hundred is never told: of a few turns the
spread comes out too small now and then.
"""

from collections.abc import Mapping
from typing import Any

from bench.bundle import Bundle, BundleError
from bench.report import Line, number

LEAST = 0.05


def fallen(new: Bundle, old: Bundle) -> list[str]:
    """A sentence for each line that fell. Raises BundleError where the two runs measured different things."""
    if unlike := [part for part in ("sizes", "pictures", "networks") if not _alike(new.data[part], old.data[part])]:
        raise BundleError(f"the two runs cannot be compared: their {' and '.join(unlike)} are not the same")
    before = {line.name: line for line in old.lines}
    pairs = [(line, before[line.name]) for line in new.lines if line.name in before]
    return [
        f"{line.name}: {_range(line)}, was {_range(earlier)}" for line, earlier in pairs if _fell(line, earlier)
    ]  # fmt: skip


def differences(new: Bundle, old: Bundle) -> list[str]:
    """What else differs between the two runs: machine and versions, and lines that only one has."""
    found = [
        f"{part}, {name}: was {old.data[part].get(name)}, is {value}"
        for part in ("machine", "versions")
        for name, value in new.data[part].items()
        if name != "load" and old.data[part].get(name) != value
    ]
    names, earlier = ({line.name for line in bundle.lines} for bundle in (new, old))
    return found + [f"only in one of the two: {name}" for name in sorted(names ^ earlier)]


def _alike(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether what both runs name is the same: one that measured fewer lines opened fewer networks."""
    return all(new[name] == old[name] for name in new.keys() & old.keys())


def _fell(new: Line, old: Line) -> bool:
    """Each median lies beyond all of the other run's ratios, on the worse side. A line without an aim has none."""
    if new.aim is None:
        return False
    now, then = new.ratio, old.ratio
    if new.aim.at_least is not None:
        return now.median < then.low and now.high < then.median and now.median < then.median * (1 - LEAST)
    return now.median > then.high and now.low > then.median and now.median > then.median * (1 + LEAST)


def _range(line: Line) -> str:
    ratio = line.ratio
    return f"{number(ratio.median)} ({number(ratio.low)}..{number(ratio.high)})"
