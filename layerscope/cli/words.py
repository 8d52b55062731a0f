"""Numbers, sizes, times, fields and tables as a terminal shows them, in plain ASCII."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from layerscope.core.geometry import Field


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


def printable(value: object) -> str:
    """Any value in one line: what would break a table or steer a terminal (a file may be named so) is escaped."""
    text = str(value)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count and its noun: "1 layer", "1,152 units"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def number(value: float | None) -> str:
    """A measured value to four significant digits."""
    return "" if value is None else f"{value:.4g}"


def percent(share: float) -> str:
    """A share in 0..1 as a percentage."""
    return f"{100 * share:.2g} %" if share < 0.0995 else f"{100 * share:.0f} %"


def duration(seconds: float) -> str:
    """A time as people say it: "0.4 s", "35 s", "12 min", "3 h 5 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def file_size(count: int) -> str:
    """Bytes as people say them, in powers of ten: "312 bytes", "4.1 kB", "118 MB"."""
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < 999.5:
            return f"{count} bytes" if unit == "bytes" else f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


def map_size(size: Sequence[int] | None) -> str:
    """The rows and columns of a map; a dense layer has none."""
    return "dense" if size is None else f"{size[0]}x{size[1]}"


def by_axis(rows: object, cols: object, joined: str = "x") -> str:
    """A value for each axis, said once where both are the same."""
    return str(rows) if rows == cols else f"{rows}{joined}{cols}"


def field_size(field: "Field") -> str:
    """The size of a receptive field, px."""
    return "whole image" if field.whole or field.note else f"{field.rows.size}x{field.cols.size}"


def size_of(field: Mapping[str, Any]) -> str:
    """The same of a field as plain values."""
    return "whole image" if field["whole"] else f"{field['rows']['size']}x{field['cols']['size']}"
