"""The table of ONNX operators: by name, what computes a node of it. One module for each kind."""

from layerscope.models.onnx.ops import (
    arithmetic,
    arrange,
    layers,
    normal,
    parts,
    pointwise,
    pools,
    reduce,
    resize,
)
from layerscope.models.onnx.ops.table import OnnxOperator

ROWS: tuple[OnnxOperator, ...] = (
    *layers.ROWS, *pools.ROWS, *normal.ROWS, *pointwise.ROWS, *arithmetic.ROWS, *arrange.ROWS, *parts.ROWS,
    *reduce.ROWS, *resize.ROWS,
)  # fmt: skip
OPERATORS: dict[tuple[str, str], OnnxOperator] = {
    (domain, name): row for row in ROWS for domain in row.domains for name in (row.name, *row.also)
}

__all__ = ["OPERATORS", "ROWS", "OnnxOperator"]
