"""What a page is to whoever hands it on: its address, words and a picture for chats, figures, values, a citation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.facts.citing import citation
from layerscope.viewer.addresses import Links, ServerLinks, layer_key
from layerscope.viewer.pages import Page, Query
from layerscope.viewer.pages.previews import Preview
from layerscope.viewer.pages.telling import preview_of
from layerscope.viewer.shelf import Book

# The figures that a server draws of a page of this scope, by their files' endings.
FIGURES = ("png", "pdf")
DRAWN = ("layer", "unit")
NONE = Query()


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPage:
    """What stands in a page's head for others, and at its end for its reader.

    said: what is on the page. picture: a small one of it; None without. address: of the page as others can open it, ""
    where nobody has said under which name. below: the same below its atlas. data: its values as JSON. figures: by kind,
    empty where none can be drawn; drawn: whether the reader's browser draws one in their place; name: what its files
    are called, without an ending. bibtex: "" of no atlas. exported: whether an export has the page, too.
    """

    said: str
    picture: str | None
    address: str
    below: str
    data: str | None
    figures: Mapping[str, str]
    drawn: bool
    name: str
    bibtex: str
    exported: bool


def sharing_of(
    page: Page, of: Sequence[Any], facts: Any, book: Book | None, link: Links, query: Query = NONE
) -> SharedPage:
    """What a page gives to hand on. of: what it is of, as in `Links.page`. query: as it was asked, on a server."""
    found = preview_of(page, book, facts)
    address = link.page(page.name, *of)
    picture = _picture(found, link)
    return SharedPage(
        said=found.said,
        picture=(link.whole(picture) or picture) if picture else None,
        address=link.whole(address) if address else "",
        below="" if book is None else link.below(page.name, *of),
        data=link.data(query, page.name, *of),
        figures=_figures(page, of, found, link, query),
        drawn=page.name == "unit" and bool(found.units) and link.static,
        name="-".join(_plain_words(book, of)),
        bibtex="" if book is None else citation(book.run, _part(of)),
        exported=page.exported,
    )


def objects_of(page: Page, book: Book | None, parts: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a page is of, from the parts of its address. Raises UsageError for a layer that is not there."""
    return tuple(book.layer(parts[part]) if part == "layer" and book else parts[part] for part in page.parts)


def _picture(preview: Preview, link: Links) -> str | None:
    picture = preview.picture
    if picture is None:
        return None
    return link.picture(picture) if isinstance(picture, int) else link.sheet(picture)


def _figures(page: Page, of: Sequence[Any], preview: Preview, link: Links, query: Query) -> dict[str, str]:
    if page.name not in DRAWN or not preview.units or not isinstance(link, ServerLinks):
        return {}
    # A layer's figure shows the units that are on the page.
    words = urlencode([item for item in query.items if item[0] != "format"]) if page.name == "layer" else ""
    return {kind: f"{link.figure(kind, *of)}{f'?{words}' if words else ''}" for kind in FIGURES}


def _part(of: Sequence[Any]) -> str:
    """What of an atlas is meant, in words."""
    layers = [one.name for one in of if isinstance(one, AtlasLayerRecord)]
    numbers = [one for one in of if isinstance(one, int)]
    if layers:
        return f"unit {numbers[0]} of {layers[0]}" if numbers else f"layer {layers[0]}"
    return f"image {numbers[0]}" if numbers else ""


def _plain_words(book: Book | None, of: Sequence[Any]) -> list[str]:
    """Words of a file's name: nothing of a stranger's that is not plain."""
    words = [layer_key(one) if isinstance(one, AtlasLayerRecord) else str(one) for one in of]
    return [*([] if book is None else [book.slug]), *words]
