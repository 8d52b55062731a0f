"""`layerscope show`: an atlas as tables: its layers, the units of a layer, the peaks of a unit. No torch."""

from collections.abc import Mapping
from typing import Any

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command

LAYERS = ("layer", "kind", ">units", ">dead", ">map", ">field px", ">tile px", "plate shows", ">kept")
UNITS = (">unit", ">maximum", ">mean", ">std", ">images above 0", ">positions above 0", ">peaks")
PEAKS = (">rank", ">value", ">row", ">col", "box", "class", "image")


def run(command: Command, output: Output) -> int:
    """Print a table of the atlas, of one of its layers, or of one unit."""
    shown = ls.show(**command.values)
    if not shown.finished:
        output.remark(f"{command.values['atlas']} is unfinished: the command that built it goes on where it was")
    if shown.kind == "units" and not shown.rows:
        output.remark(f"{shown.about['layer']} was not scanned yet")
    text = {"layers": _layers, "units": _units, "peaks": _peaks}[shown.kind](shown.rows, shown.about, shown.said)
    output.result(shown.data(), text)
    return 0


def _layers(layers: tuple[Mapping[str, Any], ...], about: Mapping[str, Any], said: str) -> str:
    """The layers, in execution order."""
    rows = []
    for layer in layers:
        field = layer["field"]
        sizes = (words.map_size(layer["map"]), words.size_of(field))
        method = layer["method"] or ("patches only" if layer["tile"] else "nothing yet")
        kept = "" if layer["kept"] is None else words.percent(layer["kept"])
        dead = "" if layer["dead"] is None else layer["dead"]
        rows.append((layer["name"], layer["kind"], layer["units"], dead, *sizes, layer["tile"] or "", method, kept))
    return words.table(LAYERS, rows)


def _units(units: tuple[Mapping[str, Any], ...], about: Mapping[str, Any], said: str) -> str:
    """The units of a layer, highest maximum first."""
    named = any("concept" in unit for unit in units)
    rows = [
        (
            *(
                unit["unit"],
                words.four_digits(unit["maximum"]),
                words.four_digits(unit["mean"]),
                words.four_digits(unit["std"]),
            ),
            *(words.percent(unit["images_above"]), words.percent(unit["positions_above"]), unit["peaks"] or "dead"),
            *([unit.get("at_peaks") or (unit["concept"]["concept"] if "concept" in unit else "")] if named else []),
        )
        for unit in units
    ]
    return words.table((*UNITS, "concept") if named else UNITS, rows)


def _peaks(peaks: tuple[Mapping[str, Any], ...], about: Mapping[str, Any], said: str) -> str:
    """The peaks of a unit, best first, each with its box on the source picture (the field, before the projection)."""
    rows = []
    for peak in peaks:
        box = f"source {_span(peak['source_box'])}" if peak["source_box"] else f"input {_span(peak['box'])}"
        place = (peak["row"], peak["col"])
        rows.append((peak["rank"], words.four_digits(peak["value"]), *place, box, peak["class"] or "", peak["source"]))
    head = f"unit {about['unit']} of {about['layer']}: {words.counted(len(peaks), 'peak')}"
    head += "" if peaks else " (never above zero)"
    note = "boxes: rows x columns, px of the source picture or of the network's input" if peaks else ""
    return "\n".join(part for part in (head, said, words.table(PEAKS, rows) if rows else "", note) if part)


def _span(box: Mapping[str, int]) -> str:
    return f"{box['top']}:{box['bottom']} x {box['left']}:{box['right']}"
