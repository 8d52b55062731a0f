"""An atlas as of a large network over ImageNet's training images, written without either: what pages cost at that size.

20,264 units in 21 layers, as wide as those of a residual network of bottlenecks and its classifier; 1.3 million images
in a thousand classes; of every unit peaks, statistics, strata, parts and tiles. The deeper a unit, the more of its
peaks lie in images of one class. Pictures repeat, as those of `wide` do; numbers are drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from bench.pictures import picture
from bench.viewer.wide import K, cut_from, drawn_sheets, made_run, put_sheets, statistics
from layerscope.atlas.codecs import encode
from layerscope.atlas.records import EdgeRecord, NodeRecord
from layerscope.atlas.write import AtlasWriter
from layerscope.core.geometry import Field, Window
from layerscope.core.records import ImageRecord, LayerRecord, Peaks
from layerscope.core.shares import MadeOf, UnitShare
from layerscope.core.strata import PERCENTILES, ROW, Strata

IMAGES, CLASSES, SAMPLED, TILE = 1_300_000, 1000, 512, 64
DISTINCT, PARTS = 64, 8
COLOURS = (
    "amber azure beige black brown coral cream green ivory jade lilac mauve ochre olive pearl pink plum red rust sand "
    "teal umber violet white yellow"
)
THINGS = (
    "adder badger barge basin beacon bell bench bittern boat bottle bridge candle canoe cat clock cloak crane crate "
    "cup deer drum eagle fern ferry finch flute fox gate goose hammer harp hedge heron horse jar "
    "kite ladder lamp lark lens"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Layers of one width. map: its side; None of dense layers. field, step: of a unit of the first, px. follows: the
    share of a unit's peaks that lie in images of its class."""

    name: str
    layers: int
    units: int
    map: int | None
    field: int
    step: int
    follows: float

    def record(self, place: int) -> LayerRecord:
        """The layer at a place in the stage."""
        name = self.name if self.layers == 1 else f"{self.name}.{place}"
        size = self.field + place * 2 * self.step
        window = Window(size=size, step=self.step, start=-(size // 2))
        return LayerRecord(
            name=name, path=name, node=0, kind="relu" if self.map else "linear", units=self.units,
            map=(self.map, self.map) if self.map else None, field=Field(rows=window, cols=window), auto=True,
            rectified=bool(self.map),
        )  # fmt: skip


STAGES = (
    Stage(name="stem", layers=1, units=64, map=112, field=7, step=2, follows=0.0),
    Stage(name="stage1", layers=3, units=256, map=56, field=35, step=4, follows=0.1),
    Stage(name="stage2", layers=4, units=512, map=28, field=99, step=8, follows=0.3),
    Stage(name="stage3", layers=8, units=1024, map=14, field=291, step=16, follows=0.6),
    Stage(name="stage4", layers=4, units=2048, map=7, field=483, step=32, follows=0.9),
    Stage(name="classes", layers=1, units=1000, map=None, field=427, step=32, follows=1.0),
)


def write_large(
    path: Path,
    *,
    stages: Sequence[Stage] = STAGES,
    images: int = IMAGES,
    classes: int = CLASSES,
    tile: int = TILE,
    distinct: int = DISTINCT,
) -> Path:
    """The atlas; the same rows each time. images: in all, as many of each class, and nine at least. distinct: so many
    sheets and thumbnails are drawn."""
    rng, each = np.random.default_rng(0), images // classes
    names = class_names(classes)
    layers = [(stage, stage.record(place)) for stage in stages for place in range(stage.layers)]
    layers = [(stage, replace(layer, node=number)) for number, (stage, layer) in enumerate(layers)]
    held, sheets = set[int](), drawn_sheets(rng, tile, distinct)
    with AtlasWriter.create(path) as writer:
        writer.start_run(made_run("large", images))
        with writer.transaction():
            writer.put_images(_image(number, names[number // each]) for number in range(each * classes))
            for name, value in (("classes", names), ("class_counts", [each] * classes), ("images", images)):
                writer.put_statistic(name, value)
            writer.put_nodes(_node(layer) for _, layer in layers)
            writer.put_edges(EdgeRecord(node=number, position=0, source=number - 1) for number in range(1, len(layers)))
        for number, (stage, layer) in enumerate(layers):
            with writer.transaction():
                held |= _put_layer(writer, rng, layer, stage.follows, (classes, each))
                put_sheets(writer, number, layer.units, sheets)
                if number:
                    _put_parts(writer, rng, layer, layers[number - 1][1])
        with writer.transaction():
            _put_pictures(writer, rng, held, distinct)
        writer.finish_run()
    return path


def class_names(count: int) -> list[str]:
    """Names of classes, in alphabetical order: two words, and a number where there are more than these make."""
    words = [" ".join(pair) for pair in product(COLOURS.split(), THINGS.split())]
    numbered = [f"{words[place % len(words)]} {place // len(words) + 1}" for place in range(len(words), count)]
    return sorted([*words[:count], *numbered])


def _node(layer: LayerRecord) -> NodeRecord:
    shape = (layer.units, *(layer.map or ()))
    return NodeRecord(id=layer.node, name=layer.name, op=layer.kind, module=layer.name, shape=shape)


def _image(number: int, label: str) -> ImageRecord:
    source = f"{label.replace(' ', '_')}/{number:07d}.JPEG"
    return ImageRecord(
        id=number, source=source, sha256=f"{number:064x}", size=110_000, height=375, width=500, label=label
    )  # fmt: skip


def _put_layer(
    writer: AtlasWriter, rng: np.random.Generator, layer: LayerRecord, follows: float, images: tuple[int, int]
) -> set[int]:
    """All of a layer but its tiles; the images that it shows. images: how many classes, and images of each."""
    classes, each = images
    own = rng.permutation(max(layer.units, classes))[: layer.units] % classes
    peaks = _peaks(rng, layer, own, follows, images)
    means = rng.gamma(2, 0.1, (layer.units, classes)).astype(np.float32)
    means[np.arange(layer.units), own] *= 1 + 20 * follows
    strata = _strata(rng, layer, min(SAMPLED, classes * each))
    writer.put_layer(layer.node, layer)
    writer.put_units(layer.node, statistics(rng, peaks, means, classes * each))
    writer.put_peaks(layer.node, peaks, layer.field)
    writer.put_strata(layer.node, strata)
    writer.put_statistic("sample", {"images": SAMPLED, "seed": 0}, layer=layer.node)
    writer.set_layer_plate(layer.node, tile=TILE, method="guided", why="the network has residual sums")
    return {*np.unique(peaks.image).tolist(), *np.unique(strata.image).tolist()}


def _peaks(
    rng: np.random.Generator, layer: LayerRecord, own: np.ndarray, follows: float, images: tuple[int, int]
) -> Peaks:
    """own: of each unit its class. A peak's rank is what its image's number leaves when divided by their count: a unit
    has no image twice."""
    classes, each = images
    shape, ranks, (rows, cols) = (layer.units, K), np.arange(K), layer.map or (1, 1)
    anywhere = rng.integers(0, classes * each // K, shape) * K + ranks
    first = (own * each)[:, None]
    within = first + (ranks - first) % K + rng.integers(0, each // K, shape) * K
    return Peaks(
        value=-np.sort(-rng.gamma(4, 2, shape).astype(np.float32), axis=1),
        image=np.where(rng.uniform(size=shape) < follows, within, anywhere).astype(np.int64),
        row=rng.integers(0, rows, shape).astype(np.int32),
        col=rng.integers(0, cols, shape).astype(np.int32),
    )


def _strata(rng: np.random.Generator, layer: LayerRecord, sampled: int) -> Strata:
    shape, (rows, cols) = (layer.units, len(PERCENTILES), ROW), layer.map or (1, 1)
    return Strata(
        value=rng.gamma(2, 2, shape).astype(np.float32),
        image=rng.integers(0, sampled, shape).astype(np.int64),
        row=rng.integers(0, rows, shape).astype(np.int32),
        col=rng.integers(0, cols, shape).astype(np.int32),
    )


def _put_parts(writer: AtlasWriter, rng: np.random.Generator, layer: LayerRecord, earlier: LayerRecord) -> None:
    """What each unit is made of, of the layer before its own."""
    parts = min(PARTS, earlier.units)
    shares = -np.sort(-rng.uniform(0.01, 0.1, (layer.units, parts)), axis=1)
    others = rng.integers(0, earlier.units // parts, (layer.units, parts)) * parts + np.arange(parts)
    for unit in range(layer.units):
        strongest = tuple(
            UnitShare(unit=other, share=share, spread=0.01, row=0, col=0)
            for other, share in zip(others[unit].tolist(), shares[unit].tolist(), strict=True)
        )
        made: Mapping[int, MadeOf] = {
            earlier.node: MadeOf(
                layer=layer.name, unit=unit, earlier=earlier.name, peaks=K, units=0.9, constants=0.1, past=0.0,
                rest=0.0, strongest=strongest,
            )
        }  # fmt: skip
        writer.put_made_of(layer.node, made)


def _put_pictures(writer: AtlasWriter, rng: np.random.Generator, images: set[int], distinct: int) -> None:
    photograph = picture(rng)
    small = [encode(cut_from(photograph, rng, 128), shows="picture") for _ in range(distinct)]
    for image in sorted(images):
        writer.put_picture(image, "jpeg", small[image % distinct], 128, 128)
