"""Where everything of a sheet lies: rows of panels from the top down, with the title above and the words below.

Laid out before anything is drawn, since the page's height follows from it.
"""

from collections.abc import Iterator

from layerscope.figures.branches import branches_height, lay_branches
from layerscope.figures.charts import lay_chart
from layerscope.figures.grids import grid_height, lay_grid
from layerscope.figures.measure import POINTS_PER_INCH, fitted, line_height, width, wrapped
from layerscope.figures.page import (
    CAPTION,
    FOOTER,
    HEADING,
    INK,
    SECTION,
    SMALL,
    SOFT,
    TITLE,
    Area,
    FigurePage,
    Item,
    Words,
)
from layerscope.figures.tree import Branches, Grid, Panel, PlainSheet

MARGIN = 0.06
PANEL_GAP = 0.17
ROW_GAP = 0.09
PART_GAP = 0.045
UNEQUAL_GAP = 0.14  # between parts that do not have one width
CHART_HEIGHT = 1.15


def lay_out(sheet: PlainSheet, page_width: float) -> FigurePage:
    """The page of this width, in inches, that holds the sheet."""
    items: list[Item] = []
    room = page_width - 2 * MARGIN
    top = MARGIN
    if sheet.title:
        top = _paragraph(items, sheet.title, MARGIN, top, room, TITLE, bold=True) + 0.09
    for row in _rows(sheet):
        top = _lay_row(items, row, sheet.columns, top, room)
    if sheet.caption:
        top = _paragraph(items, sheet.caption, MARGIN, top + 0.02, room, CAPTION) + 0.04
    if sheet.footer:
        top = _paragraph(items, sheet.footer, MARGIN, top, room, FOOTER, colour=SOFT)
    return FigurePage(width=page_width, height=top + MARGIN, items=tuple(items))


def _paragraph(
    items: list[Item],
    text: str,
    left: float,
    top: float,
    room: float,
    size: float,
    bold: bool = False,
    colour: str = INK,
) -> float:
    for line in wrapped(text, room, size, bold):
        items.append(Words(left=left, top=top, text=line, size=size, bold=bold, colour=colour))
        top += line_height(size)
    return top


def _rows(sheet: PlainSheet) -> Iterator[list[Panel]]:
    """The panels in rows: a row ends where the next panel no longer fits, or opens a section."""
    row: list[Panel] = []
    for panel in sheet.panels:
        if row and (panel.section or sum(p.span for p in row) + panel.span > sheet.columns):
            yield row
            row = []
        row.append(panel)
    if row:
        yield row


def _lay_row(items: list[Item], row: list[Panel], columns: int, top: float, room: float) -> float:
    if row[0].section:
        top = _lay_section(items, row[0], top, room)
    step = (room + PANEL_GAP) / columns
    left, bottom = MARGIN, top
    for panel in row:
        bottom = max(bottom, _lay_panel(items, panel, left, top, step * panel.span - PANEL_GAP))
        left += step * panel.span
    return bottom + ROW_GAP


def _lay_section(items: list[Item], panel: Panel, top: float, room: float) -> float:
    name = fitted(panel.section, room, SECTION, bold=True)
    items.append(Words(left=MARGIN, top=top, text=name, size=SECTION, bold=True))
    left = MARGIN + width(name, SECTION, bold=True) + 0.1
    note = fitted(panel.section_note, MARGIN + room - left, SMALL)
    # Both stand on one line of writing: the smaller type hangs lower by the difference of their heights.
    drop = 0.75 * (SECTION - SMALL) / POINTS_PER_INCH
    items.append(Words(left=left, top=top + drop, text=note, size=SMALL, colour=SOFT))
    return top + line_height(SECTION) + 0.03


def _lay_panel(items: list[Item], panel: Panel, left: float, top: float, room: float) -> float:
    if panel.heading:
        items.append(Words(left=left, top=top, text=fitted(panel.heading, room, HEADING), size=HEADING))
        top += line_height(HEADING) + 0.015
    bottom, place = top, left
    rooms = _rooms(panel, room)
    grids = [grid_height(part, room) for part, room in zip(panel.parts, rooms, strict=True) if isinstance(part, Grid)]
    for part, own in zip(panel.parts, rooms, strict=True):
        if isinstance(part, Grid):
            area = Area(left=place, top=top, width=own, height=grid_height(part, own))
            items.extend(lay_grid(part, area))
        elif isinstance(part, Branches):
            area = Area(left=place, top=top, width=own, height=branches_height(part, own))
            items.extend(lay_branches(part, area))
        else:
            beside = max(grids, default=0.0) if part.kind == "curves" else 0.0
            area = Area(left=place, top=top, width=own, height=max(CHART_HEIGHT, beside))
            items.extend(lay_chart(part, area))
        bottom, place = max(bottom, area.bottom), place + own + (UNEQUAL_GAP if panel.shares else PART_GAP)
    return bottom


def _rooms(panel: Panel, room: float) -> list[float]:
    """The width of each part, inches."""
    if panel.shares:
        room -= UNEQUAL_GAP * (len(panel.parts) - 1)
        return [room * share / sum(panel.shares) for share in panel.shares]
    slots = panel.slots or len(panel.parts)
    return [(room + PART_GAP) / slots - PART_GAP] * len(panel.parts)
