"""Each unit's strongest peak as two tiles: its projection, and the patch that it lies on, cut as an atlas cuts them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64, UInt8

from layerscope.core.records import Batch, Input, LayerRecord, Peaks
from layerscope.graph import Carrier
from layerscope.project.cone import Entries, needed_maps
from layerscope.project.run import Carried, carried
from layerscope.project.tiles import energy_profiles, extents_of_energy, tile_side
from layerscope.project.tiling import boxes_for, patch_tile, view_tiles
from layerscope.project.views import NaturalView
from layerscope.sources import Source, show

MOST_MEASURED = 64
# So many images keep their maps at the same time.
IMAGES = 8
MID_GRAY = 128


@dataclass(frozen=True, eq=False)
class StrongestTiles:
    """Of n units, mid-gray where a unit has no peak."""

    projections: UInt8[np.ndarray, "n h w 3"]
    patches: UInt8[np.ndarray, "n h w 3"]


def layer_side(
    program: Carrier, source: Source, input: Input, layer: LayerRecord, peaks: Peaks,
    units: Int64[np.ndarray, " n"], method: str, *, seed: int,
) -> int:  # fmt: skip
    """The side of a layer's tiles, input px, measured on up to 64 of these units; 0 for a dense layer."""
    if layer.map is None:
        return 0
    rng = np.random.default_rng([seed, layer.node, 1])
    drawn = np.sort(rng.choice(units, min(MOST_MEASURED, len(units)), replace=False))
    sides = []
    for _, _, part in _carried(program, source, input, layer, peaks, drawn, method):
        profiles = energy_profiles(part.signals[method].float().cpu().numpy())
        sides.append(np.maximum(*(extents_of_energy(profile) for profile in profiles)))
    return tile_side(np.concatenate(sides), (input.height, input.width))


def strongest_tiles(
    program: Carrier, source: Source, input: Input, layer: LayerRecord, peaks: Peaks,
    units: Int64[np.ndarray, " n"], side: int, method: str, natural: NaturalView, view: str,
) -> StrongestTiles:  # fmt: skip
    """The tiles of some units of a layer. side: of their boxes, input px; 0 for the whole input."""
    size = (side, side) if side else (input.height, input.width)
    tiles = StrongestTiles(*(np.full((len(units), *size, 3), MID_GRAY, np.uint8) for _ in range(2)))
    alive = units[peaks.image[units, 0] >= 0]
    for batch, mine, part in _carried(program, source, input, layer, peaks, alive, method):
        boxes = boxes_for(part.signals[method], part.extents[method], side)
        pixels, _ = view_tiles(part.signals[method], part.extents[method], boxes, size, natural, (view,), input.shown)
        shown = show(batch.pixels, input)
        for unit, box, tile in zip(mine, boxes, pixels[:, 0], strict=True):
            at, place = np.searchsorted(units, unit), np.searchsorted(batch.ids, peaks.image[unit, 0])
            tiles.projections[at], tiles.patches[at] = tile, patch_tile(shown[place], box, size)
    return tiles


def _carried(
    program: Carrier, source: Source, input: Input, layer: LayerRecord, peaks: Peaks,
    units: Int64[np.ndarray, " n"], method: str,
) -> Iterator[tuple[Batch, Int64[np.ndarray, " m"], Carried]]:  # fmt: skip
    """The units' strongest peaks carried back: the images, the units, and their signals, a few images at a time."""
    images = peaks.image[units, 0]
    held = np.unique(images)
    wanted = {layer.node} | needed_maps(program, layer.node, method)
    for first in range(0, len(held), IMAGES):
        batch = source.load(held[first : first + IMAGES].tolist(), input)
        mine = units[np.isin(images, batch.ids)]
        maps = program.run(torch.from_numpy(batch.pixels), wanted)
        rows, cols = (getattr(peaks, name)[mine, 0].astype(np.int64) for name in ("row", "col"))
        entries = Entries(layer.node, np.searchsorted(batch.ids, peaks.image[mine, 0]), mine, rows, cols)
        for part in carried(program, entries, [method], maps):
            yield batch, mine[part.part], part
