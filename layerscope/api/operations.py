"""The operations that networks may be made of, as plain values, and those that are declined."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from layerscope.api.checked import checked
from layerscope.core.methods import METHODS
from layerscope.core.verbs import VERBS
from layerscope.graph.ops import OPERATIONS
from layerscope.graph.ops.table import Op


@dataclass(frozen=True, kw_only=True)
class Operations:
    """The table of operations. methods: those that go another way than the gradient somewhere. rows: each as plain
    values. declined: ATen targets with the reason."""

    methods: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    declined: Mapping[str, str]

    def data(self) -> dict[str, Any]:
        """All of it as plain values."""
        declined = [{"target": target, "reason": reason} for target, reason in self.declined.items()]
        return {"rows": [dict(row) for row in self.rows], "declined": declined}


@checked(VERBS["ops"])
def ops() -> Operations:
    """List the operations that networks may be made of, with how a signal goes back through them."""
    methods = _with_a_way_of_their_own()
    rows = tuple(row_data(row, methods) for row in OPERATIONS)
    return Operations(methods=methods, rows=rows, declined=OPERATIONS.declined())


def _with_a_way_of_their_own() -> tuple[str, ...]:
    """The methods that go another way than the gradient somewhere: those that have a column."""
    every = [row.name for row in METHODS]
    return tuple(name for name in every if any(row.rule(name).word != "gradient" for row in OPERATIONS))


def row_data(row: Op, methods: tuple[str, ...]) -> dict[str, Any]:
    """A row as plain values; by the name of a method "gradient", "own" or "both"."""
    return {
        "name": row.name,
        "linear": row.linear,
        "activation": row.activation,
        **{method: row.rule(method).word for method in methods},
        "targets": [str(target) for target in row.targets],
    }
