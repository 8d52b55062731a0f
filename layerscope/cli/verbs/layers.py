"""`layerscope layers`: what can be asked of a network, and what cannot, with the reason."""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from layerscope.cli import words
from layerscope.cli.networks import outline
from layerscope.cli.output import Output

if TYPE_CHECKING:
    from layerscope.api.network import Network
    from layerscope.core.records import Input, LayerRecord

HEADER = ("", "layer", "kind", ">units", ">map", ">field px", ">step", ">start", ">of image")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """List the layers."""
    from layerscope.api.selection import left_out, several_outputs

    net = outline(arguments, output)
    layers = [layer for layer in net.layers if layer.auto or not arguments.auto]
    refused, lost = refusals(net)
    remarks = left_out(net)
    for sentence in remarks:
        output.remark(sentence)
    several = several_outputs(net)
    data = {
        "network": net.name,
        "input": words.input_data(net.input),
        "layers": [layer_data(layer, net.input) for layer in layers],
        "several_outputs": {name: list(outputs) for name, outputs in several.items()},
        "refused": refused,
        "replay": net.replay.data() if net.replay else None,
        "remarks": list(remarks),
    }
    parts = (_text(layers, net.input), _several_text(several), _refused_text(refused, lost), _replay_text(net))
    output.result(data, "\n\n".join(part for part in parts if part))
    return 0


def _replay_text(net: "Network") -> str:
    """What the comparison with the user's own network found, and what follows."""
    if net.replay is None:
        return ""
    warned = f"; nothing is built from it; {net.replay.advice}" if net.replay.fault else ""
    return words.printable(f"{net.replay.said}{warned}")


def layer_data(layer: "LayerRecord", expected: "Input") -> dict[str, Any]:
    """A layer as plain values. map: rows and columns, or null; field in input px."""
    return {
        "name": layer.name,
        "path": layer.path,
        "aliases": list(layer.aliases),
        "kind": layer.kind,
        "units": layer.units,
        "map": list(layer.map) if layer.map else None,
        "field": words.field_data(layer.field, expected),
        "auto": layer.auto,
        "rectified": layer.rectified,
    }


def refusals(net: "Network") -> tuple[list[dict[str, str]], int]:
    """The operations that no row speaks for, and how many nodes depend on one without being one."""
    graph = net.program.graph
    found = [{"node": node.name, "op": node.op, "reason": node.refused} for node in graph.nodes if node.refused]
    return found, sum(bool(graph.behind[node.id]) and not node.refused for node in graph.nodes)


def _text(layers: "list[LayerRecord]", expected: "Input") -> str:
    rows = [_row(layer, expected) for layer in layers]
    notes = [f"{layer.name}: {layer.field.note}" for layer in layers if layer.field.note]
    legend = ['* chosen by "auto"'] if any(layer.auto for layer in layers) else []
    return "\n".join([words.table(HEADER, rows), *legend, *dict.fromkeys(map(words.printable, notes))])


def _row(layer: "LayerRecord", expected: "Input") -> tuple[object, ...]:
    rows, cols = layer.field.rows, layer.field.cols
    seen = ("", "", "")
    if not layer.field.sees_all:
        share = words.percent(layer.field.share(expected.height, expected.width))
        seen = (words.by_axis(rows.step, cols.step), words.by_axis(rows.start, cols.start, ", "), share)
    mark = "*" if layer.auto else ""
    return mark, layer.name, layer.kind, layer.units, words.map_size(layer.map), words.field_size(layer.field), *seen


def _several_text(several: Mapping[str, Sequence[str]]) -> str:
    """The modules whose name means no layer, one line each."""
    return "\n".join(
        words.printable(f"{name} gives several outputs: {', '.join(outputs) or 'none of them can be had'}")
        for name, outputs in several.items()
    )


def _refused_text(refused: list[dict[str, str]], lost: int) -> str:
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
