"""The pictures of an atlas as they go to a browser: stored sheets untouched, sprites and strata made of stored ones."""

from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from layerscope.atlas.codecs import cut, for_browsers
from layerscope.atlas.read import Encoded
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.codecs import BLANK
from layerscope.core.errors import NotAnAtlas, UsageError
from layerscope.core.records import UnitSheet
from layerscope.viewer.addresses import UNITS_PER_SPRITE, SheetKey
from layerscope.viewer.shelf import Book
from layerscope.viewer.strata import as_jpeg, strata_sheet

# A unit in a sprite: 3 x 3 tiles of 32 px. A sprite has 8 units in a row; its style sheet says the same.
TILE, GRID, ACROSS = 32, 3, 8
SIDE = TILE * GRID
# 64 units of 96 x 96 px stay below 160 KiB.
SPRITE_QUALITY = 60


class EncodedPicture(NamedTuple):
    """media: its type as browsers name it."""

    media: str
    content: bytes


def stored(book: Book, sheet: SheetKey) -> EncodedPicture | None:
    """A unit's tiles as stored; None if there are none."""
    return shown(book.file.encoded_sheet(sheet.layer, sheet.unit, sheet.kind, sheet.method, sheet.view))


def whole(book: Book, image: int) -> EncodedPicture | None:
    """An image's small whole picture as stored; None if it has none."""
    return shown(book.file.encoded_picture(image))


def strata(book: Book, layer: AtlasLayerRecord, unit: int) -> EncodedPicture | None:
    """A unit's strata, one sheet of four rows; None if there are none."""
    content = strata_sheet(book, layer, unit)
    return None if content is None else EncodedPicture("image/jpeg", content)


def shown(found: Encoded | None) -> EncodedPicture | None:
    """What was found, as a browser takes it. Raises UsageError for what is no such picture, or cannot be read here."""
    if found is None:
        return None
    try:
        codec, content = for_browsers(found.pixels, found.codec)
    except NotAnAtlas as error:
        raise UsageError(str(error)) from error
    return EncodedPicture(codec.media_type, content)


def blocks(layer: AtlasLayerRecord) -> int:
    """How many sprites of one kind a layer has."""
    return -(-layer.record.units // UNITS_PER_SPRITE)


def sprite(book: Book, layer: AtlasLayerRecord, block: int, kind: str) -> EncodedPicture:
    """Some units' tiles in small, one sheet of the layer's own method and view (or the patches) each, in one picture.

    A unit without such tiles is left mid-gray. JPEG with colours at half the resolution, in a tenth of the time that
    WebP takes. Its blocks do not reach over the tiles' edges.
    """
    return EncodedPicture("image/jpeg", book.sprite(layer, block, kind, lambda: _sprite(book, layer, block, kind)))


def _sprite(book: Book, layer: AtlasLayerRecord, block: int, kind: str) -> bytes:
    first = block * UNITS_PER_SPRITE
    units = range(first, min(first + UNITS_PER_SPRITE, layer.record.units))
    canvas = Image.new("RGB", (ACROSS * SIDE, -(-len(units) // ACROSS) * SIDE), (BLANK,) * 3)
    key = next((sheet for sheet in book.sheets(layer) if sheet[0] == kind), None)
    for place, unit in enumerate(units):
        sheet = book.file.sheet(layer.id, unit, *key) if key else None
        if sheet is not None:
            _draw(canvas, place % ACROSS * SIDE, place // ACROSS * SIDE, sheet)
    return as_jpeg(canvas, SPRITE_QUALITY)


def _draw(canvas: Image.Image, left: int, top: int, sheet: UnitSheet) -> None:
    """The first nine tiles of a sheet."""
    picture, count = Image.fromarray(sheet.pixels), len(sheet.scales)
    if count == GRID * GRID and min(picture.size) >= SIDE:
        # Averaging does not reach over the tiles' edges: all nine at once take a third of the time.
        canvas.paste(picture.resize((SIDE, SIDE), Image.Resampling.BOX), (left, top))
        return
    for number, tile in enumerate(cut(sheet.pixels, count)[: GRID * GRID]):
        place = left + number % GRID * TILE, top + number // GRID * TILE
        canvas.paste(_resized(tile), place)


def _resized(tile: UInt8[np.ndarray, "h w 3"]) -> Image.Image:
    """Small tiles stay sharp, as they are pixels of the network's input; large ones are averaged."""
    larger = max(tile.shape[:2]) > TILE
    how = Image.Resampling.BOX if larger else Image.Resampling.BICUBIC
    return Image.fromarray(tile).resize((TILE, TILE), how)
