"""From an atlas, what figures are made of: which units, shown by which method and view, and their grids of tiles."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import index as as_integer
from typing import Any

import numpy as np
from jaxtyping import UInt8

from layerscope.atlas.codecs import cut
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.errors import UsageError, nearest
from layerscope.core.records import UnitSheet
from layerscope.facts.layer import live_units, sample
from layerscope.facts.wrapping import Reader
from layerscope.figures.tree import MID_GRAY, Grid, Tile

NO_SIGNAL = "no signal"
NOT_KEPT = "not in this atlas"
BLANK_SIDE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenUnits:
    """Units of a layer, and how they were chosen. seed: None where they were asked for. live, dead: units of the
    layer that have a peak, and that have none."""

    units: tuple[int, ...]
    seed: int | None
    live: int
    dead: int


def choose_method(file: Reader, layer: AtlasLayerRecord, method: str | None) -> str | None:
    """The method asked for, or the layer's own; None where the layer has no projections.

    Raises UsageError for a method that this atlas, or this layer of it, does not hold.
    """
    held = file.run.methods
    if method is None:
        return layer.method
    if method not in held:
        hint = nearest(method, held)
        raise UsageError(f'no projections by "{method}": this atlas holds {", ".join(held) or "none"}{hint}')
    if layer.method is None:
        raise UsageError(
            f'layer "{layer.name}" has no projections in this atlas: leave the method out to see its patches'
        )
    return method


def check_view(file: Reader, view: str) -> str:
    """The view, if the atlas holds it. Raises UsageError."""
    held = file.run.views
    if view not in held:
        raise UsageError(f'no view "{view}": this atlas holds {", ".join(held) or "none"}{nearest(view, held)}')
    return view


def check_unit(layer: AtlasLayerRecord, unit: Any) -> int:
    """The unit's number, if the layer has it. Raises UsageError."""
    try:
        number = as_integer(unit)
    except TypeError:
        raise UsageError(f'a unit of layer "{layer.name}" is a whole number, got {unit!r}') from None
    if not 0 <= number < layer.record.units:
        raise UsageError(f'layer "{layer.name}" has units 0 to {layer.record.units - 1}, there is no unit {number}')
    return number


def choose_units(
    file: Reader, layer: AtlasLayerRecord, units: Iterable[int] | None, count: int, seed: int
) -> ChosenUnits:
    """The units asked for, in that order; or a seeded sample of the live ones whose tiles the atlas holds, ascending.

    Raises UsageError for a unit that does not exist, for no units at all and for a count below 1.
    """
    live = live_units(file.all_peaks(layer.id))
    dead = layer.record.units - len(live)
    if units is not None:
        chosen = tuple(check_unit(layer, unit) for unit in units)
        if not chosen:
            raise UsageError(f'no units of layer "{layer.name}" were given; leave units out for a sample')
        return ChosenUnits(units=chosen, seed=None, live=len(live), dead=dead)
    if count < 1:
        raise UsageError(f"a figure needs at least 1 unit, got a count of {count}")
    chosen = sample(file, layer, live, count, seed)
    if not chosen and not len(live) and layer.tile is not None:
        raise UsageError(f'no unit of layer "{layer.name}" was above zero in any image: there is nothing to show')
    if not chosen:
        raise UsageError(f'layer "{layer.name}" has no unit with tiles in this atlas to show; name units to see why')
    return ChosenUnits(units=chosen, seed=seed, live=len(live), dead=dead)


def patches(file: Reader, layer: AtlasLayerRecord, unit: int) -> Grid:
    """A unit's patches, best first."""
    return _grid(file, layer, unit, file.sheet(layer.id, unit, "patches", "", ""), "patches", "", "")


def projections(
    file: Reader, layer: AtlasLayerRecord, unit: int, method: str, view: str, *, shared_scale: bool = False
) -> Grid:
    """A unit's projections, best first; each on its own scale, or all on the largest of their scales."""
    sheet = file.sheet(layer.id, unit, "projections", method, view)
    return _grid(file, layer, unit, sheet, "projections", method, view, shared_scale)


def _grid(
    file: Reader,
    layer: AtlasLayerRecord,
    unit: int,
    sheet: UnitSheet | None,
    kind: str,
    method: str,
    view: str,
    shared_scale: bool = False,
) -> Grid:
    k, found = file.run.k, len(file.peaks(layer.id, unit))
    tiles = _blank(layer, k) if sheet is None else _tiles(sheet, k, found, shared_scale)
    note = NOT_KEPT if sheet is None and found else ""
    columns = int(np.ceil(np.sqrt(k)))
    return Grid(tiles=tiles, columns=columns, kind=kind, method=method, view=view, note=note)


def _blank(layer: AtlasLayerRecord, k: int) -> tuple[Tile, ...]:
    side = layer.tile or BLANK_SIDE
    return (Tile(picture=np.full((side, side, 3), MID_GRAY, np.uint8)),) * k


def _tiles(sheet: UnitSheet, k: int, found: int, shared_scale: bool) -> tuple[Tile, ...]:
    pictures = cut(sheet.pixels, k)
    if shared_scale:
        pictures = on_shared_scale(pictures, sheet.scales)
    tiles = []
    for rank, picture in enumerate(pictures):
        # A lossy codec leaves traces in tiles that hold nothing.
        empty = rank >= found or sheet.scales[rank] == 0
        shown = np.full_like(picture, MID_GRAY) if empty else picture
        tiles.append(Tile(picture=shown, note=NO_SIGNAL if empty and rank < found else ""))
    return tuple(tiles)


def on_shared_scale(pictures: UInt8[np.ndarray, "k h w 3"], scales: np.ndarray) -> UInt8[np.ndarray, "k h w 3"]:
    """Tiles that each have a scale of their own, on the largest of their scales: the weaker ones grow paler.

    What a tile's own scale had clipped stays clipped, at its new height.
    """
    largest = float(np.max(scales, initial=0.0))
    if largest == 0:
        return pictures
    share = (np.asarray(scales, np.float64) / largest)[:, None, None, None]
    return np.clip(np.rint(MID_GRAY + (pictures.astype(np.float64) - MID_GRAY) * share), 0, 255).astype(np.uint8)
