"""What a search in the browser needs of an atlas: layers, names, images, and how their addresses are spelled."""

import json
from typing import Any

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.facts.by_name import IndexedName, in_peaks, notes_of
from layerscope.facts.standing import at_peaks
from layerscope.viewer.addresses import Links, SheetKey, numbered
from layerscope.viewer.pages.search import file_name, layer_answer
from layerscope.viewer.render import shown
from layerscope.viewer.shelf import Book

# What keeps the index of any atlas below a megabyte or two; a server's own page of answers has no such bounds.
MOST_NOTES, MOST_IMAGES = 2000, 4000


def search_script(book: Book, link: Links) -> str:
    """LS.put("search", "", INDEX), for static/answers.js.

    INDEX: an object. layers: in execution order. names: a list each: kind, name, its words where they are others, its
    group, its number of images or null, and layer, unit and score of its units, one behind the other. images: as
    `_images` says. Addresses that differ by a number alone are `Numbered`, or null where there are none.
    """
    places = {layer.id: place for place, layer in enumerate(book.layers)}
    index = {
        "layers": [_layer(book, layer, link) for layer in book.layers],
        "names": [_name(one, places) for one in (*book.names, *in_peaks(book.file), *notes_of(book.file)[:MOST_NOTES])],
        "images": _images(book, link),
    }
    # "<" is escaped although it is a script of its own: somebody may put it into a page.
    text = json.dumps(index, separators=(",", ":")).replace("<", "\\u003c")
    return f'LS.put("search", "", {text});\n'


def _layer(book: Book, layer: AtlasLayerRecord, link: Links) -> dict[str, Any]:
    """tiles: of the patches; of: the units that have any, true for all of them. photos: by unit without, the image
    that excites it most. cover: patches that stand for it. doubtful: by unit, what its peaks show where
    its name is in doubt."""
    units = range(layer.record.units)
    sheets = {
        unit: link.sheet(SheetKey(layer=layer.id, unit=unit, kind="patches"))
        for unit in sorted(book.file.units_with_sheets(layer.id, "patches"))
    }
    tiles = {unit: address for unit, address in sheets.items() if address is not None}
    cover = layer_answer(book, layer).sheet
    return {
        "name": shown(layer.name),
        "also": [shown(name) for name in (layer.record.path, *layer.record.aliases)],
        "units": len(units),
        "page": link.page("layer", layer),
        "unit": numbered({unit: link.page("unit", layer, unit) for unit in (units[0], units[-1])}),
        "tiles": numbered(tiles),
        "of": True if len(tiles) == len(units) else list(tiles),
        "photos": {unit: image for unit, image in book.photos(layer).items() if link.picture(image) is not None},
        "cover": link.sheet(cover) if cover else None,
        "doubtful": {unit: shown(kinds) for unit, kinds in at_peaks(book.file, layer).items()},
    }


def _name(one: IndexedName, places: dict[int, int]) -> list[Any]:
    units: list[float | None] = []
    for unit in one.units:
        score = None if unit.score is None else float(f"{unit.score:.6g}")
        units += [places[unit.layer.id], unit.unit, score]
    words = shown(one.words) if one.words != one.name else ""
    return [one.kind, shown(one.name), words, shown(one.group), one.images, units]


def _images(book: Book, link: Links) -> dict[str, Any]:
    """count: how many there are; every: each has a page, also those that are not listed. labels: classes. rows: number,
    place of its class among the labels or -1, whether there is a small picture, and the file's name."""
    records = book.file.images_named("", MOST_IMAGES)
    labels = sorted({one.label for one in records if one.label is not None})
    places = {label: place for place, label in enumerate(labels)}
    kept = {one.id for one in records if book.file.has_picture(one.id)}
    pictures = {image: link.picture(image) for image in sorted(kept)}
    return {
        "count": book.file.image_count(),
        "every": not link.static,
        "labels": [shown(label) for label in labels],
        "page": numbered({one.id: link.page("image", one.id) for one in records}),
        "picture": numbered({image: address for image, address in pictures.items() if address is not None}),
        "rows": [
            [one.id, places.get(one.label or "", -1), int(one.id in kept), shown(file_name(one.source))]
            for one in records
        ],
    }
