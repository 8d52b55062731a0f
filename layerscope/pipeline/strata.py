"""The last stage: what to show of the strata, and the small whole pictures from which that is cut.

The scan has found images and places; the side of a layer's tiles, and how an image lies in its picture, are known only
later. A group of images is one transaction; images whose strata have their boxes are not taken up again.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from jaxtyping import UInt8

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.atlas.strata import Key, Place
from layerscope.atlas.write import AtlasWriter
from layerscope.core.geometry import Box
from layerscope.core.records import Batch, Input
from layerscope.pipeline.progress import Clock, Progress
from layerscope.pipeline.projecting import as_scanned, encoded_picture
from layerscope.pipeline.settings import Settings
from layerscope.sources import Source

GROUP = 32


def place_strata(
    writer: AtlasWriter,
    source: Source,
    input: Input,
    settings: Settings,
    progress: Progress,
    clock: Clock,
    *,
    workers: int,
) -> None:
    """Give every stratum its boxes and every image that one names its picture.

    Raises ImageError for an image that has changed since it was scanned.
    """
    images = writer.images_to_place()
    if not images:
        return
    layers = {layer.id: layer for layer in writer.layers()}
    hashes = {record.id: record.sha256 for record in writer.images()}
    groups = [images[first : first + GROUP] for first in range(0, len(images), GROUP)]
    progress.start("strata", len(images), 0)
    lacking = frozenset(writer.without_picture(images) if settings.pictures else ())
    batches = source.picturing(lacking).batches(input, groups, threads=workers, ahead=1)
    try:
        with ThreadPoolExecutor(workers) as pool:
            for group in groups:
                with clock.time("strata"):
                    batch = as_scanned(next(batches), hashes)
                    own = [(image, picture) for image, picture in _pictures(batch) if image in lacking]
                    made = pool.map(partial(encoded_picture, codec=settings.codec), [picture for _, picture in own])
                    with writer.transaction():
                        writer.place_strata(_boxes(writer.strata_to_place(group), batch, layers, input))
                        for (image, _), picture in zip(own, made, strict=True):
                            if picture is not None:
                                writer.put_picture(image, settings.codec, *picture)
                progress.step(len(group))
    finally:
        batches.close()  # type: ignore[attr-defined]


def _pictures(batch: Batch) -> Iterator[tuple[int, UInt8[np.ndarray, "h w 3"] | None]]:
    """The small whole pictures that came along, by image."""
    return zip(batch.ids.tolist(), batch.pictures, strict=False)


def _boxes(
    places: Iterable[Place], batch: Batch, layers: Mapping[int, AtlasLayerRecord], input: Input
) -> Iterator[tuple[Key, Box, Box]]:
    """The boxes of each place, in px of the input and of its picture; units that share a place share them."""
    placements = dict(zip(batch.ids.tolist(), batch.placements, strict=True))
    known: dict[tuple[int, ...], tuple[Box, Box]] = {}
    for key, image, row, col in places:
        place = (key[0], image, row, col)
        if place not in known:
            box = tile_box(layers[key[0]], row, col, input)
            known[place] = box, placements[image].source_box(box)
        yield (key, *known[place])


def tile_box(layer: AtlasLayerRecord, row: int, col: int, input: Input) -> Box:
    """A square of the layer's tile side on the field's centre, inside the input; the whole input for a dense layer."""
    if layer.record.map is None:
        return Box(top=0, left=0, bottom=input.height, right=input.width)
    field, side = layer.record.field.box(row, col), layer.tile or 0
    top, left = (field.top + field.bottom - side) // 2, (field.left + field.right - side) // 2
    return Box(top=top, left=left, bottom=top + side, right=left + side).moved_inside(input.height, input.width)
