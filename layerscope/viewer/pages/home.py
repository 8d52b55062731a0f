"""The shelf: which atlases are here, what is in them, and where to start; a single one is led to at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.changes.sides import Side, side_of
from layerscope.core.errors import AtlasError
from layerscope.facts.run import images_of_run
from layerscope.figures import words
from layerscope.viewer.addresses import Links
from layerscope.viewer.pages.changed import comparable
from layerscope.viewer.pages.query import Query
from layerscope.viewer.pages.representatives import RepresentativeUnit, layer_to_open, representatives_across
from layerscope.viewer.shelf import Book, Shelf

COVER = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class OnShelf:
    """One atlas. side: what tells it from the others. images: in words; scanned: how many. start: the layer to open
    first, and its field in words; why: what speaks for it, as a sentence, or "".

    before: the short name of the last atlas above that it can be compared with, or "".
    dissected: it says what units detect. cover: one unit of each of some layers.
    """

    slug: str
    before: str
    side: Side
    title: str
    network: str
    images: str
    scanned: int
    layers: tuple[AtlasLayerRecord, ...]
    units: int
    finished: bool
    dissected: bool
    start: AtlasLayerRecord | None
    start_field: str
    why: str
    cover: tuple[RepresentativeUnit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """All atlases in the order given. missing: files that are not there now, or hold nothing yet."""

    atlases: tuple[OnShelf, ...]
    missing: tuple[str, ...]


def facts(shelf: Shelf, query: Query) -> HomePage:
    """What stands on the page of all atlases."""
    found: dict[str, OnShelf] = {}
    above: list[Book] = []
    for slug in shelf.slugs:
        try:
            book = shelf.book(slug)
            found[slug] = _on_shelf(book, above)
            above.append(book)
        except AtlasError:
            continue
    missing = tuple(shelf.path(slug).name for slug in shelf.slugs if slug not in found)
    return HomePage(atlases=tuple(found.values()), missing=missing)


def leads(shelf: Shelf, query: Query, link: Links) -> str | None:
    """Of a single atlas, where its lesson is; None where it cannot be had now, and for JSON, which is of the shelf."""
    slug, *others = shelf.slugs
    if others or query.one("format") == "json":
        return None
    try:
        book = shelf.book(slug)
        return f"{link.page('home')}{book.slug}/" if book.run and book.layers else None
    except AtlasError:
        return None


def _on_shelf(book: Book, above: Sequence[Book]) -> OnShelf:
    layers, start = book.layers, layer_to_open(book)
    return OnShelf(
        slug=book.slug,
        before=next((one.slug for one in reversed(above) if comparable(one, book)), ""),
        side=side_of(book.file),
        title=book.title,
        network=book.run.network,
        images=book.run.images,
        scanned=images_of_run(book.file),
        layers=layers,
        units=sum(layer.record.units for layer in layers),
        finished=book.finished,
        dissected=book.dissected,
        start=start.layer if start else None,
        start_field=words.field_words(start.layer, book.file) if start else "",
        why=start.why if start else "",
        cover=representatives_across(book, COVER),
    )
