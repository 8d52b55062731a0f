"""A layer's page: all its units, sorted and filtered as the address says, in sections of as many as a sprite holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.facts.run import first_view, images_scanned
from layerscope.figures import words
from layerscope.viewer.addresses import UNITS_PER_SPRITE
from layerscope.viewer.pages.methods import MethodTrust, method_trust
from layerscope.viewer.pages.query import Query
from layerscope.viewer.pages.units import UnitRow, unit_rows
from layerscope.viewer.shelf import Book

SORTS = ("unit", "max", "mean", "share", "sparsity", "name", "score")
SHOWS = ("all", "live", "tiles")
ZOOMS = ("glance", "large")
LONGEST_TEXT = 200
# By number, all units of a layer share a few sprites and stand on one page. In another order, or large, every unit
# brings two pictures of its own: so many units then make a page.
MOST_ALONE = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSection:
    """Some units in a row. title: which."""

    title: str
    units: tuple[UnitRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPage:
    """What stands on a layer's page.

    field: the receptive field in words. images: how many were scanned. sheets: kind, method and view of the tiles.
    trust: sentences on them, "" without projections; measured: what they say, None without. labelled: images have
    classes. dead, with_tiles, named, twins: units of the layer. sort, reverse, show, text, zoom: as asked for. found:
    units that are like this; first, step: of these, how many come before this page, and how many stand on a page.
    sprites: units stand by number, so that a section is one sprite. previous, next: layers in execution order.
    """

    layer: AtlasLayerRecord
    field: str
    images: int
    sheets: tuple[tuple[str, str, str], ...]
    method: str
    trust: str
    measured: MethodTrust | None
    dissected: bool
    labelled: bool
    dead: int
    with_tiles: int
    named: int
    twins: int
    sort: str
    reverse: bool
    show: str
    text: str
    zoom: str
    found: int
    first: int
    step: int
    sprites: bool
    sections: tuple[UnitSection, ...]
    previous: AtlasLayerRecord | None
    next: AtlasLayerRecord | None


def facts(book: Book, query: Query, *, layer: str) -> LayerPage:
    """Raises UsageError for a layer that is not there, and for words of the query that mean nothing."""
    found = book.layer(layer)
    rows = unit_rows(book, found)
    with_tiles = sum(row.shown for row in rows)
    # A build may have kept tiles of a few units only: a page of blank tiles would hide them.
    show = query.choice("show", SHOWS, "tiles" if 0 < with_tiles < sum(not row.dead for row in rows) else "all")
    sort, reverse = query.choice("sort", SORTS, "unit"), query.one("reverse") == "1"
    text = query.one("q")[:LONGEST_TEXT]
    chosen = ordered(matching(rows, text, show), sort, reverse=reverse)
    zoom = query.choice("zoom", ZOOMS, "glance")
    plain = len(chosen) == len(rows) and sort == "unit" and not reverse
    sprites = plain and zoom == "glance"
    step = max(len(chosen), 1) if sprites else MOST_ALONE
    first = _first(query.one("from"), len(chosen), step)
    place = book.layers.index(found)
    return LayerPage(
        layer=found,
        field=words.field_words(found, book.file),
        images=images_scanned(book.file.unit_statistics(found.id)),
        sheets=book.sheets(found),
        method=words.method_words(found, found.method, first_view(book.run), shared_scale=False)
        if found.method
        else "",
        trust=words.trust_words(book.file, found, found.method) if found.method else "",
        measured=method_trust(book.file, found, found.method) if found.method else None,
        dissected=bool(book.file.concepts(found.id)),
        labelled=any(row.label is not None for row in rows),
        dead=sum(row.dead for row in rows),
        with_tiles=with_tiles,
        named=sum(row.name is not None for row in rows),
        twins=sum(row.twin is not None for row in rows),
        sort=sort,
        reverse=reverse,
        show=show,
        text=text,
        zoom=zoom,
        found=len(chosen),
        first=first,
        step=step,
        sprites=sprites,
        sections=sections(chosen, first, step, plain=plain),
        previous=book.layers[place - 1] if place else None,
        next=book.layers[place + 1] if place + 1 < len(book.layers) else None,
    )


def _first(asked: str, found: int, step: int) -> int:
    """Where a page begins: a multiple of its step, within what there is."""
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else 0
    return min(number, max(found - 1, 0)) // step * step


def matching(rows: Sequence[UnitRow], text: str, show: str) -> list[UnitRow]:
    """The units that are to be shown and hold every word of the text: as a number, or in name or class."""
    kept = {"all": lambda row: True, "live": lambda row: not row.dead, "tiles": lambda row: row.shown}[show]
    wanted = text.casefold().split()
    return [row for row in rows if kept(row) and all(_holds(row, word) for word in wanted)]


def _holds(row: UnitRow, word: str) -> bool:
    if word.isdecimal():
        return int(word) == row.unit if len(word) < 10 else False
    return any(word in said.casefold() for said in (row.name, row.at_peaks, row.label) if said)


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
    "name": lambda row: (row.name is None, row.name or ""),
    "score": lambda row: _down(row.score),
}


def ordered(rows: Sequence[UnitRow], sort: str, *, reverse: bool = False) -> list[UnitRow]:
    """In the order of a word of SORTS, or the other way round."""
    found = sorted(rows, key=KEYS[sort])
    return found[::-1] if reverse else found


def sections(rows: Sequence[UnitRow], first: int, step: int, *, plain: bool) -> tuple[UnitSection, ...]:
    """`step` units from the first on, in runs of UNITS_PER_SPRITE. plain: they are all units, by number."""
    found = []
    for low in range(first, min(first + step, len(rows)), UNITS_PER_SPRITE):
        part = tuple(rows[low : min(low + UNITS_PER_SPRITE, first + step)])
        high = low + len(part)
        title = f"Units {low}–{high - 1}" if plain else f"{low + 1}–{high} of {len(rows):,}"
        found.append(UnitSection(title=title, units=part))
    return tuple(found)
