"""THE table of operations: `TABLE`, from an ATen overload to its row.

To add an operation, add a row to the module that its kind belongs to (docs/add-an-op.md); nothing else changes.
"""

from torch._ops import OpOverload

from layerscope.graph.ops import conv, join, norm, pointwise, pool, shape
from layerscope.graph.ops.table import Op

ROWS: tuple[Op, ...] = (*conv.ROWS, *pool.ROWS, *pointwise.ROWS, *norm.ROWS, *join.ROWS, *shape.ROWS)


def _by_target(rows: tuple[Op, ...]) -> dict[OpOverload, Op]:
    table: dict[OpOverload, Op] = {}
    for row in rows:
        for target in row.targets:
            assert target not in table, f"two rows speak for {target}"
            table[target] = row
    return table


TABLE: dict[OpOverload, Op] = _by_target(ROWS)

# Rows whose output may share its memory with the input, and is no layer of its own.
VIEWS: frozenset[str] = frozenset(row.name for row in shape.ROWS)
