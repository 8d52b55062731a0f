"""`layerscope plugins`: what can be chosen by name, and who brings it."""

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command

HEADER = ("kind", "name", "from", "what it is")


def run(command: Command, output: Output) -> int:
    """List the rows of every registry."""
    found = ls.plugins()
    rows = [(row.kind, row.name, row.home, row.trouble or row.sentence) for row in found]
    output.result({"rows": [row.data() for row in found]}, words.table(HEADER, rows))
    return 0
