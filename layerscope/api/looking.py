"""A picture of one's own as a network sees it, beside what the atlas knows: one HTML file with everything inside."""

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32
from markupsafe import Markup

from layerscope.api import before
from layerscope.api.atlas import Atlas
from layerscope.api.checked import checked
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core import settings as s
from layerscope.core.errors import ImageError, UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.files import write_whole
from layerscope.core.live import Portrait
from layerscope.core.networks import OWN_WAY, How
from layerscope.core.records import Input, Placement
from layerscope.core.verbs import VERBS
from layerscope.figures.words import footer
from layerscope.viewer import encoded_pictures
from layerscope.viewer.addresses import SheetKey
from layerscope.viewer.pages.look import looked
from layerscope.viewer.pages.query import Query
from layerscope.viewer.render import assets, render
from layerscope.viewer.shelf import Book

if TYPE_CHECKING:
    from layerscope.api.network import Network
    from layerscope.live.engine import InferenceEngine
    from layerscope.models.types import Model
    from layerscope.sources import Source


def engine_of(
    file: AtlasFile, network: Any, how: How = OWN_WAY, *, images: "Source | None" = None
) -> "InferenceEngine":
    """The network of an atlas, ready to look at pictures.

    network: a Network, or what `trace` takes as a spec. images: where the atlas's images lie. Raises WrongModel for
    another network than the atlas's.
    """
    from layerscope.api.network import Network
    from layerscope.api.opening import network_for
    from layerscope.live.opening import engine_for, open_engine

    if isinstance(network, (str, os.PathLike)):
        return open_engine(file, os.fspath(network), how, images=images)
    network = network if isinstance(network, Network) else network_for(network, how, file.run.input)
    if how.weights is not None:
        raise UsageError("weights= goes with a spec; this network is already traced with its own")
    return engine_for(
        file, network.program, name=network.name, classes=network.classes, input=network.input, images=images
    )


@checked(VERBS["look"])
def look(
    atlas: Atlas | str | os.PathLike[str],
    net: "Network | Model",
    picture: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    method: str | None = s.METHOD.default,
    orientation: s.Orientation = s.ORIENTATION.default,
    max_pixels: int = s.MAX_PIXELS.default,
    weights: str | os.PathLike[str] | None = s.WEIGHTS.default,
    trust: bool = s.TRUST.default,
    bind: Mapping[str, Any] | None = s.BIND.default,
) -> Portrait:
    """Write a page of the units that a picture excites most, at every layer; what stands on it is returned as well.

    net: the atlas's network: a Network, or what `trace` takes as a spec. picture: a file that `build` would read, of
    any size that it takes. out: the HTML file; one that exists is replaced. method: of the projections, by default that
    of the atlas's deepest plate. orientation, max_pixels: as `images` takes them. weights: as for `trace`. Raises
    ImageError, WrongModel, UsageError.
    """
    path, page = Path(picture).expanduser(), Path(out).expanduser()
    before.require_weights(weights)
    before.require_file(page, "the page")
    with plain_failures(page, kind=UsageError), AtlasFile(_path_of(atlas)) as file:
        pixels, placement = _prepared(path, file.run.input, orientation, max_pixels)
        engine = engine_of(file, net, How.of(weights, trust, bind))
        query = Query((("method", method),) if method is not None else ())
        portrait = engine.portrait(pixels, placement)
        content = _page(Book("", file, ""), portrait, query, engine.methods, path.name)
        write_whole(page, content.encode())
    return portrait


def _path_of(atlas: Atlas | str | os.PathLike[str]) -> str | os.PathLike[str]:
    return atlas.file.path if isinstance(atlas, Atlas) else atlas


def _prepared(
    path: Path, input: Input, orientation: s.Orientation, max_pixels: int
) -> tuple[Float32[np.ndarray, "c h w"], Placement]:
    """A person's own file as the network's input, read and prepared as an image of a build. Raises ImageError."""
    from layerscope.sources import open_source

    try:
        path.open("rb").close()
    except OSError as error:
        raise ImageError(f'cannot read the picture "{path}": {error.strerror}') from error
    batch = open_source(path, orientation=orientation, max_pixels=max_pixels).load([0], input)
    if not len(batch.ids):
        raise ImageError(f'the picture "{path}" cannot be used: {batch.records[0].skipped}')
    return batch.pixels[0], batch.placements[0]


def _page(book: Book, portrait: Portrait, query: Query, methods: tuple[str, ...], title: str) -> str:
    return render(
        "look_alone.html",
        page=looked(book, query, portrait, key="", methods=methods),
        src=Inside(book, portrait),
        title=title,
        style=Markup(assets()["look.css"].decode()),
        made_by=footer(book.file),
    )


class Inside:
    """The pictures of the page as data URLs. They are Markup, since a page cuts long texts."""

    def __init__(self, book: Book, portrait: Portrait) -> None:
        self._book, self._portrait = book, portrait
        self._tiles = {(layer.layer, one.unit): one.tiles for layer in portrait.layers for one in layer.firings}

    def picture(self) -> Markup:
        return _url("image/png", self._portrait.picture)

    def tile(self, layer: AtlasLayerRecord, unit: int, method: str) -> Markup:
        return _url("image/png", self._tiles[layer.name, unit][method])

    def sheet(self, sheet: SheetKey) -> Markup | None:
        found = encoded_pictures.stored(self._book, sheet)
        return None if found is None else _url(found.media, found.content)

    def unit(self, layer: AtlasLayerRecord, unit: int) -> None:
        """One file has no other pages."""

    def made_tiles(self, layer: AtlasLayerRecord, unit: int) -> None:
        """Nor tiles that are made on request."""


def _url(media: str, content: bytes) -> Markup:
    return Markup(f"data:{media};base64,{base64.b64encode(content).decode()}")
