"""What a network expects, and what a layer's positions see, as plain values and in words."""

from dataclasses import asdict
from typing import Any, cast

from layerscope.core.geometry import Field, Rational, Window
from layerscope.core.records import Input


def field_data(field: Field, expected: Input) -> dict[str, Any]:
    """A receptive field as plain values, in input px; fractions as text. share: of the image's area, 0..1."""
    return {
        "rows": _window_data(field.rows),
        "cols": _window_data(field.cols),
        "whole": field.sees_all,
        "share": field.share(expected.height, expected.width),
        "note": field.note,
        "beyond": field.beyond,
    }


def _window_data(window: Window) -> dict[str, Any]:
    return {name: _plain(getattr(window, name)) for name in ("size", "step", "start")}


def _plain(value: Rational) -> int | str:
    return value if isinstance(value, int) else str(value)


def input_data(expected: Input) -> dict[str, Any]:
    """What a network expects, as plain values."""
    known: dict[str, Any] = asdict(expected)
    return known | {name: list(cast("tuple[Any, ...]", v)) for name, v in known.items() if isinstance(v, tuple)}


def input_text(expected: Input) -> str:
    """What a network expects, in words."""
    size = f"{expected.height}x{expected.width}"
    resized = f"short side {expected.resize or 'just large enough'}{' px' if expected.resize else ''}"
    made = {
        "center": f"{resized}, center crop",
        "squash": f"squashed to {size}",
        "letterbox": f"fitted whole into {size}, gray beside it",
    }[expected.crop]
    mean, std = (", ".join(f"{value:g}" for value in values) for values in (expected.mean, expected.std))
    order = f" {expected.order}" if expected.channels == 3 else ""
    return (
        f"{expected.channels}x{expected.height}x{expected.width}{order} ({made}, {expected.interpolation}; "
        f"mean {mean}; std {std})"
    )
