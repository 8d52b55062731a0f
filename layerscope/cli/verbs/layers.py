"""`layerscope layers`: what can be asked of a network, and what cannot, with the reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.networks import wanted
from layerscope.cli.output import Output
from layerscope.cli.parser import Command

if TYPE_CHECKING:
    from layerscope.core.records import Input, LayerRecord
    from layerscope.core.replay import Replay

HEADER = ("", "layer", "part", "kind", ">units", ">map", ">field px", ">step", ">start", ">of image")


def run(command: Command, output: Output) -> int:
    """List the layers."""
    listing = ls.layers(**wanted(command, output))
    for sentence in listing.remarks:
        output.remark(sentence)
    parts = (
        _text(listing.layers, listing.input),
        _several_text(listing.several),
        _refused_text(listing.refused, listing.lost),
        _replay_text(listing.replay),
    )
    output.result(listing.data(), "\n\n".join(part for part in parts if part))
    return 0


def _replay_text(replay: "Replay | None") -> str:
    """What the comparison with the user's own network found, and what follows."""
    if replay is None:
        return ""
    warned = f"; nothing is built from it; {replay.advice}" if replay.fault else ""
    return words.printable(f"{replay.said}{warned}")


def _text(layers: "Sequence[LayerRecord]", expected: "Input") -> str:
    rows = [_row(layer, expected) for layer in layers]
    notes = [f"{layer.name}: {layer.field.note}" for layer in layers if layer.field.note and not layer.scan_only]
    notes += [
        f"and beyond their fields, layers from {layer.name} on: {layer.field.beyond}"
        for layer in layers
        if layer.field.beyond
    ][:1]
    scanned = [layer for layer in layers if layer.scan_only]
    if scanned:
        notes.append(f"no projections, patches and statistics only, from {scanned[0].name} on: {scanned[0].scan_only}")
    legend = ['* chosen by "auto"'] if any(layer.auto for layer in layers) else []
    header = HEADER
    if not any(layer.part for layer in layers):
        header, rows = (*HEADER[:2], *HEADER[3:]), [(*row[:2], *row[3:]) for row in rows]
    return "\n".join([words.table(header, rows), *legend, *dict.fromkeys(map(words.printable, notes))])


def _row(layer: "LayerRecord", expected: "Input") -> tuple[object, ...]:
    rows, cols = layer.field.rows, layer.field.cols
    seen = ("", "", "")
    if not layer.field.sees_all:
        share = words.percent(layer.field.share(expected.height, expected.width))
        seen = (words.by_axis(rows.step, cols.step), words.by_axis(rows.start, cols.start, ", "), share)
    mark = "*" if layer.auto else ""
    known = (layer.part, layer.kind, layer.units, words.map_size(layer.map), words.field_size(layer.field))
    return mark, layer.name, *known, *seen


def _several_text(several: Mapping[str, Sequence[str]]) -> str:
    """The modules whose name means no layer, one line each."""
    return "\n".join(
        words.printable(f"{name} gives several outputs: {', '.join(outputs) or 'none of them can be had'}")
        for name, outputs in several.items()
    )


def _refused_text(refused: Sequence[Mapping[str, str]], lost: int) -> str:
    """What is refused, one line for each operation and reason, with the first node it happens at."""
    if not refused:
        return ""
    verb = "has" if len(refused) == 1 else "have"
    behind = f"; {words.counted(lost, 'operation')} behind cannot be had" if lost else ""
    head = f"{words.counted(len(refused), 'operation')} {verb} no row{behind} (see layerscope ops):"
    times = Counter((entry["op"], entry["reason"]) for entry in refused)
    first = {(entry["op"], entry["reason"]): entry["node"] for entry in reversed(refused)}
    rows = [(op, count, first[op, reason], reason) for (op, reason), count in times.items()]
    return f"{head}\n{words.table(('operation', '>times', 'first at', 'reason'), rows)}"
