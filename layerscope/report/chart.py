"""Curves over layers as SVG that follows the page's colours, light or dark."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 680, 300, 46, 180, 16, 34
APART = 16  # px between the names of two curves


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCurve:
    """One value per layer, None where there is none. own: of a trained network, not of a baseline."""

    name: str
    values: tuple[float | None, ...]
    own: bool


def chart(curves: Sequence[LevelCurve], layers: Sequence[str], *, top: int) -> Markup:
    """Mean concept level, 1 to `top`, over layers. A curve without any value is left out, with its name."""
    curves = [curve for curve in curves if _known(curve)]
    across = (WIDTH - LEFT - RIGHT) / max(len(layers) - 1, 1)

    def place(layer: int, value: float) -> tuple[float, float]:
        return LEFT + layer * across, TOP + (top - value) / (top - 1) * (HEIGHT - TOP - BOTTOM)

    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="mean concept level by layer">']
    for level in range(1, top + 1):
        _, y = place(0, level)
        parts.append(f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{level}</text>')
    for layer, name in enumerate(layers):
        x, _ = place(layer, 1)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{escape(name)}</text>')
    labels = _labels([place(0, _known(curve)[-1])[1] for curve in curves])
    for number, (curve, label) in enumerate(zip(curves, labels, strict=True)):
        points = [place(layer, value) for layer, value in enumerate(curve.values) if value is not None]
        kind = "own" if curve.own else f"base b{number % 4}"
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline class="{kind}" points="{path}"/>')
        parts += [f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points]
        words = f'<text class="{kind}" x="{WIDTH - RIGHT + 12}" y="{label + 4:.1f}">{escape(curve.name)}</text>'
        parts.append(words)
    return Markup("".join([*parts, "</svg>"]))


def _known(curve: LevelCurve) -> list[float]:
    return [value for value in curve.values if value is not None]


def _labels(wanted: Sequence[float]) -> list[float]:
    """Where the names stand: beside their curve's end, but never on one another nor below the chart."""
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    heights, highest = [0.0] * len(wanted), float(TOP)
    for place in order:
        heights[place] = max(wanted[place], highest)
        highest = heights[place] + APART
    lowest = float(HEIGHT - BOTTOM)
    for place in reversed(order):
        heights[place] = min(heights[place], lowest)
        lowest = heights[place] - APART
    return heights
