"""Numbers, sizes, times, fields and tables as a terminal shows them, in plain ASCII."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from layerscope.core.names import printable
from layerscope.core.numbers import counted, duration, file_size, four_digits, percent

if TYPE_CHECKING:
    from layerscope.core.geometry import Field, Number, Window
    from layerscope.core.records import Input

# The words that a terminal shares with figures and pages, beside those of its own below.
__all__ = [
    "by_axis",
    "counted",
    "duration",
    "field_data",
    "field_size",
    "file_size",
    "four_digits",
    "input_data",
    "input_text",
    "map_size",
    "percent",
    "printable",
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


def map_size(size: tuple[int, int] | None) -> str:
    """The rows and columns of a map; a dense layer has none."""
    return "dense" if size is None else f"{size[0]}x{size[1]}"


def by_axis(rows: object, cols: object, joined: str = "x") -> str:
    """A value for each axis, said once where both are the same."""
    return str(rows) if rows == cols else f"{rows}{joined}{cols}"


def field_size(field: "Field") -> str:
    """The size of a receptive field, px."""
    return "whole image" if field.sees_all else f"{field.rows.size}x{field.cols.size}"


def field_data(field: "Field", expected: "Input") -> dict[str, Any]:
    """A receptive field as plain values, in input px; fractions as text. share: of the image's area, 0..1."""
    return {
        "rows": _window_data(field.rows),
        "cols": _window_data(field.cols),
        "whole": field.sees_all,
        "share": field.share(expected.height, expected.width),
        "note": field.note,
    }


def _window_data(window: "Window") -> dict[str, Any]:
    return {name: _plain(getattr(window, name)) for name in ("size", "step", "start")}


def _plain(value: "Number") -> int | str:
    return value if isinstance(value, int) else str(value)


def input_data(expected: "Input") -> dict[str, Any]:
    """What a network expects, as plain values."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(expected).items()}


def input_text(expected: "Input") -> str:
    """What a network expects, in words."""
    made = (
        f"squashed to {expected.height}x{expected.width}"
        if expected.crop == "squash"
        else f"short side {expected.resize or 'just large enough'}{' px' if expected.resize else ''}, center crop"
    )
    mean, std = (", ".join(f"{value:g}" for value in values) for values in (expected.mean, expected.std))
    order = f" {expected.order}" if expected.channels == 3 else ""
    return (
        f"{expected.channels}x{expected.height}x{expected.width}{order} ({made}, {expected.interpolation}; "
        f"mean {mean}; std {std})"
    )
