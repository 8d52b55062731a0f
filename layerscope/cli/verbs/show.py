"""`layerscope show`: an atlas as tables: its layers, the units of a layer, the peaks of a unit. No torch."""

import argparse
from collections import defaultdict
from dataclasses import asdict
from typing import Any

from layerscope.api.atlas import Atlas, AtlasLayer, Unit, open
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.core.geometry import Box
from layerscope.figures.words import named_words

LAYERS = ("layer", "kind", ">units", ">dead", ">map", ">field px", ">tile px", "plate shows")
UNITS = (">unit", ">maximum", ">mean", ">std", ">images above 0", ">positions above 0", ">peaks")
PEAKS = (">rank", ">value", ">row", ">col", "box", "class", "image")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Print a table of the atlas, of one of its layers, or of one unit."""
    with open(arguments.atlas) as atlas:
        if not atlas.finished:
            output.remark(f"{arguments.atlas} is unfinished: the command that built it goes on where it was")
        if arguments.layer is None:
            show_layers(atlas, output)
        elif arguments.unit is None:
            show_units(atlas, atlas[arguments.layer], output)
        else:
            show_peaks(atlas, atlas[arguments.layer][arguments.unit], output)
    return 0


def unit_rows(atlas: Atlas) -> dict[str, list[dict[str, Any]]]:
    """By layer, what the scan counted for each of its units; nothing for a layer that was not scanned yet."""
    columns, rows = atlas.file.table("units")
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        named = dict(zip(columns, row, strict=True))
        found[named.pop("layer")].append(named)
    return found


def show_layers(atlas: Atlas, output: Output) -> None:
    """The layers, in execution order. dead: units without a peak, null before the scan."""
    units = unit_rows(atlas)
    rows, data = [], []
    for stored in atlas.file.layers:
        layer, scanned = stored.record, units.get(stored.name)
        dead = None if scanned is None else sum(unit["peaks"] == 0 for unit in scanned)
        sizes = (words.map_size(layer.map), words.field_size(layer.field))
        shown = (stored.tile or "", stored.method or ("patches only" if stored.tile else "nothing yet"))
        rows.append((layer.name, layer.kind, layer.units, "" if dead is None else dead, *sizes, *shown))
        data.append(
            {
                "name": layer.name,
                "kind": layer.kind,
                "units": layer.units,
                "dead": dead,
                "map": list(layer.map) if layer.map else None,
                "field": words.field_data(layer.field, atlas.run.input),
                "auto": layer.auto,
                "tile": stored.tile,
                "method": stored.method,
                "method_why": stored.method_why,
            }
        )
    output.result({"atlas": str(atlas.file.path), "layers": data}, words.table(LAYERS, rows))


def show_units(atlas: Atlas, layer: AtlasLayer, output: Output) -> None:
    """The units of a layer, highest maximum first."""
    units: list[dict[str, Any]] = sorted(
        unit_rows(atlas).get(layer.name, ()), key=lambda unit: (-unit["maximum"], unit["unit"])
    )
    if not units:
        output.remark(f"{layer.name} was not scanned yet")
    concepts = {one.unit: one.best for one in layer.concepts if one.best is not None}
    units = [unit | ({"concept": asdict(concepts[unit["unit"]])} if unit["unit"] in concepts else {}) for unit in units]
    rows = [
        (
            *(
                unit["unit"],
                words.four_digits(unit["maximum"]),
                words.four_digits(unit["mean"]),
                words.four_digits(unit["std"]),
            ),
            *(words.percent(unit["images_above"]), words.percent(unit["positions_above"]), unit["peaks"] or "dead"),
            *([unit["concept"]["concept"] if "concept" in unit else ""] if concepts else []),
        )
        for unit in units
    ]
    header = (*UNITS, "concept") if concepts else UNITS
    output.result({"layer": layer.name, "units": units}, words.table(header, rows))


def show_peaks(atlas: Atlas, unit: Unit, output: Output) -> None:
    """The peaks of a unit, best first, each with its box on the source picture (the field, before the projection)."""
    rows, data = [], []
    for peak in unit.peaks:
        image = atlas.file.image(peak.image)
        box = f"source {_span(peak.source_box)}" if peak.source_box else f"input {_span(peak.box)}"
        rows.append(
            (peak.rank, words.four_digits(peak.value), peak.row, peak.col, box, image.label or "", image.source)
        )
        boxes = {name: _box_data(getattr(peak, name)) for name in ("box", "tile_box", "source_box")}
        data.append(
            {
                **{name: getattr(peak, name) for name in ("rank", "value", "image", "row", "col")},
                **{"source": image.source, "class": image.label, **boxes},
            }
        )
    head = f"unit {unit.number} of {unit.layer.name}: {words.counted(len(data), 'peak')}"
    dead = "" if data else " (never above zero)"
    note = "boxes: rows x columns, px of the source picture or of the network's input" if data else ""
    named = named_words(atlas.file, atlas.file.layer(unit.layer.name), unit.number)
    text = "\n".join(part for part in (f"{head}{dead}", named, words.table(PEAKS, rows) if data else "", note) if part)
    said = {"concept": asdict(unit.concept) if unit.concept else None, "note": unit.note}
    output.result({"layer": unit.layer.name, "unit": unit.number, **said, "peaks": data}, text)


def _span(box: Box) -> str:
    return f"{box.top}:{box.bottom} x {box.left}:{box.right}"


def _box_data(box: Box | None) -> dict[str, int] | None:
    return None if box is None else {side: getattr(box, side) for side in ("top", "left", "bottom", "right")}
