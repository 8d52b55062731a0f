"""`layerscope show`: an atlas as tables: its layers, the units of a layer, the peaks of a unit. No torch."""

from collections.abc import Mapping
from typing import Any

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.meters import meter
from layerscope.cli.output import Output
from layerscope.cli.parser import Command
from layerscope.cli.terminal import Terminal
from layerscope.core.concept_words import CLOSEST

LAYERS = ("layer", "kind", ">units", ">dead", ">map", ">field px", ">tile px", "plate shows", ">kept")
UNITS = (">unit", ">maximum", ">mean", ">std", ">images above 0")
BEHIND = (">positions above 0", ">peaks")
PEAKS = (">rank", ">value", ">row", ">col", "box", "class", "image")
# Of the concepts that name units of a layer so many are told.
CONCEPTS = 3

Rows = tuple[Mapping[str, Any], ...]


def run(command: Command, output: Output) -> int:
    """Print a table of the atlas, of one of its layers, or of one unit; in a terminal with the tiles."""
    values = dict(command.values)
    asked, terminal = values.pop("pictures"), output.terminal
    with ls.open(values["atlas"]) as atlas:
        shown = ls.show(atlas, values["layer"], values["unit"])
        if not shown.finished:
            output.remark(f"{values['atlas']} is unfinished: the command that built it goes on where it was")
        if shown.kind == "units" and not shown.rows:
            output.remark(f"{shown.about['layer']} was not scanned yet")
        text = {"layers": _layers, "units": _units, "peaks": _peaks}[shown.kind](
            shown.rows, shown.about, shown.said, terminal
        )
        picture = "" if output.json else _picture(atlas, shown.kind, shown.rows, shown.about, asked, terminal)
    # A unit is looked at first and read then; a long table would push the pictures of its units away.
    parts = (picture, text) if shown.kind == "peaks" else (text, picture)
    output.result(shown.data(), "\n\n".join(part for part in parts if part))
    path = values["atlas"]
    if shown.kind == "layers" and shown.rows:
        output.next(("show", path, shown.rows[-1]["name"]), "its units")
    elif shown.kind == "units" and shown.rows:
        output.next(("show", path, shown.about["layer"], shown.rows[0]["unit"]), "its peaks")
    output.next(("serve", path), "all of it, in the browser")
    return 0


def _picture(
    atlas: "ls.Atlas", kind: str, rows: Rows, about: Mapping[str, Any], asked: str | None, terminal: Terminal
) -> str:
    """The tiles of the unit, or of the layer's strongest units; empty where none are drawn."""
    from layerscope.cli import tiles

    form = tiles.form_for(asked, terminal)
    if form is None or kind == "layers":
        return ""
    layer = atlas[about["layer"]]
    if kind == "peaks":
        return tiles.unit_picture(layer[about["unit"]], form, terminal)
    alive = [row for row in rows if row["peaks"]]
    said = [words.printable(" ".join(filter(None, (str(row["unit"]), _name(row))))) for row in alive]
    return tiles.strongest_picture([layer[row["unit"]] for row in alive], said, form, terminal)


def _layers(layers: Rows, about: Mapping[str, Any], said: str, terminal: Terminal) -> str:
    """The layers, in execution order, with the concepts that name most of their units."""
    rows = []
    for layer in layers:
        field = layer["field"]
        sizes = (words.map_size(layer["map"]), words.size_of(field))
        method = layer["method"] or ("patches only" if layer["tile"] else "nothing yet")
        kept = "" if layer["kept"] is None else words.percent(layer["kept"])
        dead = "" if layer["dead"] is None else layer["dead"]
        bar = [meter(layer["kept"]) if layer["kept"] is not None else ""] if terminal.blocks else []
        plain = (layer["name"], layer["kind"], layer["units"], dead, *sizes, layer["tile"] or "", method, kept, *bar)
        rows.append((*plain, "" if layer["named"] is None else layer["named"], _concepts(layer["concepts"])))
    header = (*LAYERS, *([""] if terminal.blocks else []), ">named", "most of them")
    if all(layer["named"] is None for layer in layers):
        header, rows = header[:-2], [row[:-2] for row in rows]
    return words.table(header, rows)


def _concepts(concepts: list[Mapping[str, Any]]) -> str:
    rest = len(concepts) - CONCEPTS
    told = ", ".join(f"{one['words']} {one['units']}" for one in concepts[:CONCEPTS])
    return f"{told}, {words.counted(rest, 'other')}" if rest > 0 else told


def _units(units: Rows, about: Mapping[str, Any], said: str, terminal: Terminal) -> str:
    """The units of a layer, highest maximum first."""
    named, known = any("concept" in unit for unit in units), any("words" in unit for unit in units)
    rows = []
    for unit in units:
        numbers = (words.four_digits(unit[name]) for name in ("maximum", "mean", "std"))
        bar = [meter(unit["images_above"])] if terminal.blocks else []
        above = (words.percent(unit["images_above"]), *bar, words.percent(unit["positions_above"]))
        rows.append((unit["unit"], *numbers, *above, unit["peaks"] or "dead", *([_name(unit)] if known else [])))
    header = (*UNITS, *([""] if terminal.blocks else []), *BEHIND)
    return words.table((*header, CLOSEST if named else "known as") if known else header, rows)


def _name(unit: Mapping[str, Any]) -> str:
    return str(unit.get("words", ""))


def _peaks(peaks: Rows, about: Mapping[str, Any], said: str, terminal: Terminal) -> str:
    """The peaks of a unit, best first, each with its box on the source picture (the field, before the projection)."""
    rows = []
    for peak in peaks:
        box = f"source {_span(peak['source_box'])}" if peak["source_box"] else f"input {_span(peak['box'])}"
        place = (peak["row"], peak["col"])
        rows.append((peak["rank"], words.four_digits(peak["value"]), *place, box, peak["class"] or "", peak["source"]))
    head = words.printable(f"unit {about['unit']} of {about['layer']}: {words.counted(len(peaks), 'peak')}")
    head += "" if peaks else " (never above zero)"
    said = "\n".join(map(words.printable, said.splitlines()))
    note = "boxes: rows x columns, px of the source picture or of the network's input" if peaks else ""
    return "\n".join(part for part in (head, said, words.table(PEAKS, rows) if rows else "", note) if part)


def _span(box: Mapping[str, int]) -> str:
    return f"{box['top']}:{box['bottom']} x {box['left']}:{box['right']}"
