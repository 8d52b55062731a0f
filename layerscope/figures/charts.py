"""A chart on the page, drawn with the same few items as the rest: fills, lines and words."""

from collections.abc import Iterator

from layerscope.figures.measure import fitted, line_height
from layerscope.figures.page import ACCENT, BAR, FAINT, INK, SMALL, SOFT, Area, Fill, Item, Line, Words
from layerscope.figures.sheet import Chart

LABEL_SHARE = 0.3  # of the width, for the words left of lying bars
NOTE_SHARE = 0.42  # ... and right of them
AXIS_LINES = 2  # lines of words below a histogram
TRIANGLE = 0.03  # half a mark's width, inches


def lay_chart(chart: Chart, area: Area) -> Iterator[Item]:
    """The items of a chart in its area."""
    return _histogram(chart, area) if chart.kind == "histogram" else _lying(chart, area)


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
    tallest = max(bar.value for bar in chart.bars) or 1.0

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
    left = area.left + area.width * LABEL_SHARE
    room = area.width * (1 - LABEL_SHARE - NOTE_SHARE)
    longest = max([bar.value for bar in chart.bars] + [0.0]) or 1.0
    for bar in chart.bars:
        middle = top + (bar.place + 0.5) * step
        words = fitted(bar.label, area.width * LABEL_SHARE - 0.06, SMALL)
        yield Words(left=left - 0.06, top=middle, text=words, size=SMALL, align="right", hang="center")
        right = left + room * max(bar.value, 0.0) / longest
        low, high = middle - 0.3 * step, middle + 0.3 * step
        yield Fill(corners=((left, low), (right, low), (right, high), (left, high)), colour=BAR)
        note = fitted(bar.note, area.width * NOTE_SHARE - 0.06, SMALL)
        yield Words(left=left + room + 0.06, top=middle, text=note, size=SMALL, colour=SOFT, hang="center")
    if chart.reference is not None:
        place = left + room * min(max(chart.reference / longest, 0.0), 1.0)
        yield Line(start=(place, top), end=(place, area.bottom), colour=FAINT)
