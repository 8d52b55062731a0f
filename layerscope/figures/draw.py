"""A page to a matplotlib figure: one pair of axes, in inches, over the whole page; pyplot stays untouched."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from layerscope.core.errors import UsageError
from layerscope.core.names import without_controls
from layerscope.figures.fonts import FAMILY, families, lacking, legible, missing_note
from layerscope.figures.layout import lay_out
from layerscope.figures.page import PAPER, THIN, FigurePage, Fill, Frame, Line, PlacedPicture, Words
from layerscope.figures.tree import PlainSheet, texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Everything that would let a user's own style change a figure, or make two savings of one sheet differ.
STYLE = {
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "layerscope",
    "font.family": list(FAMILY),
    # Letters where the font's own tables put them: with hinting a line's width would change with the resolution.
    "text.hinting": "none",
}
# matplotlib's settings are one per process: two threads that draw must take turns.
_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's own defaults and ours, whatever the user's settings are; they are back afterwards."""
    import matplotlib

    keep = ("backend", "backend_fallback", "interactive", "toolbar", "webagg.", "tk.", "keymap.", "timezone")
    settings: dict[Any, Any] = dict(matplotlib.rcParamsDefault)
    settings = {name: value for name, value in settings.items() if not name.startswith(keep)} | STYLE
    with _ONE_AT_A_TIME, matplotlib.rc_context(settings):
        yield


def missing_letters(sheet: PlainSheet) -> str:
    """Letters of the sheet's words that no font of this machine has, each once: they are drawn as escapes."""
    bold = (sheet.title, *(panel.section for panel in sheet.panels))
    found = [lacking(without_controls(text)) for text in texts(sheet)]
    found += [lacking(without_controls(text), True) for text in bold]
    return "".join(dict.fromkeys("".join(found)))


def draw(sheet: PlainSheet, *, width_inches: float | None = None) -> "Figure":
    """The sheet as a figure of this width in inches. Raises UsageError for a width outside 1..100 inches."""
    width = sheet.width if width_inches is None else width_inches
    if not 1 <= width <= 100:
        raise UsageError(f"a figure's width must lie in 1..100 inches, got {width}")
    with style():
        missing = missing_letters(sheet)
        if missing:
            sheet = replace(sheet, caption=f"{sheet.caption} {missing_note(missing)}".strip())
        return _figure(lay_out(sheet, width))


def _figure(page: FigurePage) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(page.width, page.height), facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    _pictures(axes, page)
    _lines(axes, page)
    for item in page.items:
        if isinstance(item, Frame):
            _frame(axes, item)
        elif isinstance(item, Words):
            _words(axes, item)
    axes.set(xlim=(0.0, page.width), ylim=(page.height, 0.0), aspect="auto")
    return figure


def _pictures(axes: "Axes", page: FigurePage) -> None:
    for item in page.items:
        if isinstance(item, PlacedPicture):
            area = item.area
            # "none": PDF and SVG get the pixels as they are, and a PNG the nearest of them.
            axes.imshow(
                item.pixels,
                extent=(area.left, area.right, area.bottom, area.top),
                interpolation="none",
                aspect="auto",
                zorder=1,
            )


def _lines(axes: "Axes", page: FigurePage) -> None:
    """All lines, and all fills, as one collection each: hundreds of single ones would take seconds."""
    from matplotlib.collections import LineCollection, PolyCollection

    lines = _of(page, Line)
    fills = _of(page, Fill)
    weights, colours = [line.weight for line in lines], [line.colour for line in lines]
    axes.add_collection(PolyCollection([f.corners for f in fills], facecolors=[f.colour for f in fills], zorder=2))
    axes.add_collection(
        LineCollection([(line.start, line.end) for line in lines], linewidths=weights, colors=colours, zorder=3)
    )


def _of(page: FigurePage, kind: type) -> list[Any]:
    return [item for item in page.items if isinstance(item, kind)]


def _frame(axes: "Axes", item: Frame) -> None:
    from matplotlib.patches import Rectangle

    area, dashes = item.area, "dashed" if item.dashed else "solid"
    for colour, weight in ((PAPER, 1.7 * THIN), (item.colour, THIN)):
        rectangle = Rectangle((area.left, area.top), area.width, area.height, fill=False, edgecolor=colour, zorder=4)
        rectangle.set_linewidth(weight)
        rectangle.set_linestyle(dashes if colour == item.colour else "solid")
        axes.add_patch(rectangle)


def _words(axes: "Axes", item: Words) -> None:
    text = legible(item.text, item.bold)
    axes.text(
        item.left,
        item.top,
        text,
        size=item.size,
        weight="bold" if item.bold else "normal",
        color=item.colour,
        family=list(families(text, item.bold)),
        ha=item.align,
        va="center_baseline" if item.hang == "center" else "top",
        parse_math=False,
        zorder=5,
    )
