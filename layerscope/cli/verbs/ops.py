"""`layerscope ops`: the operation table, and the operations that are declined."""

from collections.abc import Mapping
from typing import Any

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command

HEADER = ("operation", "linear", "deconvnet", "guided", "ATen targets")
LEGEND = (
    "How a signal goes back, for deconvnet and guided: by the gradient, by a rule of the method's own, or by both,\n"
    "own first; the method gradient always goes by the gradient. For a linear operation that is its adjoint."
)


def run(command: Command, output: Output) -> int:
    """Print the table."""
    found = ls.ops()
    table = words.table(HEADER, [_row(row) for row in found.rows])
    refused = words.table(("declined", "reason"), found.declined.items())
    output.result(found.data(), f"{table}\n\n{LEGEND}\n\n{refused}")
    return 0


def _row(data: Mapping[str, Any]) -> tuple[str, ...]:
    linear = "yes" if data["linear"] else "no"
    return data["name"], linear, data["deconvnet"], data["guided"], " ".join(data["targets"])
