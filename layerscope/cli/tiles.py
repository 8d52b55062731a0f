"""Tiles of units laid out for a terminal: of one unit as a plate has them, of a layer's strongest side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from layerscope.cli.terminal import Terminal
from layerscope.core.errors import UsageError
from layerscope.core.picture_forms import NO_PICTURES, PICTURE_FORMS, UNASKED, PictureForm

if TYPE_CHECKING:
    from layerscope.api.unit import Unit

SHOWN = 9  # tiles of a unit
LEAST, MOST = 5, 24  # sides of a tile whose px are halves of characters
BESIDE = 12  # its side where units stand side by side
FINE = 64  # and where px are the screen's
# Empty px between tiles, and between what belongs together; of fine pictures so many times as many.
BETWEEN_TILES, BETWEEN_PARTS, FINER = 1, 3, 4
# Lines of text that stand beside a unit's picture.
TEXT_LINES = 8


def form_for(asked: str | None, terminal: Terminal) -> PictureForm | None:
    """The form of pictures: the one that was asked for; else blocks, where a person sees them in colour; None for no
    pictures."""
    if asked is None:
        asked = UNASKED if terminal.watched and terminal.blocks and terminal.colours >= 256 else NO_PICTURES
    return None if asked == NO_PICTURES else PICTURE_FORMS[asked]


def tiles_of(unit: "Unit", count: int) -> dict[str, list[UInt8[np.ndarray, "h w 3"]]]:
    """The unit's first tiles, best first: "projections" by its layer's method, where there are any, and "patches".

    Empty where this atlas keeps no tiles of it.
    """
    ranks = range(min(count, len(unit.peaks)))
    try:
        found = {"projections": [unit.projection(rank) for rank in ranks]} if unit.layer.method and ranks else {}
        return found | ({"patches": [unit.patch(rank) for rank in ranks]} if ranks else {})
    except UsageError:
        return {}


def unit_picture(unit: "Unit", form: PictureForm, terminal: Terminal) -> str:
    """A unit's projections left of its patches, and a line that says so; empty where it has no tiles."""
    tiles = tiles_of(unit, SHOWN)
    if not tiles:
        return ""
    across = int(np.ceil(np.sqrt(max(map(len, tiles.values())))))
    side = _side(form, terminal, across, len(tiles))
    gap, between = _gaps(form)
    grids = [_grid(shown, across, side, gap) for shown in tiles.values()]
    meaning = f"left projections by {unit.layer.method}, right patches" if len(tiles) > 1 else "patches"
    return f"{form.encode(_row(grids, between), terminal.colours)}\n{meaning}, best first"


def strongest_picture(units: Sequence["Unit"], words: Sequence[str], form: PictureForm, terminal: Terminal) -> str:
    """The first patches of units side by side, above their projections, as many as a line holds.

    words: what is written above each. Empty where none has tiles.
    """
    side, (gap, between) = BESIDE if form.cells else FINE, _gaps(form)
    most = (terminal.columns + BETWEEN_PARTS) // (BESIDE + BETWEEN_PARTS)
    columns: list[UInt8[np.ndarray, "h w 4"]] = []
    heads: list[str] = []
    for unit, said in zip(units, words, strict=True):
        tiles = tiles_of(unit, 1) if len(columns) < most else {}
        if tiles:
            stacked = [tiles[kind][0] for kind in ("patches", "projections") if kind in tiles]
            columns.append(_grid(stacked, 1, side, gap))
            heads.append(said[:BESIDE].ljust(BESIDE))
    if not columns:
        return ""
    meaning = "patches above their projections" if len(columns[0]) > side else "patches"
    # Above pictures in the screen's px no words can be set in line.
    head = (" " * BETWEEN_PARTS).join(heads).rstrip() if form.cells else ", ".join(head.strip() for head in heads)
    picture = form.encode(_row(columns, between), terminal.colours)
    return f"{head}\n{picture}\n{meaning}: the highest peak of each"


def _gaps(form: PictureForm) -> tuple[int, int]:
    finer = 1 if form.cells else FINER
    return BETWEEN_TILES * finer, BETWEEN_PARTS * finer


def _side(form: PictureForm, terminal: Terminal, across: int, grids: int) -> int:
    """The side of a tile, px, so that grids of so many columns fit beside each other and leave room for text."""
    if not form.cells:
        return FINE
    free = terminal.columns - BETWEEN_PARTS * (grids - 1) - BETWEEN_TILES * (across - 1) * grids
    high = 2 * (terminal.lines - TEXT_LINES) - BETWEEN_TILES * (across - 1)
    return min(max(min(free // (across * grids), high // across), LEAST), MOST)


def _grid(tiles: Sequence[UInt8[np.ndarray, "_ _ 3"]], across: int, side: int, gap: int) -> UInt8[np.ndarray, "h w 4"]:
    """Tiles in reading order, nothing between them and where there is none."""
    rows = -(-len(tiles) // across)
    made = np.zeros((rows * (side + gap) - gap, across * (side + gap) - gap, 4), np.uint8)
    for place, tile in enumerate(tiles):
        top, left = (part * (side + gap) for part in divmod(place, across))
        resized = Image.fromarray(tile).resize((side, side), Image.Resampling.BOX)
        made[top : top + side, left : left + side, :3] = np.asarray(resized)
        made[top : top + side, left : left + side, 3] = 255
    return made


def _row(parts: Sequence[UInt8[np.ndarray, "_ _ 4"]], gap: int) -> UInt8[np.ndarray, "h w 4"]:
    """Pictures side by side, from the top."""
    height, width = max(len(part) for part in parts), sum(part.shape[1] + gap for part in parts) - gap
    made, left = np.zeros((height, width, 4), np.uint8), 0
    for part in parts:
        made[: len(part), left : left + part.shape[1]] = part
        left += part.shape[1] + gap
    return made
