"""`layerscope ops`: the operation table, and the operations that are declined."""

import argparse
from typing import Any

from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.core.methods import METHODS
from layerscope.graph.ops import OPERATIONS
from layerscope.graph.ops.table import Op

LEGEND = (
    "How a signal goes back, by method: by the gradient, by a rule of the method's own, or by both, own first. A\n"
    "method without a column goes by the gradient everywhere. For a linear operation the gradient is its adjoint."
)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Print the table."""
    rows = [row_data(row) for row in OPERATIONS]
    declined = [{"target": target, "reason": reason} for target, reason in OPERATIONS.declined().items()]
    table = words.table(header(), [_row(row) for row in rows])
    refused = words.table(("declined", "reason"), [tuple(entry.values()) for entry in declined])
    output.result({"rows": rows, "declined": declined}, f"{table}\n\n{LEGEND}\n\n{refused}")
    return 0


def methods() -> tuple[str, ...]:
    """The methods that go another way than the gradient somewhere: those that have a column."""
    every = [row.name for row in METHODS]
    return tuple(name for name in every if any(row.rule(name).word != "gradient" for row in OPERATIONS))


def header() -> tuple[str, ...]:
    """The names of the table's columns."""
    return ("operation", "linear", "activation", *methods(), "ATen targets")


def row_data(row: Op) -> dict[str, Any]:
    """A row as plain values; by the name of a method "gradient", "own" or "both"."""
    return {
        "name": row.name,
        "linear": row.linear,
        "activation": row.activation,
        **{method: row.rule(method).word for method in methods()},
        "targets": [str(target) for target in row.targets],
    }


def _row(data: dict[str, Any]) -> tuple[str, ...]:
    told = {**data, "linear": "yes" if data["linear"] else "no", "activation": data["activation"] or ""}
    return tuple(" ".join(value) if isinstance(value, list) else value for value in told.values())
