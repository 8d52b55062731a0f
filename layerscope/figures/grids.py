"""A grid of tiles on the page: one composed picture where tiles are alike, else each fitted into a cell of its own."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import UInt8

from layerscope.core.geometry import Box
from layerscope.figures.measure import fitted, line_height, width, wrapped
from layerscope.figures.page import ACCENT, INK, PAPER, SMALL, SOFT, TINY, Area, Frame, Item, Line, PlacedPicture, Words
from layerscope.figures.tree import Grid, Tile

TILE_GAP = 0.045
LABEL_WIDTH = 0.62
DIVIDER = 0.6  # points
CHANGE = 1.6  # points, of the bar before a tile that has changed
WHITE = 255


def grid_height(grid: Grid, room: float) -> float:
    """The height that a grid of this width takes, inches."""
    _, side_height = _cell(grid, room)
    gaps = (grid.rows - 1) * TILE_GAP if grid.spaced else 0.0
    return _header(grid) + grid.rows * side_height + gaps + sum(_caption_height(grid, row) for row in range(grid.rows))


def lay_grid(grid: Grid, area: Area) -> Iterator[Item]:
    """The items of a grid in its area."""
    cells = _cells(grid, area)
    if grid.spaced:
        for tile, cell in zip(grid.tiles, cells, strict=True):
            yield from _lay_tile(tile, cell)
    else:
        inner = _inner(grid, area)
        yield PlacedPicture(area=inner, pixels=composed(grid))
        if not grid.note:
            yield from _dividers(grid, inner)
    yield from _row_labels(grid, cells, area)
    yield from _column_labels(grid, cells, area)
    yield from _changes(grid, cells)
    for tile, cell in zip(grid.tiles, cells, strict=True):
        yield from _centred(tile.note, cell, TINY)
    yield from _centred(grid.note, area, SMALL)


def composed(grid: Grid) -> UInt8[np.ndarray, "h w 3"]:
    """All tiles of a grid edge to edge in one picture; places without a tile are white."""
    height, width, _ = grid.tiles[0].picture.shape
    pixels = np.full((grid.rows * height, grid.columns * width, 3), WHITE, np.uint8)
    for index, tile in enumerate(grid.tiles):
        row, col = grid.place(index)
        pixels[row * height : (row + 1) * height, col * width : (col + 1) * width] = tile.picture
    return pixels


def label_width(grid: Grid) -> float:
    """The room left of the tiles, inches: a fixed one where they are spaced, else what the longest label takes."""
    if not grid.row_labels:
        return 0.0
    if grid.spaced:
        return LABEL_WIDTH
    return max(width(label, SMALL) for label in (*grid.row_labels, grid.corner)) + 0.06


def _beside(grid: Grid, room: float) -> float:
    """What the labels take of a grid's width, inches: at most half, so that there is always room for tiles."""
    return min(label_width(grid), room / 2)


def _header(grid: Grid) -> float:
    """The room above the tiles, inches."""
    return line_height(SMALL) + 0.02 if grid.column_labels else 0.0


def _inner(grid: Grid, area: Area) -> Area:
    """Where the tiles themselves lie."""
    left, top = _beside(grid, area.width), _header(grid)
    return Area(left=area.left + left, top=area.top + top, width=area.width - left, height=area.height - top)


def _cell(grid: Grid, room: float) -> tuple[float, float]:
    """Width and height of a cell, inches: square where the tiles are spaced, else of their own shape."""
    room -= _beside(grid, room)
    if grid.spaced:
        room -= (grid.columns - 1) * TILE_GAP
        return room / grid.columns, room / grid.columns
    height, breadth, _ = grid.tiles[0].picture.shape
    return room / grid.columns, room / grid.columns * height / breadth


def _cells(grid: Grid, area: Area) -> list[Area]:
    """Where each tile's cell lies."""
    breadth, height = _cell(grid, area.width)
    gap = TILE_GAP if grid.spaced else 0.0
    inner = _inner(grid, area)
    left, tops, top = inner.left, [], inner.top
    for row in range(grid.rows):
        tops.append(top)
        top += height + _caption_height(grid, row) + gap
    places = [grid.place(index) for index in range(len(grid.tiles))]
    return [Area(left=left + col * (breadth + gap), top=tops[row], width=breadth, height=height) for row, col in places]


def _caption_height(grid: Grid, row: int) -> float:
    tiles = grid.tiles[row * grid.columns : (row + 1) * grid.columns]
    lines = max(len(tile.caption.splitlines()) for tile in tiles)
    return lines * line_height(SMALL) + (0.03 if lines else 0.0)


def _dividers(grid: Grid, area: Area) -> Iterator[Item]:
    """White lines between tiles. Drawn over them, for a gap of whole pixels would be thick between tiles of 7 px."""
    for col in range(1, grid.columns):
        left = area.left + area.width * col / grid.columns
        yield Line(start=(left, area.top), end=(left, area.bottom), colour=PAPER, weight=DIVIDER)
    for row in range(1, grid.rows):
        top = area.top + area.height * row / grid.rows
        yield Line(start=(area.left, top), end=(area.right, top), colour=PAPER, weight=DIVIDER)


def _lay_tile(tile: Tile, cell: Area) -> Iterator[Item]:
    """A tile fitted into its cell, its shape kept, with its marks and the caption below the cell."""
    height, width, _ = tile.picture.shape
    scale = min(cell.width / width, cell.height / height)
    area = Area(
        left=cell.left + (cell.width - width * scale) / 2,
        top=cell.top + (cell.height - height * scale) / 2,
        width=width * scale,
        height=height * scale,
    )
    yield PlacedPicture(area=area, pixels=tile.picture)
    for mark in tile.marks:
        yield Frame(area=on_page(mark.box.clipped(height, width), area, scale), dashed=mark.dashed)
    for index, line in enumerate(tile.caption.splitlines()):
        top = cell.bottom + 0.02 + index * line_height(SMALL)
        colour = INK if index == 0 else SOFT
        middle = cell.left + cell.width / 2
        yield Words(
            left=middle, top=top, text=fitted(line, cell.width, SMALL), size=SMALL, colour=colour, align="center"
        )


def on_page(box: Box, area: Area, scale: float) -> Area:
    """A box of a picture, px, on the page. area: where the picture lies. scale: inches per px."""
    return Area(
        left=area.left + box.left * scale,
        top=area.top + box.top * scale,
        width=box.width * scale,
        height=box.height * scale,
    )


def _row_labels(grid: Grid, cells: list[Area], area: Area) -> Iterator[Item]:
    for row, label in enumerate(grid.row_labels):
        cell = cells[row * grid.columns]
        lines = wrapped(label, _beside(grid, area.width) - 0.05, SMALL)
        top = cell.top + (cell.height - len(lines) * line_height(SMALL)) / 2
        for index, line in enumerate(lines):
            yield Words(left=area.left, top=top + index * line_height(SMALL), text=line, size=SMALL)


def _column_labels(grid: Grid, cells: list[Area], area: Area) -> Iterator[Item]:
    if grid.column_labels and grid.corner:
        yield Words(left=area.left, top=area.top, text=grid.corner, size=SMALL, colour=SOFT)
    for cell, label in zip(cells, grid.column_labels, strict=False):
        middle = cell.left + cell.width / 2
        yield Words(left=middle, top=area.top, text=label, size=SMALL, align="center")


def _changes(grid: Grid, cells: list[Area]) -> Iterator[Item]:
    """A bar at the left edge of each tile that shows something else than the one before it; rows stay apart."""
    for tile, cell in zip(grid.tiles, cells, strict=True):
        if tile.changed:
            inset = 0.1 * cell.height
            start, end = (cell.left, cell.top + inset), (cell.left, cell.bottom - inset)
            yield Line(start=start, end=end, colour=ACCENT, weight=CHANGE)


def _centred(text: str, area: Area, size: float) -> Iterator[Item]:
    """White words in the middle of an area of mid-gray."""
    lines = wrapped(text, area.width - min(0.14, 0.15 * area.width), size)
    top = area.top + (area.height - len(lines) * line_height(size)) / 2
    for index, line in enumerate(lines):
        middle = top + (index + 0.5) * line_height(size)
        yield Words(
            left=area.left + area.width / 2,
            top=middle,
            text=line,
            size=size,
            colour=PAPER,
            align="center",
            hang="center",
        )
