"""A layer's page: all its units, sorted and filtered as the address says, in sections of as many as a sprite holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.facts.run import first_view, images_of_layer
from layerscope.figures import words
from layerscope.viewer.addresses import UNITS_PER_SPRITE
from layerscope.viewer.pages.choosing import MOST_ALONE, by_number, choice_of, chosen, why_found
from layerscope.viewer.pages.methods import MethodTrust, method_trust
from layerscope.viewer.pages.query import Query, page_of
from layerscope.viewer.pages.units import UnitRow, unit_rows
from layerscope.viewer.shelf import Book

ZOOMS = ("glance", "large")


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
    classes. dead, with_tiles, named, twins: units of the layer. sort, reverse, show, text, zoom: as asked for; asked:
    the choice as a query, "" without one. found: units that are like this; bare: those without tiles; why: by unit,
    what it was found by beside its name. first, step: of these, how many come before this page, and how many stand on
    a page. sprites: units stand by number, so that a section is one sprite. previous, next: layers in execution order.
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
    asked: str
    zoom: str
    found: int
    bare: int
    why: Mapping[int, tuple[str, ...]]
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
    choice, zoom = choice_of(rows, query), query.choice("zoom", ZOOMS, "glance")
    units = chosen(rows, choice)
    plain = by_number(rows, units, choice)
    sprites = plain and zoom == "glance"
    step = max(len(units), 1) if sprites else MOST_ALONE
    first = page_of(query.one("from"), len(units), step)
    place = book.layers.index(found)
    return LayerPage(
        layer=found,
        field=words.field_words(found, book.file),
        images=images_of_layer(book.file, found),
        sheets=book.sheets(found),
        method=words.method_words(found, found.method, first_view(book.run), shared_scale=False)
        if found.method
        else "",
        trust=words.trust_words(book.file, found, found.method) if found.method else "",
        measured=method_trust(book.file, found, found.method) if found.method else None,
        dissected=bool(book.file.concepts(found.id)),
        labelled=any(row.label is not None for row in rows),
        dead=sum(row.dead for row in rows),
        with_tiles=sum(row.shown for row in rows),
        named=sum(row.name is not None for row in rows),
        twins=sum(row.twin is not None for row in rows),
        sort=choice.sort,
        reverse=choice.reverse,
        show=choice.show,
        text=choice.text,
        asked=choice.asked,
        zoom=zoom,
        found=len(units),
        bare=sum(not row.shown for row in units),
        why={row.unit: why_found(row, choice.text) for row in units[first : first + step]} if choice.text else {},
        first=first,
        step=step,
        sprites=sprites,
        sections=sections(units, first, step, plain=plain),
        previous=book.layers[place - 1] if place else None,
        next=book.layers[place + 1] if place + 1 < len(book.layers) else None,
    )


def sections(rows: Sequence[UnitRow], first: int, step: int, *, plain: bool) -> tuple[UnitSection, ...]:
    """`step` units from the first on, in runs of UNITS_PER_SPRITE. plain: they are all units, by number."""
    found = []
    for low in range(first, min(first + step, len(rows)), UNITS_PER_SPRITE):
        part = tuple(rows[low : min(low + UNITS_PER_SPRITE, first + step)])
        high = low + len(part)
        title = f"Units {low}–{high - 1}" if plain else f"{low + 1}–{high} of {len(rows):,}"
        found.append(UnitSection(title=title, units=part))
    return tuple(found)
