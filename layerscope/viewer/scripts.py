"""What a layer's page loads besides pictures: a style sheet with its sprites, a script with its units' numbers."""

import json

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.viewer.addresses import SPRITES, Links, layer_key
from layerscope.viewer.encoded_pictures import blocks
from layerscope.viewer.pages.units import UnitRow, unit_rows
from layerscope.viewer.shelf import Book


def sprites_style(book: Book, layer: AtlasLayerRecord, link: Links) -> str:
    """One rule per section of units and kind of sprite: `.s3 .patches`; where a unit lies in it: sprite-places.css."""
    rules = []
    for block in range(blocks(layer)):
        for kind in SPRITES:
            address = link.sprite(layer, block, kind)
            if address is not None:
                rules.append(f'.s{block} .{kind} {{ background-image: url("{address}"); }}')
    return "\n".join(rules) + "\n"


def names_script(book: Book, layer: AtlasLayerRecord, link: Links) -> str:
    """The layer's units for search and sorting without a server: LS.put("units", KEY, rows).

    A row: unit, maximum, mean, share of images above zero, of positions, dead and shown (0 or 1), name in words, score,
    class, what its peaks show where the name is doubtful, what else it is found by, a line each, and the name itself.
    """
    rows = [_row(row) for row in unit_rows(book, layer)]
    # "<" is escaped although it is a script of its own: somebody may put it into a page.
    rows_json = json.dumps(rows, separators=(",", ":")).replace("<", "\\u003c")
    key = json.dumps(layer_key(layer)).replace("<", "\\u003c")
    return f'LS.put("units", {key}, {rows_json});\n'


def _row(row: UnitRow) -> list[int | float | str | None]:
    """Unrounded, so that a script's order is the server's."""
    numbers = (row.maximum, row.mean, row.images_above, row.positions_above)
    others = "\n".join(one for one in row.others if one != row.words)
    said = (row.words, row.score, row.label or "", row.at_peaks, others, row.name or "")
    return [row.unit, *numbers, int(row.dead), int(row.shown), *said]
