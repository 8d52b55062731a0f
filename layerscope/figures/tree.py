"""A figure as plain data: a tree of tiles, charts and words, which can be drawn, saved, tested or served as it is.

    PlainSheet ── Panel ── Grid ── Tile ── Mark
                        ├─ Chart ── Bar, Curve
                        └─ Branches ── UnitNode ── Grid

Whatever knows atlases makes these and draws nothing; whatever draws knows these and no atlas.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8

from layerscope.core.geometry import Box

MID_GRAY = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A rectangle on a tile. box: px of the tile's picture, drawn clipped where it crosses the border."""

    box: Box
    dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tile:
    """One small picture: uint8[h, w, 3], RGB. note: a few words laid over it. caption: lines below it.

    changed: something else than in the tile to the left, marked by a bar between the two.
    """

    picture: UInt8[np.ndarray, "h w 3"]
    caption: str = ""
    note: str = ""
    marks: tuple[Mark, ...] = ()
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """Tiles in reading order, `columns` a row; all cells have one size, and each tile fills its cell or fits into it.

    kind, method, view: what the tiles are, as in the atlas's sheets. row_labels: words left of each row, or none;
    column_labels: words above each column, or none; corner: words above the row labels.
    note: words laid over the whole grid. spaced: white space between the tiles, not a thin line.
    """

    tiles: tuple[Tile, ...]
    columns: int
    kind: str = ""
    method: str = ""
    view: str = ""
    row_labels: tuple[str, ...] = ()
    column_labels: tuple[str, ...] = ()
    corner: str = ""
    note: str = ""
    spaced: bool = False

    @property
    def rows(self) -> int:
        return -(-len(self.tiles) // self.columns)

    def place(self, index: int) -> tuple[int, int]:
        """The row and the column of a tile."""
        return divmod(index, self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of a chart. place: along the axis, in the chart's own steps; value: its length; label, note: words."""

    place: float
    value: float
    label: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A line of a chart: values in 0..1 at the places 0, 1, ...; NaN where there is none. label: what it says."""

    label: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars or curves in plain numbers. kind: "histogram" (upright bars, one step wide, side by side), "bars" (lying,
    labelled) or "curves" (up to three, the first the strongest; as high as the grids beside them).

    ticks: (place, words) below a histogram. marks: places marked by a small triangle. breaks: places where the axis
    leaves out an empty stretch. axis: what the places mean; values: what the lengths mean. reference: a value drawn
    as a thin line across lying bars.
    """

    kind: str
    bars: tuple[Bar, ...] = ()
    curves: tuple[Curve, ...] = ()
    axis: str = ""
    values: str = ""
    ticks: tuple[tuple[float, str], ...] = ()
    marks: tuple[float, ...] = ()
    breaks: tuple[float, ...] = ()
    reference: float | None = None

    @property
    def tallest(self) -> float:
        """The longest bar's value; there is a bar."""
        return max(bar.value for bar in self.bars)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitNode:
    """A unit in a tree of what units are made of, and the units that it is made of.

    layer, unit: which. words: lines that name it. patches: its patches, best first. seen: what it saw at its highest
    peak, None where that is not shown. parts: of an earlier layer, the highest share first; none of a unit whose parts
    stand elsewhere, or are not asked for. share: of the activation of the unit that it is a part of, None of the tree's
    own. place: where in what that unit saw the most of the share comes from, px of it, inside it; None where no place
    can be said.
    """

    layer: str
    unit: int
    words: tuple[str, ...]
    patches: Grid
    seen: UInt8[np.ndarray, "h w 3"] | None = None
    parts: tuple["UnitNode", ...] = ()
    share: float | None = None
    place: Box | None = None

    @property
    def nodes(self) -> Iterator["UnitNode"]:
        """This one and all in its parts, from the top down."""
        yield self
        for part in self.parts:
            yield from part.nodes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Branches:
    """A tree of units from left to right. headings: words above each column, the tree's own unit first."""

    root: UnitNode
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """Grids, charts and trees of units side by side under one heading.

    section: words that open a new row of panels; section_note: what follows them in small type. span: the sheet's
    columns that the panel takes. slots: into how many equal parts its width is cut; 0 means as many as it has parts.
    shares: the parts' widths in relation to each other, in place of equal ones.
    """

    parts: tuple[Grid | Chart | Branches, ...]
    heading: str = ""
    section: str = ""
    section_note: str = ""
    span: int = 1
    slots: int = 0
    shares: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlainSheet:
    """A whole figure as data. Panels fill rows of `columns`; title above, caption and footer below.

    width: inches. provenance: plain values that tell what made the figure; written into the metadata of every file.
    """

    panels: tuple[Panel, ...]
    columns: int
    title: str = ""
    caption: str = ""
    footer: str = ""
    width: float = 7.0
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """All tiles, in reading order."""
        return tuple(
            tile for panel in self.panels for part in panel.parts for grid in _grids(part) for tile in grid.tiles
        )


def _grids(part: Grid | Chart | Branches) -> Iterator[Grid]:
    if isinstance(part, Grid):
        yield part
    elif isinstance(part, Branches):
        yield from (node.patches for node in part.root.nodes)


def texts(part: Any) -> Iterator[str]:
    """All words in a part of a sheet, from the top down."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, tuple):
        yield from (text for one in part for text in texts(one))
    elif is_dataclass(part):
        yield from (text for field in fields(part) for text in texts(getattr(part, field.name)))
