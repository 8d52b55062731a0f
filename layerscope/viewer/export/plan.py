"""The files of an export: one list, from which they are counted, estimated and written.

One table, MAKERS, says how each kind of file is made.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.version import __version__
from layerscope.viewer import encoded_pictures
from layerscope.viewer.addresses import SPRITES, SheetKey, layer_key
from layerscope.viewer.export.browser_network import FOLDER, network_file, network_files
from layerscope.viewer.export.edition import EditionBook
from layerscope.viewer.export.links import FileLinks
from layerscope.viewer.export.tiles import published, reduces
from layerscope.viewer.pages import PAGES, Query, all_pages
from layerscope.viewer.pages.telling import as_json, facts_of
from layerscope.viewer.render import STATIC, assets, render
from layerscope.viewer.scripts import names_script, sprites_style
from layerscope.viewer.search_index import search_script
from layerscope.viewer.sharing import sharing_of

MARKER = "layerscope-site.json"
# So many files of a kind are made to estimate the others; sprites take long and differ little.
SAMPLED, SAMPLED_SPRITES = 16, 4
# The way from a layer's folder to the site's.
TO_TOP = "../../"


class SiteFile(NamedTuple):
    """A file. path: in the site. kind: how it is made, a key of MAKERS. key: of what. weight: what its size grows with.

    bytes: its size where that is known beforehand.
    """

    path: str
    kind: str
    key: tuple[Any, ...]
    weight: int = 1
    bytes: int | None = None


class Estimate(NamedTuple):
    """How many files, exactly, and how many bytes: those known, and about how many more."""

    files: int
    known: int
    guessed: int

    @property
    def bytes(self) -> int:
        return self.known + self.guessed


@dataclass(frozen=True)
class Plan:
    """What an edition is as a site."""

    book: EditionBook

    @cached_property
    def pieces(self) -> tuple[SiteFile, ...]:
        """All files, in the order in which they are written."""
        return tuple(_pieces(self.book))

    def content(self, piece: SiteFile) -> bytes:
        """A file's bytes."""
        return MAKERS[piece.kind](self.book, *piece.key)

    @cached_property
    def estimate(self) -> Estimate:
        """Stored pictures weigh what they weigh in the atlas; of all else some are made, spread over the whole."""
        known, groups = 0, defaultdict[str, list[SiteFile]](list)
        for piece in self.pieces:
            if piece.bytes is None:
                groups[f"{piece.kind} {piece.key[0] if piece.kind in ('page', 'data') else ''}"].append(piece)
            else:
                known += piece.bytes
        return Estimate(len(self.pieces), known, round(sum(self._about(group) for group in groups.values())))

    def _about(self, group: list[SiteFile]) -> float:
        count = min(SAMPLED_SPRITES if group[0].kind == "sprite" else SAMPLED, len(group))
        some = [group[place * len(group) // count] for place in range(count)]
        made = sum(len(self.content(piece)) for piece in some)
        return made / sum(piece.weight for piece in some) * sum(piece.weight for piece in group)


def tops() -> re.Pattern[str]:
    """The names that may stand at the top of an export, of an earlier version too: pages, and folders of the rest."""
    pages = [page for page in all_pages() if page.exported and page.scope == "atlas"]
    files = [file for page in pages for file in (page.path({}), page.data_path({}))]
    return re.compile("|".join([*map(re.escape, files), "static", "i", FOLDER, r"l(?:\d{2,})?"]))


def _pieces(book: EditionBook) -> Iterator[SiteFile]:
    link, edition = FileLinks(book.edition), book.edition
    for name, content in _assets().items():
        yield SiteFile(link.asset(name), "asset", (name,), bytes=len(content))
    yield SiteFile(link.search_index(), "search", ())
    yield from _of(book, "atlas", link)
    for name, size in network_files(book).items():
        yield SiteFile(link.network_file(name), "network", (name,), bytes=size)
    sheets = defaultdict[tuple[int, int], list[SheetKey]](list)
    for sheet in edition.sheets:
        sheets[sheet.layer, sheet.unit].append(sheet)
    for layer in edition.layers:
        yield from _layer(book, layer, link)
        for unit in range(layer.record.units):
            yield from _unit(book, layer, unit, sheets[layer.id, unit], link)
    for image in edition.shown_images:
        yield from _of(book, "image", link, image)
        picture = link.picture(image)
        if picture is not None:
            yield SiteFile(picture, "picture", (image,), bytes=edition.pictures[image].bytes)
    yield SiteFile(MARKER, "marker", ())


def _of(book: EditionBook, scope: str, link: FileLinks, *of: Any, weight: int = 1) -> Iterator[SiteFile]:
    """The pages of the atlas, a layer, a unit or an image."""
    for page in all_pages():
        if page.scope == scope and page.exported and page.has(book):
            yield SiteFile(str(link.page(page.name, *of)), "page", (page.name, *of), weight=weight)
            values = link.data(Query(), page.name, *of)
            if values is not None:
                yield SiteFile(values, "data", (page.name, *of), weight=weight)


def _layer(book: EditionBook, layer: AtlasLayerRecord, link: FileLinks) -> Iterator[SiteFile]:
    units = layer.record.units
    yield from _of(book, "layer", link, layer, weight=units)
    yield SiteFile(link.sprites(layer), "style", (layer,), weight=units)
    yield SiteFile(link.names(layer), "names", (layer,), weight=units)
    for block in range(encoded_pictures.blocks(layer)):
        for kind in SPRITES:
            sprite = link.sprite(layer, block, kind)
            if sprite is not None:
                yield SiteFile(sprite, "sprite", (layer, block, kind))


def _unit(
    book: EditionBook, layer: AtlasLayerRecord, unit: int, sheets: Sequence[SheetKey], link: FileLinks
) -> Iterator[SiteFile]:
    yield from _of(book, "unit", link, layer, unit)
    for sheet in sheets:
        known = None if reduces(book.edition, layer.id) else book.edition.sheets[sheet].bytes
        yield SiteFile(str(link.sheet(sheet)), "sheet", (sheet,), bytes=known)
    strata = link.strata(layer, unit)
    if strata is not None:
        yield SiteFile(strata, "strata", (layer, unit))


def _page(book: EditionBook, name: str, *of: Any) -> bytes:
    page, link = PAGES.known(name), _links_from(book, name, *of)
    values = {"book": book, "shelf": (book,), "link": link, "links_of": lambda _: link, "live": False}
    facts = _facts(book, name, *of)
    sharing = sharing_of(page, of, facts, book, link)
    return render(page.source, page=facts, sharing=sharing, **values).encode()


def _data(book: EditionBook, name: str, *of: Any) -> bytes:
    return as_json(_facts(book, name, *of)).encode()


def _facts(book: EditionBook, name: str, *of: Any) -> Any:
    """What stands on a page; asked for the page and, right after it, for its values."""
    key = (name, *(one.id if isinstance(one, AtlasLayerRecord) else one for one in of))
    return book.last_facts.get(key, lambda: _asked(book, name, *of))


def _asked(book: EditionBook, name: str, *of: Any) -> Any:
    page = PAGES.known(name)
    parts = dict(zip(page.parts, of, strict=True))
    if "layer" in parts:
        parts["layer"] = layer_key(parts["layer"])
    offered = {"shelf": None, "link": _links_from(book, name, *of)}
    return facts_of(page, book, Query.of(page.in_export), **parts, **{asked: offered[asked] for asked in page.asks})


def _links_from(book: EditionBook, name: str, *of: Any) -> FileLinks:
    """Addresses as this page sees them."""
    return FileLinks(book.edition, "../" * str(FileLinks(book.edition).page(name, *of)).count("/"))


@cache
def _assets() -> dict[str, bytes]:
    """The viewer's style sheets and scripts; what others wrote goes with its licence."""
    licences = sorted(file.name for file in (STATIC / "vendor").iterdir() if file.name.endswith(".LICENSE.txt"))
    return assets() | {f"vendor/{name}": (STATIC / "vendor" / name).read_bytes() for name in licences}


def _asset(book: EditionBook, name: str) -> bytes:
    return _assets()[name]


def _sheet(book: EditionBook, sheet: SheetKey) -> bytes:
    return _content(encoded_pictures.shown(published(book.edition, sheet)))


def _picture(book: EditionBook, image: int) -> bytes:
    return _content(encoded_pictures.whole(book, image))


def _sprite(book: EditionBook, layer: AtlasLayerRecord, block: int, kind: str) -> bytes:
    return _content(encoded_pictures.sprite(book, layer, block, kind))


def _strata(book: EditionBook, layer: AtlasLayerRecord, unit: int) -> bytes:
    return _content(encoded_pictures.strata(book, layer, unit))


def _content(picture: encoded_pictures.EncodedPicture | None) -> bytes:
    assert picture is not None, "only pictures that are there are listed"
    return picture.content


def _style(book: EditionBook, layer: AtlasLayerRecord) -> bytes:
    return sprites_style(book, layer, FileLinks(book.edition, TO_TOP)).encode()


def _names(book: EditionBook, layer: AtlasLayerRecord) -> bytes:
    return names_script(book, layer, FileLinks(book.edition, TO_TOP)).encode()


def _search(book: EditionBook) -> bytes:
    return search_script(book, FileLinks(book.edition)).encode()


def _network(book: EditionBook, name: str) -> bytes:
    return network_file(book, FileLinks(book.edition), name)


def _marker(book: EditionBook) -> bytes:
    """What tells the folder as ours, and what was chosen. It holds no time: two exports are equal."""
    choice = book.edition.choice
    content = {
        "layerscope": __version__,
        "fingerprint": book.run.fingerprint,
        "layers": len(book.layers),
        "photographs": choice.photographs,
        "projections": choice.projections,
        "plates": choice.plates,
        "values": choice.values,
        "tile": choice.tile,
        "url": choice.url,
    }
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


MAKERS: dict[str, Callable[..., bytes]] = {
    "asset": _asset,
    "page": _page,
    "data": _data,
    "style": _style,
    "names": _names,
    "search": _search,
    "network": _network,
    "sheet": _sheet,
    "sprite": _sprite,
    "strata": _strata,
    "picture": _picture,
    "marker": _marker,
}
