"""`layerscope ops`: the operation table, and the operations that are declined."""

from collections.abc import Mapping
from typing import Any

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command

LEGEND = (
    "How a signal goes back, by method: by the gradient, by a rule of the method's own, or by both, own first. A\n"
    "method without a column goes by the gradient everywhere. For a linear operation the gradient is its adjoint."
)


def run(command: Command, output: Output) -> int:
    """Print the table."""
    found = ls.ops()
    header = ("operation", "linear", "activation", *found.methods, "ATen targets")
    table = words.table(header, [_row(row) for row in found.rows])
    refused = words.table(("declined", "reason"), list(found.declined.items()))
    output.result(found.data(), f"{table}\n\n{LEGEND}\n\n{refused}")
    return 0


def _row(data: Mapping[str, Any]) -> tuple[str, ...]:
    cells = {**data, "linear": "yes" if data["linear"] else "no", "activation": data["activation"] or ""}
    return tuple(" ".join(value) if isinstance(value, list) else value for value in cells.values())
