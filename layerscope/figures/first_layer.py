"""The first layer's filters as pictures: what a unit there looks for is its filter, and needs no projection."""

import numpy as np
from jaxtyping import Float32, UInt8

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.errors import UsageError
from layerscope.core.records import Input
from layerscope.facts.wrapping import Reader
from layerscope.figures import words
from layerscope.figures.sheet import Sheet
from layerscope.figures.tree import MID_GRAY, Grid, Panel, Tile

MOST_COLUMNS = 16


def filters(file: Reader, layer: str | None = None, *, shared_scale: bool = False) -> Sheet:
    """All filters of the first layer (or the layer named, where the atlas holds its filters), in the order of units.

    Zero is mid-gray; each filter is divided by its own largest weight, or all by the largest of them.
    Raises UsageError where there are no such filters.
    """
    shown, weights = _find(file, layer)
    pictures = as_pictures(weights, file.run.input, shared_scale=shared_scale)
    columns = _columns(len(pictures))
    tiles = tuple(Tile(picture=picture) for picture in pictures)
    count, channels, height, width = weights.shape
    scale = "all on one scale" if shared_scale else "each on a scale of its own"
    return Sheet(
        panels=(Panel(parts=(Grid(tiles=tiles, columns=columns, kind="filters"),)),),
        columns=1,
        title=f"Filters of {shown.name} of {file.run.network}",
        caption=(
            f"All {count} filters, {height} × {width} px, in the order of units, row by row; "
            f"{_colours(channels, file.run.input)}. Weights on the network's normalised input: zero is mid-gray, "
            f"{scale}."
        ),
        footer=words.footer(file),
        provenance=words.provenance(file, kind="filters", layer=shown.name),
    )


def _columns(count: int) -> int:
    """Somewhat more columns than rows, and full rows if that can be."""
    wide = min(MOST_COLUMNS, int(np.ceil(np.sqrt(1.6 * count))))
    full = [columns for columns in range(wide, int(np.sqrt(count)) - 1, -1) if columns and count % columns == 0]
    return full[0] if full else wide


def as_pictures(
    weights: Float32[np.ndarray, "u c h w"], expected: Input, *, shared_scale: bool = False
) -> UInt8[np.ndarray, "u h w 3"]:
    """Filters as RGB pictures, zero at mid-gray and the largest weight at 1 or 255."""
    channels = _shown(weights.shape[1], expected)
    kernels = np.moveaxis(weights[:, channels], 1, -1).astype(np.float64)
    largest = np.abs(kernels).max(axis=None if shared_scale else (1, 2, 3), keepdims=True)
    level = kernels / np.where(largest > 0, largest, 1.0)
    return np.rint(MID_GRAY + 127 * level).astype(np.uint8).repeat(3 // len(channels), axis=-1)


def _shown(channels: int, expected: Input) -> tuple[int, ...]:
    """Which of a filter's channels are red, green and blue; a filter of another depth shows its first, in gray."""
    return expected.shown if channels == expected.channels else (0,)


def _colours(channels: int, expected: Input) -> str:
    shown = _shown(channels, expected)
    if len(shown) == 1:
        return "one channel, gray" if channels == 1 else f"channel {shown[0]} of {channels}, gray"
    if channels == len(shown):
        return "red, green and blue weights as colours"
    return f"channels {', '.join(map(str, shown))} of {channels} as red, green and blue"


def _find(file: Reader, layer: str | None) -> tuple[AtlasLayerRecord, np.ndarray]:
    """The layer and its filters: the first that has any, if none is named."""
    held = [(known, found) for known in file.layers if (found := file.filters(known.id)) is not None]
    if not held:
        raise UsageError("this atlas holds no filters: no scanned layer is a convolution of the picture itself")
    if layer is None:
        return held[0]
    wanted = file.layer(layer)
    for known, found in held:
        if known.id == wanted.id:
            return known, found
    names = ", ".join(known.name for known, _ in held)
    raise UsageError(f'layer "{layer}" has no filters that can be shown as pictures; this atlas holds those of {names}')
