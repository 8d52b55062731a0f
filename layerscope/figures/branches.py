"""A tree of units on the page: from left to right, each unit beside the units that it is made of.

A unit with parts shows what it saw, with a frame where each part's share comes from, and the sheet of its patches; one
without parts the sheet alone. A part's line has its frame's colour, its weight grows with the share.
"""

from collections.abc import Iterator

from layerscope.core.numbers import signed_percent
from layerscope.figures.grids import grid_height, lay_grid, on_page
from layerscope.figures.measure import fitted, line_height
from layerscope.figures.page import (
    DISTINCT,
    FAINT,
    HEADING,
    INK,
    SMALL,
    SOFT,
    Area,
    Frame,
    Item,
    Line,
    PlacedPicture,
    Words,
)
from layerscope.figures.tree import Branches, UnitNode

EDGE = 0.56  # between a column and the next, inches
BEND = 0.15  # of it, from a unit to where its lines part
LARGEST, LARGEST_ALONE = 1.05, 0.6  # sides of pictures, inches, of units with and without parts
ALONE = 0.75  # of the side of a picture of a unit with parts
GAP, WORD_GAP, ROW_GAP = 0.045, 0.06, 0.07
LIGHTEST, HEAVIEST = 0.6, 3.0  # points, of the lines of shares from 0 to FULL
FULL = 0.5
INSET = 0.022  # inches


def branches_height(tree: Branches, room: float) -> float:
    """The height that a tree of this width takes, inches."""
    return line_height(HEADING) + 0.05 + _height(tree.root, _Sizes(tree, room))


def lay_branches(tree: Branches, area: Area) -> Iterator[Item]:
    """The items of a tree in its area."""
    sizes = _Sizes(tree, area.width)
    for depth, heading in enumerate(tree.headings):
        text = fitted(heading, sizes.column - 0.1, HEADING)
        yield Words(left=area.left + depth * sizes.column, top=area.top, text=text, size=HEADING, colour=SOFT)
    yield from _lay(tree.root, area.left, area.top + line_height(HEADING) + 0.05, sizes)


class _Sizes:
    """column: from a column to the next. side, alone: of the pictures of a unit with and without parts; inches."""

    def __init__(self, tree: Branches, room: float) -> None:
        self.column = room / len(tree.headings)
        self.side = min(max((self.column - EDGE - GAP) / 2, 0.05), LARGEST)
        self.alone = min(ALONE * self.side, LARGEST_ALONE)


def _own_height(node: UnitNode, sizes: _Sizes) -> float:
    """What the unit itself takes: its words lie below its pictures, or beside its only one."""
    lines = len(node.words) * line_height(SMALL)
    return _tall(node, sizes.side) + 0.02 + lines if node.parts else max(_tall(node, sizes.alone), lines)


def _tall(node: UnitNode, side: float) -> float:
    """The height of a unit's pictures of this width."""
    return max(grid_height(node.patches, side), side if node.parts else 0.0)


def _height(node: UnitNode, sizes: _Sizes) -> float:
    """What the unit takes with all of its parts."""
    parts = sum(_height(part, sizes) for part in node.parts) + ROW_GAP * max(len(node.parts) - 1, 0)
    return max(_own_height(node, sizes), parts)


def _lay(node: UnitNode, left: float, top: float, sizes: _Sizes) -> Iterator[Item]:
    """A unit in the middle of the height that its parts take, and its parts."""
    height = _height(node, sizes)
    middle = top + height / 2
    own = top + (height - _own_height(node, sizes)) / 2
    yield from _pictures(node, left, own, sizes) if node.parts else _alone(node, left, middle, sizes)
    if not node.parts:
        return
    bend, reach = left + 2 * sizes.side + GAP + BEND, left + sizes.column
    level = own + _tall(node, sizes.side) / 2
    taken = sum(_height(part, sizes) for part in node.parts) + ROW_GAP * (len(node.parts) - 1)
    levels, below = [], top + (height - taken) / 2
    for part, colour in zip(node.parts, DISTINCT, strict=False):
        levels.append(_level(part, below, sizes))
        yield from _edge(part, bend, reach, levels[-1], colour)
        yield from _lay(part, reach, below, sizes)
        below += _height(part, sizes) + ROW_GAP
    yield Line(start=(bend - BEND + 0.03, level), end=(bend, level), colour=FAINT, weight=1.0)
    ends = [*levels, level]
    yield Line(start=(bend, min(ends)), end=(bend, max(ends)), colour=FAINT, weight=1.0)


def _level(node: UnitNode, top: float, sizes: _Sizes) -> float:
    """The height on the page at which a unit's line ends: the middle of its pictures."""
    height = _height(node, sizes)
    if not node.parts:
        return top + height / 2
    return top + (height - _own_height(node, sizes)) / 2 + _tall(node, sizes.side) / 2


def _edge(part: UnitNode, bend: float, reach: float, level: float, colour: str) -> Iterator[Item]:
    share = part.share or 0.0
    weight = LIGHTEST + (HEAVIEST - LIGHTEST) * min(max(share / FULL, 0.0), 1.0)
    yield Line(start=(bend, level), end=(reach - 0.03, level), colour=colour, weight=weight)
    middle = level - 0.04 - line_height(SMALL) / 2
    centre = (bend + reach - 0.03) / 2
    yield Words(
        left=centre, top=middle, text=signed_percent(share), size=SMALL, colour=INK, align="center", hang="center"
    )


def _pictures(node: UnitNode, left: float, top: float, sizes: _Sizes) -> Iterator[Item]:
    """What the unit saw, with a frame for each part, the sheet of its patches, and the words below both."""
    seen = node.patches.tiles[0].picture if node.seen is None else node.seen
    scale = sizes.side / max(seen.shape[:2])
    area = Area(
        left=left + (sizes.side - seen.shape[1] * scale) / 2,
        top=top + (_tall(node, sizes.side) - seen.shape[0] * scale) / 2,
        width=seen.shape[1] * scale,
        height=seen.shape[0] * scale,
    )
    yield PlacedPicture(area=area, pixels=seen)
    for index, (part, colour) in enumerate(zip(node.parts, DISTINCT, strict=False)):
        if part.place is not None:
            yield Frame(area=_inset(on_page(part.place, area, scale), index * INSET), dashed=False, colour=colour)
    yield from lay_grid(node.patches, _sheet(node, left + sizes.side + GAP, top, sizes.side))
    yield from _words(node, left, top + _tall(node, sizes.side) + 0.02, 2 * sizes.side + GAP)


def _inset(area: Area, by: float) -> Area:
    """The area made smaller on all sides, by a quarter of it at most: frames of one place lie inside each other."""
    by = min(by, area.width / 4, area.height / 4)
    return Area(left=area.left + by, top=area.top + by, width=area.width - 2 * by, height=area.height - 2 * by)


def _alone(node: UnitNode, left: float, middle: float, sizes: _Sizes) -> Iterator[Item]:
    """The sheet, and the words beside it."""
    yield from lay_grid(node.patches, _sheet(node, left, middle - _tall(node, sizes.alone) / 2, sizes.alone))
    top = middle - len(node.words) * line_height(SMALL) / 2
    beside = sizes.alone + WORD_GAP
    yield from _words(node, left + beside, top, sizes.column - beside - 0.02)


def _sheet(node: UnitNode, left: float, top: float, side: float) -> Area:
    return Area(left=left, top=top, width=side, height=grid_height(node.patches, side))


def _words(node: UnitNode, left: float, top: float, room: float) -> Iterator[Item]:
    for index, line in enumerate(node.words):
        yield Words(
            left=left, top=top + index * line_height(SMALL), text=fitted(line, room, SMALL), size=SMALL,
            colour=INK if index == 0 else SOFT,
        )  # fmt: skip
