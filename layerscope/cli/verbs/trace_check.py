"""`layerscope trace-check`: a network's own forward beside ours, from picture files on."""

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.networks import wanted
from layerscope.cli.output import Output, complain
from layerscope.cli.parser import Command


def run(command: Command, output: Output) -> int:
    """Compare, and end with status 1 where something does not agree."""
    found = ls.trace_check(**wanted(command, output))
    shape = "of other shapes" if found.levels == float("inf") else f"{found.levels:.2g} of 255 gray levels"
    rows = [("input", shape)]
    rows += [(name, f"{gap:.1g} of its largest value") for name, gap in found.gaps.items()]
    if found.gaps:
        rows.append(("first that differs", found.where or "none"))
        rows.append(("on the same input", f"{found.reading:.1g} at most (at {found.read_at})"))
    said = "" if found.fault else f"\n{words.printable(found.said)}"
    output.result(found.data(), f"{words.table(('compared', 'largest difference'), rows)}{said}")
    if found.fault:
        complain(f"{found.network}: {found.fault}")
        return 1
    return 0
