"""A unit among those that were chosen on its layer's page: which come before and behind it, and the way up."""

from dataclasses import dataclass
from urllib.parse import urlencode

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.viewer.pages.choosing import MOST_ALONE, by_number, choice_of, chosen
from layerscope.viewer.pages.query import Query
from layerscope.viewer.pages.units import unit_rows
from layerscope.viewer.shelf import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsAround:
    """previous, next: units, None at the ends. asked: the choice as a query, "" where there is none or the unit is not
    among them; text: what the chosen units hold. place: the unit's, from 1; found: how many were chosen; both 0 without
    a choice. up: the query of the layer's page on which the unit stands."""

    previous: int | None
    next: int | None
    asked: str = ""
    text: str = ""
    place: int = 0
    found: int = 0
    up: str = ""


def units_around(book: Book, layer: AtlasLayerRecord, unit: int, query: Query) -> UnitsAround:
    """The units before and behind this one, by number or as the query has them. Raises UsageError for wrong words."""
    if any(query.one(word) for word in ("q", "sort", "reverse", "show")):
        rows = unit_rows(book, layer)
        choice = choice_of(rows, query)
        units = chosen(rows, choice)
        numbers = [row.unit for row in units]
        if choice.asked and unit in numbers:
            place = numbers.index(unit)
            first = 0 if by_number(rows, units, choice) else place // MOST_ALONE * MOST_ALONE
            return UnitsAround(
                previous=numbers[place - 1] if place else None,
                next=numbers[place + 1] if place + 1 < len(numbers) else None,
                asked=choice.asked,
                text=choice.text,
                place=place + 1,
                found=len(numbers),
                up=f"{choice.asked}&{urlencode({'from': first})}" if first else choice.asked,
            )
    return UnitsAround(
        previous=unit - 1 if unit else None,
        next=unit + 1 if unit + 1 < layer.record.units else None,
        # At first a layer's page may show those with tiles alone.
        up="" if unit in book.shown(layer) else urlencode({"show": "all"}),
    )
