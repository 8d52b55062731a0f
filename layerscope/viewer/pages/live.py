"""The live page: which layers can be watched, and where the atlas keeps what their units fired for before."""

from dataclasses import dataclass

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.facts.run import first_view, images_of_run
from layerscope.facts.standing import names_said, names_shown
from layerscope.viewer.addresses import ServerLinks, SheetKey
from layerscope.viewer.engine import LiveEngine, WatchableLayer
from layerscope.viewer.frames import FRAME_BYTES, PICTURE_BYTES, PICTURE_PIXELS
from layerscope.viewer.pages.images import Thumbnail, around
from layerscope.viewer.pages.query import Query
from layerscope.viewer.shelf import Book

# Stands for a unit, or an image, in an address that the page's script completes.
NUMBER = 987654321
# Viridis at 17 places; the script fills in what lies between.
VIRIDIS = (
    *("#440154", "#48186a", "#472d7b", "#424086", "#3b528b", "#33638d", "#2c728e", "#26828e", "#21918c", "#1fa088"),
    *("#28ae80", "#3fbc73", "#5ec962", "#84d44b", "#addc30", "#d8e219", "#fde725"),
)
PICTURED = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A layer that can be watched. method: of its plate. page, tiles, patches, projections: addresses with {n} for a
    unit, tiles those that are made now, projections by method; "" where the atlas has none. names: by unit, what
    it is called; said: the same in a sentence's words. bare: units without tiles.
    """

    name: str
    kind: str
    units: int
    rows: int
    cols: int
    method: str
    page: str
    tiles: str
    patches: str
    projections: dict[str, str]
    names: dict[int, str]
    said: dict[int, str]
    dead: tuple[int, ...]
    bare: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePage:
    """All that stands on the page.

    classes: how many have a name. picture: the address of an image's small copy, with {n}; pictured: images that have
    one, evenly thinned to a few hundred; thumbnails: a few to pick from. height, width: of what the network gets, px.
    frame_bytes, picture_bytes, picture_pixels: the server's limits.
    socket, look: the addresses of the connection, and where pictures of one's own are sent to. looked: the page of a
    picture at every layer, with {n} for its key.
    """

    network: str
    images: str
    of_images: int
    classes: int
    methods: tuple[str, ...]
    height: int
    width: int
    layers: tuple[Watched, ...]
    picture: str
    pictured: tuple[int, ...]
    thumbnails: tuple[Thumbnail, ...]
    colours: tuple[str, ...] = VIRIDIS
    frame_bytes: int = FRAME_BYTES
    picture_bytes: int = PICTURE_BYTES
    picture_pixels: int = PICTURE_PIXELS
    socket: str = ""
    look: str = ""
    looked: str = ""


def facts(book: Book, query: Query, *, engine: LiveEngine, link: ServerLinks) -> LivePage:
    """What the page and its script need to know before the first frame."""
    stored = {layer.name: layer for layer in book.layers}
    return LivePage(
        network=engine.name,
        images=book.run.images,
        of_images=images_of_run(book.file),
        classes=len(engine.classes),
        methods=tuple(engine.methods),
        height=book.run.input.height,
        width=book.run.input.width,
        layers=tuple(_watched(book, stored[layer.name], layer, link) for layer in engine.layers),
        picture=_completed(link.picture(NUMBER)),
        pictured=book.pictured[:: max(1, -(-len(book.pictured) // PICTURED))],
        thumbnails=around(book),
        socket=link.live_socket(),
        look=link.upload(),
        looked=_completed(link.page("look", NUMBER)),
    )


def _watched(book: Book, stored: AtlasLayerRecord, layer: WatchableLayer, link: ServerLinks) -> Watched:
    view, maxima = first_view(book.run), book.maxima(stored)
    sheets = {
        method: SheetKey(layer=stored.id, unit=NUMBER, kind="projections", method=method, view=view)
        for method in book.run.methods
        if stored.method
    }
    return Watched(
        name=layer.name,
        kind=layer.kind,
        units=layer.units,
        rows=layer.rows,
        cols=layer.cols,
        method=stored.method or "",
        page=_completed(link.page("unit", stored, NUMBER)),
        tiles=_completed(link.page("tiles", stored, NUMBER)),
        patches=_completed(link.sheet(SheetKey(layer=stored.id, unit=NUMBER, kind="patches"))),
        projections={method: _completed(link.sheet(sheet)) for method, sheet in sheets.items()},
        names=names_shown(book.file, stored),
        said=names_said(book.file, stored),
        dead=tuple(np.flatnonzero(maxima <= 0).tolist()),
        bare=tuple(sorted(set(range(layer.units)) - book.shown(stored))),
    )


def _completed(address: str | None) -> str:
    return (address or "").replace(str(NUMBER), "{n}")
