"""`layerscope figure`: plate, unit's page, filters or overview, as a file. No torch."""

from pathlib import Path

import layerscope as ls
from layerscope.api.figures import kind_of, remark_of
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command


def run(command: Command, output: Output) -> int:
    """Draw the figure and say where it is."""
    values = command.values
    out, layer = Path(values["out"]).expanduser(), values["layer"]
    kind = kind_of(layer, values["unit"], values["filters"], values["tree"])
    replaced = out.exists()
    if remark := remark_of(ls.figure(**values)):
        output.remark(remark)
    size = out.stat().st_size
    data = {"figure": str(out), "kind": kind, "layer": layer, "bytes": size, "replaced": replaced}
    output.result(data, f"{out}: {kind}, {words.file_size(size)}{', replaced' if replaced else ''}")
    return 0
