"""Activations of a picture that was just forwarded, carried back and shown as the atlas shows its own.

The same boxes, view and gray levels as a build's: for an image of the atlas the very same tile comes out.
"""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from layerscope.atlas.read import AtlasFile
from layerscope.core.geometry import Box
from layerscope.core.live import PlainBox
from layerscope.core.records import Input, Statistics
from layerscope.live.watched import WatchedLayer
from layerscope.project.run import Carried
from layerscope.project.tiling import boxes_for, view_tiles
from layerscope.project.views import NaturalView


class EncodedTile(NamedTuple):
    """What was carried back, by method as PNG, and the input px that it shows."""

    box: PlainBox
    pngs: dict[str, bytes]


def natural_view(file: AtlasFile, channels: int) -> NaturalView:
    """The natural view of the atlas's images; a plain one before they are measured."""
    colour, spectrum = file.statistic("colour"), file.statistic("spectrum")
    if colour is None or spectrum is None:
        return NaturalView.plain(channels)
    return NaturalView(Statistics(colour=np.array(colour), spectrum=np.array(spectrum)))


def tiles_of(
    part: Carried, layer: WatchedLayer, placed_by: str, natural: NaturalView, input: Input, methods: Sequence[str]
) -> list[EncodedTile]:
    """A tile for each entry, in each method. placed_by: the method on whose energy the boxes are centred."""
    boxes = boxes_for(part.signals[placed_by], part.extents[placed_by], layer.side)
    by_method = {
        method: view_tiles(
            part.signals[method], part.extents[method], boxes, layer.size, natural, ("natural",), input.shown
        )[0]
        for method in methods
    }
    return [
        EncodedTile(
            (box.top, box.left, box.bottom, box.right),
            {method: png(pixels[index, 0]) for method, pixels in by_method.items()},
        )
        for index, box in enumerate(boxes)
    ]


def png(pixels: UInt8[np.ndarray, "h w 3"]) -> bytes:
    """Pixels as PNG, quickly."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def as_box(box: PlainBox) -> Box:
    """Top, left, bottom, right as a box."""
    top, left, bottom, right = box
    return Box(top=top, left=left, bottom=bottom, right=right)
