"""`layerscope ops`: the operation table, and the operations that are declined."""

import argparse
from typing import Any

from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.graph.ops import ROWS
from layerscope.graph.ops.refused import REASONS
from layerscope.graph.ops.table import Op

HEADER = ("operation", "linear", "deconvnet", "guided", "ATen targets")
LEGEND = (
    "How a signal goes back, for deconvnet and guided: by the gradient, by a rule of the method's own, or by both,\n"
    "own first; the method gradient always goes by the gradient. For a linear operation that is its adjoint."
)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Print the table."""
    rows = [row_data(row) for row in ROWS]
    declined = [{"target": target, "reason": reason} for target, reason in REASONS.items()]
    table = words.table(HEADER, [_row(row) for row in rows])
    refused = words.table(("declined", "reason"), [tuple(entry.values()) for entry in declined])
    output.result({"rows": rows, "declined": declined}, f"{table}\n\n{LEGEND}\n\n{refused}")
    return 0


def row_data(row: Op) -> dict[str, Any]:
    """A row as plain values. deconvnet, guided: "gradient", "own" or "both"."""
    return {
        "name": row.name,
        "linear": row.linear,
        "deconvnet": "own" if row.deconvnet else "gradient",
        "guided": "own" if row.guided else "both" if row.deconvnet else "gradient",
        "targets": [str(target) for target in row.targets],
    }


def _row(data: dict[str, Any]) -> tuple[str, ...]:
    linear = "yes" if data["linear"] else "no"
    return data["name"], linear, data["deconvnet"], data["guided"], " ".join(data["targets"])
