"""Numbers, sizes, times, fields and tables as a terminal shows them, in plain ASCII."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from layerscope.core.names import printable
from layerscope.core.numbers import counted, duration, file_size, four_digits, percent

if TYPE_CHECKING:
    from layerscope.core.geometry import Field

# The words that a terminal shares with figures and pages, beside those of its own below.
__all__ = [
    "by_axis",
    "counted",
    "duration",
    "field_size",
    "file_size",
    "four_digits",
    "map_size",
    "percent",
    "printable",
    "size_of",
    "table",
]


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Aligned columns under a header; a column whose header begins with ">" is set to the right."""
    right = [name.startswith(">") for name in header]
    lines = [[name.lstrip(">") for name in header], *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def map_size(size: Sequence[int] | None) -> str:
    """The rows and columns of a map; a dense layer has none."""
    return "dense" if size is None else f"{size[0]}x{size[1]}"


def by_axis(rows: object, cols: object, joined: str = "x") -> str:
    """A value for each axis, said once where both are the same."""
    return str(rows) if rows == cols else f"{rows}{joined}{cols}"


def field_size(field: "Field") -> str:
    """The size of a receptive field, px."""
    return "whole image" if field.sees_all else f"{field.rows.size}x{field.cols.size}"


def size_of(field: Mapping[str, Any]) -> str:
    """The same of a field as plain values."""
    return "whole image" if field["whole"] else f"{field['rows']['size']}x{field['cols']['size']}"
