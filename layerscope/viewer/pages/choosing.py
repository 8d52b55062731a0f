"""Which units of a layer are chosen, and in which order, as an address says it: for its page and those of its units."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from layerscope.viewer.pages.query import Query
from layerscope.viewer.pages.units import UnitRow

SORTS = ("unit", "max", "mean", "share", "sparsity", "name", "score")
SHOWS = ("all", "live", "tiles")
DEFAULT_SORT = ("sort", "unit")
LONGEST_TEXT = 200
# By number, all units of a layer share a few sprites and stand on one page. In another order, or large, every unit
# brings two pictures of its own: so many units then make a page.
MOST_ALONE = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChoice:
    """What an address asks for. text: what units are to hold. asked: the words that it says so with, as a query."""

    text: str
    sort: str
    reverse: bool
    show: str
    asked: str


def choice_of(rows: Sequence[UnitRow], query: Query) -> UnitChoice:
    """What is asked for of these units. Raises UsageError for words that mean nothing."""
    text = query.one("q")[:LONGEST_TEXT]
    # A build may have kept tiles of a few units only: a page of blank tiles would hide them. What is searched for is
    # searched among all.
    few = 0 < sum(row.shown for row in rows) < sum(not row.dead for row in rows)
    found = {
        "q": text,
        "sort": query.choice("sort", SORTS, "unit"),
        "reverse": "1" if query.one("reverse") == "1" else "",
        "show": query.choice("show", SHOWS, "tiles" if few and not text.strip() else "all"),
    }
    said = {name: word for name, word in found.items() if word and query.one(name) and (name, word) != DEFAULT_SORT}
    return UnitChoice(
        text=text,
        sort=found["sort"],
        reverse=bool(found["reverse"]),
        show=found["show"],
        asked=urlencode(said),
    )


def chosen(rows: Sequence[UnitRow], choice: UnitChoice) -> list[UnitRow]:
    """The units of a choice, in its order."""
    return ordered(matching(rows, choice.text, choice.show), choice.sort, reverse=choice.reverse)


def by_number(rows: Sequence[UnitRow], units: Sequence[UnitRow], choice: UnitChoice) -> bool:
    """Whether a choice is all units, by number."""
    return len(units) == len(rows) and choice.sort == "unit" and not choice.reverse


def matching(rows: Sequence[UnitRow], text: str, show: str) -> list[UnitRow]:
    """The units that are to be shown and hold every word of the text, as a number or in what they are found by; of a
    text such as "edge 90" those of which a name holds it whole, where there are any."""
    kept = {"all": lambda row: True, "live": lambda row: not row.dead, "tiles": lambda row: row.shown}[show]
    wanted, shown = text.casefold().split(), [row for row in rows if kept(row)]
    # A number alone is a unit; behind a word it is a part of a name, where any name has it so.
    numbers = sum(word.isdecimal() for word in wanted)
    if 0 < numbers < len(wanted):
        named = [row for row in shown if _named(row, " ".join(wanted))]
        if named:
            return named
    return [row for row in shown if all(_holds(row, word) for word in wanted)]


def _named(row: UnitRow, whole: str) -> bool:
    return any(whole in said.casefold() for said in row.names)


def _holds(row: UnitRow, word: str) -> bool:
    if word.isdecimal():
        return int(word) == row.unit if len(word) < 10 else False
    return _named(row, word)


def why_found(row: UnitRow, text: str) -> tuple[str, ...]:
    """Of what a unit is found by, beside its name, that which holds a word of the text."""
    words = [word for word in text.casefold().split() if not word.isdecimal()]
    others = (said for said in (row.label, *row.others) if said and said not in (row.name, row.words))
    return tuple(dict.fromkeys(said for said in others if any(word in said.casefold() for word in words)))


def _down(value: float | None) -> tuple[bool, float]:
    """Largest first, what is not known last."""
    return value is None, -(value or 0.0)


# Ties keep the order of the units.
KEYS: dict[str, Callable[[UnitRow], Any]] = {
    "unit": lambda row: row.unit,
    "max": lambda row: _down(row.maximum),
    "mean": lambda row: _down(row.mean),
    "share": lambda row: _down(row.images_above),
    # The sparsest first: the fewest positions above zero. Dead units would be the sparsest and say nothing.
    "sparsity": lambda row: (row.dead or row.positions_above is None, row.positions_above or 0.0),
    "name": lambda row: (row.name is None, row.words),
    "score": lambda row: _down(row.score),
}


def ordered(rows: Sequence[UnitRow], sort: str, *, reverse: bool = False) -> list[UnitRow]:
    """In the order of a word of SORTS, or the other way round."""
    found = sorted(rows, key=KEYS[sort])
    return found[::-1] if reverse else found
