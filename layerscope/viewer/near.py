"""What an address that names nothing may have meant: links to what is there."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.errors import UsageError, close_names
from layerscope.viewer.addresses import ServerLinks
from layerscope.viewer.pages.query import whole_number
from layerscope.viewer.shelf import Book

LONGEST = 60


class Suggestion(NamedTuple):
    """A page that may have been meant: its words, and its address."""

    words: str
    address: str


def suggestions(book: Book, link: ServerLinks, parts: Sequence[str]) -> tuple[Suggestion, ...]:
    """Pages of an atlas for an address below its own, given as the parts between slashes; the likeliest first."""
    return tuple(_meant(book, link, parts)) or tuple(_searched(link, parts))


def _meant(book: Book, link: ServerLinks, parts: Sequence[str]) -> Iterator[Suggestion]:
    kind, name, mark, number = (*parts, "", "", "", "")[:4]
    if kind == "l" and name:
        unit = whole_number(number) if mark == "u" else None
        for layer in _layers(book, name):
            yield from _in_layer(link, layer, unit)
    elif kind == "i" and (count := book.file.image_count()):
        yield Suggestion(f"image {count - 1}, the last", link.page("image", count - 1))


def _layers(book: Book, name: str) -> list[AtlasLayerRecord]:
    """The layer of this name; else those that are called nearly so."""
    try:
        return [book.layer(name)]
    except UsageError:
        names = [(layer, (layer.name, layer.record.path, *layer.record.aliases)) for layer in book.layers]
        every = {known: layer for layer, of_layer in names for known in of_layer}
        near = [every[one] for one in close_names(name[:LONGEST], every)]
        return list({layer.id: layer for layer in near}.values())


def _in_layer(link: ServerLinks, layer: AtlasLayerRecord, unit: int | None) -> Iterator[Suggestion]:
    last = layer.record.units - 1
    if unit is not None and unit <= last:
        yield Suggestion(f"{layer.name}, unit {unit}", link.page("unit", layer, unit))
    elif unit is not None:
        yield Suggestion(f"{layer.name}, unit {last}, its last", link.page("unit", layer, last))
    yield Suggestion(f"all units of {layer.name}", link.page("layer", layer))


def _searched(link: ServerLinks, parts: Sequence[str]) -> Iterator[Suggestion]:
    """A search for the last part that is a word; there is none in addresses of pictures."""
    words = [
        part for part in parts if len(part) > 1 and whole_number(part) is None and parts[0] not in ("data", "look")
    ]
    if words:
        query = urlencode({"q": words[-1][:LONGEST]}, errors="replace")
        yield Suggestion(f"search for “{words[-1][:LONGEST]}”", f"{link.page('search')}?{query}")
