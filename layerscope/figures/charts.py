"""A chart on the page, drawn with the same few items as the rest: fills, lines and words."""

from collections.abc import Iterator
from itertools import pairwise
from math import isfinite

from layerscope.core.numbers import percent
from layerscope.figures.measure import fitted, line_height, width
from layerscope.figures.page import ACCENT, BAR, FAINT, INK, PALE, SMALL, SOFT, Area, Fill, Item, Line, Words
from layerscope.figures.tree import Chart, Curve

LABEL_SHARE = 0.3  # of the width, at most, for the words left of lying bars
BAR_SHARE = 0.15  # ... and at least for the bars; the words right of them take what they need of the rest
WORD_GAP = 0.06  # between bars and words, inches
AXIS_LINES = 2  # lines of words below a histogram
TRIANGLE = 0.03  # half a mark's width, inches
CURVES = ((ACCENT, 1.2), (BAR, 1.2), (FAINT, 0.8))  # colour and weight in points, in order
DOT = 0.022  # half a point's width, inches
LEVELS = (0.0, 0.5, 1.0)


def lay_chart(chart: Chart, area: Area) -> Iterator[Item]:
    """The items of a chart in its area."""
    return {"histogram": _histogram, "bars": _lying, "curves": _curves}[chart.kind](chart, area)


def _histogram(chart: Chart, area: Area) -> Iterator[Item]:
    plot = Area(
        left=area.left,
        top=area.top + line_height(SMALL) + 0.02,
        width=area.width,
        height=area.height - (AXIS_LINES + 1) * line_height(SMALL) - 0.12,
    )
    places = [bar.place for bar in chart.bars]
    low, high = min(places), max(places) + 1
    step = plot.width / max(high - low, 1)
    tallest = chart.tallest or 1.0

    def across(place: float) -> float:
        return plot.left + (place - low) * step

    yield Words(left=plot.left, top=area.top, text=fitted(chart.values, plot.width, SMALL), size=SMALL, colour=SOFT)
    for bar in chart.bars:
        top = plot.bottom - plot.height * bar.value / tallest
        left, right = across(bar.place), across(bar.place + 1)
        yield Fill(corners=((left, plot.bottom), (left, top), (right, top), (right, plot.bottom)), colour=BAR)
    yield from _axis(chart, plot, across)


def _axis(chart: Chart, plot: Area, across) -> Iterator[Item]:
    """The line below a histogram with its ticks, breaks and marks."""
    yield Line(start=(plot.left, plot.bottom), end=(plot.right, plot.bottom), colour=INK)
    for place in chart.breaks:
        middle = across(place)
        for shift in (-0.02, 0.02):
            start, end = (middle + shift - 0.015, plot.bottom + 0.035), (middle + shift + 0.015, plot.bottom - 0.035)
            yield Line(start=start, end=end, colour=INK)
    for place in chart.marks:
        tip = across(place)
        corners = (tip, plot.bottom + 0.01), (tip - TRIANGLE, plot.bottom + 0.07), (tip + TRIANGLE, plot.bottom + 0.07)
        yield Fill(corners=corners, colour=ACCENT)
    for place, words in chart.ticks:
        yield Line(start=(across(place), plot.bottom), end=(across(place), plot.bottom + 0.03), colour=INK)
        top = plot.bottom + 0.085
        yield Words(left=across(place), top=top, text=words, size=SMALL, align="center")
    top = plot.bottom + 0.085 + line_height(SMALL)
    yield Words(
        left=plot.left + plot.width / 2,
        top=top,
        text=fitted(chart.axis, plot.width, SMALL),
        size=SMALL,
        colour=SOFT,
        align="center",
    )


def _lying(chart: Chart, area: Area) -> Iterator[Item]:
    yield Words(left=area.left, top=area.top, text=fitted(chart.values, area.width, SMALL), size=SMALL, colour=SOFT)
    top = area.top + line_height(SMALL) + 0.02
    step = (area.bottom - top) / max(len(chart.bars), 5)
    labels, room, notes = _shares(chart, area.width)
    left = area.left + labels
    longest = max([bar.value for bar in chart.bars] + [0.0]) or 1.0
    for bar in chart.bars:
        middle = top + (bar.place + 0.5) * step
        words = fitted(bar.label, labels - WORD_GAP, SMALL)
        yield Words(left=left - WORD_GAP, top=middle, text=words, size=SMALL, align="right", hang="center")
        right = left + room * max(bar.value, 0.0) / longest
        low, high = middle - 0.3 * step, middle + 0.3 * step
        yield Fill(corners=((left, low), (right, low), (right, high), (left, high)), colour=BAR)
        note = fitted(bar.note, notes - WORD_GAP, SMALL)
        yield Words(left=left + room + WORD_GAP, top=middle, text=note, size=SMALL, colour=SOFT, hang="center")
    if chart.reference is not None:
        place = left + room * min(max(chart.reference / longest, 0.0), 1.0)
        yield Line(start=(place, top), end=(place, area.bottom), colour=FAINT)


def _shares(chart: Chart, breadth: float) -> tuple[float, float, float]:
    """The room for labels, bars and notes, inches: words get what they need, as far as the bars stay bars."""
    labels = WORD_GAP + max((width(bar.label, SMALL) for bar in chart.bars), default=0.0)
    notes = WORD_GAP + max((width(bar.note, SMALL) for bar in chart.bars), default=0.0)
    labels = min(labels, LABEL_SHARE * breadth)
    notes = min(notes, (1 - BAR_SHARE) * breadth - labels)
    return labels, breadth - labels - notes, notes


def _curves(chart: Chart, area: Area) -> Iterator[Item]:
    """Curves over equal steps from 0 to 1, named above the plot by a piece of line each."""
    line = line_height(SMALL)
    scale = 0.06 + max(width(percent(level), SMALL) for level in LEVELS)
    top = area.top + len(chart.curves) * line + 0.08
    plot = Area(
        left=area.left + scale, top=top, width=area.width - scale - 0.1, height=area.bottom - top - AXIS_LINES * line
    )
    yield from _names(chart.curves, area)
    for level in LEVELS:
        height = plot.bottom - level * plot.height
        yield Line(start=(plot.left, height), end=(plot.right, height), colour=INK if level == 0 else PALE)
        left = plot.left - 0.05
        yield Words(left=left, top=height, text=percent(level), size=SMALL, colour=SOFT, align="right", hang="center")
    yield from _curve_axis(chart, plot)
    for curve, (colour, weight) in reversed(list(zip(chart.curves, CURVES, strict=False))):
        yield from _curve(curve, plot, _last_place(chart), colour, weight)


def _names(curves: tuple[Curve, ...], area: Area) -> Iterator[Item]:
    for place, (curve, (colour, weight)) in enumerate(zip(curves, CURVES, strict=False)):
        top = area.top + (place + 0.5) * line_height(SMALL)
        yield Line(start=(area.left, top), end=(area.left + 0.16, top), colour=colour, weight=weight)
        words = fitted(curve.label, area.width - 0.21, SMALL)
        yield Words(left=area.left + 0.21, top=top, text=words, size=SMALL, hang="center")


def _last_place(chart: Chart) -> int:
    return max([len(curve.values) for curve in chart.curves] + [2]) - 1


def _curve_axis(chart: Chart, plot: Area) -> Iterator[Item]:
    for place, words in chart.ticks:
        across = plot.left + plot.width * place / _last_place(chart)
        yield Words(left=across, top=plot.bottom + 0.03, text=words, size=SMALL, align="center")
    top = plot.bottom + 0.03 + line_height(SMALL)
    middle = plot.left + plot.width / 2
    yield Words(left=middle, top=top, text=chart.axis, size=SMALL, colour=SOFT, align="center")


def _curve(curve: Curve, plot: Area, last: int, colour: str, weight: float) -> Iterator[Item]:
    """A dot at each value, lines between neighbours; values are clipped to the plot."""
    points = [
        (plot.left + plot.width * place / last, plot.bottom - plot.height * min(max(value, 0.0), 1.0))
        for place, value in enumerate(curve.values)
        if isfinite(value)
    ]
    for start, end in pairwise(points):
        yield Line(start=start, end=end, colour=colour, weight=weight)
    for left, top in points:
        corners = ((left - DOT, top), (left, top - DOT), (left + DOT, top), (left, top + DOT))
        yield Fill(corners=corners, colour=colour)
