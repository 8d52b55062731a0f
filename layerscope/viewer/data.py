"""What pages load: pictures, style sheets and scripts of an atlas, by the routes below `data/MARK/`."""

from collections.abc import Callable, Mapping
from typing import Any

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.errors import UsageError
from layerscope.viewer import encoded_pictures
from layerscope.viewer.addresses import SPRITES, Links, SheetKey
from layerscope.viewer.encoded_pictures import EncodedPicture
from layerscope.viewer.render import ASSETS
from layerscope.viewer.scripts import names_script, sprites_style
from layerscope.viewer.search_index import search_script
from layerscope.viewer.shelf import Book

# From a book, the parts of the route and the book's addresses; None where there is no such thing. Raises UsageError.
Find = Callable[[Book, Mapping[str, Any], Links], EncodedPicture | None]


def _layer(book: Book, number: int) -> AtlasLayerRecord:
    found = next((layer for layer in book.layers if layer.id == number), None)
    if found is None:
        raise UsageError(f"there is no layer {number} in this atlas")
    return found


def _sheet(book: Book, parts: Mapping[str, Any], link: Links) -> EncodedPicture | None:
    kind, _, rest = parts["words"].partition(".")
    method, _, view = rest.partition(".")
    wanted = SheetKey(layer=parts["layer"], unit=parts["unit"], kind=kind, method=method, view=view)
    return encoded_pictures.stored(book, wanted)


def _sprite(book: Book, parts: Mapping[str, Any], link: Links) -> EncodedPicture | None:
    layer = _layer(book, parts["layer"])
    known = parts["kind"] in SPRITES and parts["block"] < encoded_pictures.blocks(layer)
    return encoded_pictures.sprite(book, layer, parts["block"], parts["kind"]) if known else None


def _whole(book: Book, parts: Mapping[str, Any], link: Links) -> EncodedPicture | None:
    return encoded_pictures.whole(book, parts["image"])


def _strata(book: Book, parts: Mapping[str, Any], link: Links) -> EncodedPicture | None:
    return encoded_pictures.strata(book, _layer(book, parts["layer"]), parts["unit"])


def _style(book: Book, parts: Mapping[str, Any], link: Links) -> EncodedPicture:
    return EncodedPicture(ASSETS["css"], sprites_style(book, _layer(book, parts["layer"]), link).encode())


def _search(book: Book, parts: Mapping[str, Any], link: Links) -> EncodedPicture:
    return EncodedPicture(ASSETS["js"], search_script(book, link).encode())


def _names(book: Book, parts: Mapping[str, Any], link: Links) -> EncodedPicture:
    return EncodedPicture(ASSETS["js"], names_script(book, _layer(book, parts["layer"]), link).encode())


ROUTES: dict[str, Find] = {
    "sheet/{layer:int}/{unit:int}/{words}": _sheet,
    "sprite/{layer:int}/{block:int}/{kind}": _sprite,
    "picture/{image:int}": _whole,
    "strata/{layer:int}/{unit:int}": _strata,
    "sprites/{layer:int}.css": _style,
    "names/{layer:int}.js": _names,
    "search.js": _search,
}
