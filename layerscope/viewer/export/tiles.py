"""Tiles as they are published: those of the atlas untouched, or smaller where that was chosen."""

import numpy as np
from PIL import Image

from layerscope.atlas.codecs import cut, encode, grid
from layerscope.atlas.read import Encoded
from layerscope.viewer.addresses import SheetKey
from layerscope.viewer.export.edition import Edition


def published(edition: Edition, sheet: SheetKey) -> Encoded | None:
    """A sheet's bytes; None if it is not published."""
    smaller = _reduced(edition, sheet) if reduces(edition, sheet.layer) else None
    return smaller or edition.encoded_sheet(sheet.layer, sheet.unit, sheet.kind, sheet.method, sheet.view)


def reduces(edition: Edition, layer_id: int) -> bool:
    """Whether a layer's tiles may have to be made smaller."""
    side = max((layer.tile or 0 for layer in edition.layers if layer.id == layer_id), default=0)
    return edition.choice.tile is not None and side > edition.choice.tile


def _reduced(edition: Edition, asked: SheetKey) -> Encoded | None:
    """A sheet with smaller tiles, in its own codec; None where they are not larger than chosen."""
    found, side = edition.sheet(asked.layer, asked.unit, asked.kind, asked.method, asked.view), edition.choice.tile
    if found is None or side is None:
        return None
    tiles = cut(found.pixels, len(found.scales))
    longer = max(tiles.shape[1:3])
    if longer <= side:
        return None
    height, width = (max(1, round(length * side / longer)) for length in tiles.shape[1:3])
    resized = (Image.fromarray(tile).resize((width, height), Image.Resampling.LANCZOS) for tile in tiles)
    codec = edition.sheets[asked].codec
    small = grid(np.stack([np.asarray(tile) for tile in resized]))
    return Encoded(codec, encode(small, codec, shows=asked.view or asked.kind))
