"""What the widget shows of layers, of a page of units and of one unit: plain values, whose size is bounded.

Pictures are addresses that hold their data: nothing is asked of any server, and every notebook shows them.
"""

from collections.abc import Sequence
from typing import Any

from layerscope.api import html
from layerscope.api.notebook import PICTURE_BYTES, unit_sheets
from layerscope.api.sentences import unit_sentences
from layerscope.atlas.read import Encoded
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.errors import UsageError
from layerscope.core.numbers import four_digits, percent, signed_percent
from layerscope.facts.known_as import known_as
from layerscope.facts.layer import live
from layerscope.facts.run import first_view
from layerscope.facts.standing import names_shown
from layerscope.facts.unit import unit_numbers
from layerscope.facts.wrapping import Reader

# Units of a page, and the longer side of the small pictures there, px.
UNITS, SIDE = 24, 112
PEAKS, PARTS = 32, 8


class _BytesLeft:
    """What is left of the bytes that an answer may have."""

    def __init__(self) -> None:
        self._left = html.PAGE_BYTES

    def taken(self, address: str) -> str:
        """The address, or nothing where it no longer fits."""
        if len(address) > self._left:
            return ""
        self._left -= len(address)
        return address


def listed_layers(file: Reader) -> list[dict[str, Any]]:
    """Every layer by name, with what it is and how many units it has."""
    return [{"name": one.name, "kind": one.record.kind, "units": one.record.units} for one in file.layers]


def first_of_page(unit: int) -> int:
    """The first unit of the page that a unit stands on."""
    return unit - unit % UNITS


def page_of_units(file: Reader, layer: AtlasLayerRecord, first: int) -> dict[str, Any]:
    """The units of one page, each with its first view of the projections, where there are any, and its patches.

    layer, first: which page. of: all units of the layer. method: of the projections, "" without. units: `unit`, `name`
    in words or "", `dead`, and the addresses `projections` and `patches`, "" where there is none or no room is left.
    """
    view = first_view(file.run)
    count, room = layer.record.units, _BytesLeft()
    names, alive = names_shown(file, layer), live(file.all_peaks(layer.id))
    units: list[dict[str, Any]] = []
    for unit in range(first, min(first + UNITS, count)):
        patches = file.encoded_sheet(layer.id, unit, "patches")
        method = layer.method
        projections = file.encoded_sheet(layer.id, unit, "projections", method, view) if method else None
        shown = {"projections": _small(projections, room), "patches": _small(patches, room)}
        units.append({"unit": unit, "name": html.cut(names.get(unit, "")), "dead": not alive[unit], **shown})
    return {"layer": layer.name, "first": first, "of": count, "method": layer.method or "", "units": units}


def _small(stored: Encoded | None, room: _BytesLeft) -> str:
    return room.taken(html.thumbnail_address(stored, SIDE)) if stored else ""


def sheet_of_unit(file: Reader, layer: AtlasLayerRecord, unit: int) -> dict[str, Any]:
    """What is known of one unit.

    layer, unit: which. name: a few words, or "". sentences: what is known in words. pictures: `title` and `address`, in
    the order of a plate. numbers: words and values. columns, peaks: the table of its peaks, and `more` that it leaves
    out. parts: `layer`, `unit`, `name` and `share` of the units that it is made of.
    """
    if not 0 <= unit < layer.record.units:
        raise UsageError(f'layer "{layer.name}" has units 0 to {layer.record.units - 1}, and no unit {unit}')
    room, pictures = _BytesLeft(), list[dict[str, str]]()
    for title, key in unit_sheets(file, layer).items():
        stored = file.encoded_sheet(layer.id, unit, *key)
        address = room.taken(html.picture_address(stored, PICTURE_BYTES)) if stored else ""
        if address:
            pictures.append({"title": html.cut(title), "address": address})
    peaks = file.peaks(layer.id, unit)
    rows = [
        [str(peak.rank), four_digits(peak.value), f"row {peak.row}, column {peak.col}", *_image(file, peak.image)]
        for peak in peaks[:PEAKS]
    ]
    return {
        "layer": layer.name,
        "unit": unit,
        "name": html.cut(known_as(file, layer, [unit]).get(unit, "")),
        "sentences": [html.cut(one, html.SENTENCE) for one in unit_sentences(file, layer, unit)],
        "pictures": pictures,
        "numbers": _numbers(file, layer, unit),
        "columns": ["rank", "value", "place in the map", "class", "image"],
        "peaks": rows,
        "more": len(peaks) - len(rows),
        "parts": _parts(file, layer, unit),
    }


def _image(file: Reader, image: int) -> Sequence[str]:
    record = file.image(image)
    return html.cut(record.label or ""), html.cut(record.source)


def _numbers(file: Reader, layer: AtlasLayerRecord, unit: int) -> list[list[str]]:
    found = unit_numbers(file.unit_statistics(layer.id), unit)
    if found is None:
        return []
    plain = {"maximum": found.maximum, "mean": found.mean, "standard deviation": found.std}
    shares = {"images above zero": found.images_above, "positions above zero": found.positions_above}
    return [
        *([name, four_digits(value)] for name, value in plain.items()),
        *([name, percent(value)] for name, value in shares.items()),
    ]


def _parts(file: Reader, layer: AtlasLayerRecord, unit: int) -> list[dict[str, Any]]:
    """The units of the nearest earlier layer that send most to its peaks."""
    found = next(iter(file.made_of(layer.id, unit)), None)
    if found is None:
        return []
    names = names_shown(file, file.layer(found.earlier))
    return [
        {
            "layer": found.earlier,
            "unit": one.unit,
            "name": html.cut(names.get(one.unit, "")),
            "share": signed_percent(one.share),
        }
        for one in found.strongest[:PARTS]
    ]
