"""The operations that networks may be made of, as plain values, and those that are declined."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from layerscope.api.checked import checked
from layerscope.core.verbs import VERBS
from layerscope.graph.ops import ROWS
from layerscope.graph.ops.refused import REASONS
from layerscope.graph.ops.table import Op


@dataclass(frozen=True, kw_only=True)
class Operations:
    """The table of operations. rows: each as plain values. declined: ATen targets with the reason."""

    rows: tuple[Mapping[str, Any], ...]
    declined: Mapping[str, str]

    def data(self) -> dict[str, Any]:
        """All of it as plain values."""
        declined = [{"target": target, "reason": reason} for target, reason in self.declined.items()]
        return {"rows": [dict(row) for row in self.rows], "declined": declined}


@checked(VERBS["ops"])
def ops() -> Operations:
    """List the operations that networks may be made of, with how a signal goes back through them."""
    return Operations(rows=tuple(row_data(row) for row in ROWS), declined=dict(REASONS))


def row_data(row: Op) -> dict[str, Any]:
    """A row as plain values. deconvnet, guided: "gradient", "own" or "both"."""
    return {
        "name": row.name,
        "linear": row.linear,
        "deconvnet": "own" if row.deconvnet else "gradient",
        "guided": "own" if row.guided else "both" if row.deconvnet else "gradient",
        "targets": [str(target) for target in row.targets],
    }
