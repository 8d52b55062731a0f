"""A small atlas that looks like a built one, written without a network: for tests of what reads atlases."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from layerscope.atlas.codecs import encode, grid
from layerscope.atlas.records import EdgeRecord, NodeRecord, RunRecord
from layerscope.atlas.write import AtlasWriter
from layerscope.core.geometry import Box, Field, Window
from layerscope.core.methods import DEFAULT_METHODS
from layerscope.core.records import (
    HISTOGRAM_EDGES,
    ImageRecord,
    Input,
    LayerRecord,
    Peaks,
    Placement,
    UnitStatistics,
)
from layerscope.core.settings import VIEWS
from tests.helpers.written import once

SIDE = 64
CLASSES = ("disc", "ring", "stripes", "corner")
INPUT = Input(height=SIDE, width=SIDE, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
# Source pictures are twice as large as the input, and 20 px wider on either side.
PLACEMENT = Placement(row_scale=2.0, col_scale=2.0, top=0.0, left=20.0, height=2 * SIDE, width=2 * SIDE + 40)
# Per layer: the method that its plate shows, and why.
PLATES = (("deconvnet", "a plain chain"), ("guided", "the network has residual sums"), (None, None))
KINDS = {
    "input": ("", (3, SIDE, SIDE)),
    "features.0": ("convolution", (12, 32, 32)),
    "features.1": ("relu", (12, 32, 32)),
    "features.3": ("convolution", (12, 16, 16)),
    "features.4": ("relu", (12, 16, 16)),
    "classifier.0": ("linear", (12,)),
    "classifier.1": ("relu", (12,)),
}


def layer_records(units: int) -> tuple[LayerRecord, ...]:
    """Two convolutional layers and a dense one, each shown after its ReLU."""

    def window(size: int, step: int, start: int) -> Window:
        return Window(size=size, step=step, start=start)

    shapes = (
        ("features.1", 2, (32, 32), window(7, 2, -3), ("features.0",)),
        ("features.4", 4, (16, 16), window(23, 4, -11), ("features",)),
        ("classifier.1", 6, None, Window.whole(SIDE), ()),
    )
    return tuple(
        LayerRecord(
            name=name,
            path=name,
            node=node,
            kind="relu",
            units=units,
            map=size,
            field=Field(rows=axis, cols=axis),
            auto=True,
            aliases=aliases,
            rectified=True,
        )
        for name, node, size, axis, aliases in shapes
    )


def image_records(count: int) -> list[ImageRecord]:
    """Images of four classes; the last but one is a duplicate of the first, the last was skipped."""

    def record(i: int) -> ImageRecord:
        last, duplicate = i == count - 1, i == count - 2
        label = CLASSES[0 if duplicate else i % len(CLASSES)]
        return ImageRecord(
            id=i,
            source=f"photos/{label}/{i:03d}.jpg",
            sha256=None if last else f"{0 if duplicate else i:064x}",
            size=0 if last else 4000 + i,
            height=None if last else PLACEMENT.height,
            width=None if last else PLACEMENT.width,
            label=label,
            skipped="the file is empty" if last else None,
            duplicate_of=0 if duplicate else None,
        )

    return [record(i) for i in range(count)]


def picture(image: int) -> np.ndarray:
    """A drawn input picture, uint8[64, 64, 3]: one shape of the image's class on a shaded ground."""
    rng = np.random.default_rng(image)
    rows, cols = np.mgrid[:SIDE, :SIDE]
    centre_row, centre_col = rng.integers(20, SIDE - 20, 2)
    reach = np.hypot(rows - centre_row, cols - centre_col)
    shape = {
        "disc": reach < 11,
        "ring": abs(reach - 11) < 3,
        "stripes": (rows + cols) // 5 % 2 == 0,
        "corner": (rows > centre_row) & (cols > centre_col),
    }[CLASSES[image % len(CLASSES)]]
    ground, ink = rng.integers(40, 216, (2, 3))
    shaded = ground + (rows + cols)[..., None] * 0.3 + rng.normal(0, 4, (SIDE, SIDE, 3))
    return np.clip(np.where(shape[..., None], ink, shaded), 0, 255).astype(np.uint8)


def _peaks(rng: np.random.Generator, layer: LayerRecord, k: int, images: int) -> Peaks:
    """Random peaks, best first. The last unit is dead, the one before it has two peaks only."""
    peaks = Peaks.empty(layer.units, k)
    height, width = layer.map or (1, 1)
    for unit in range(layer.units):
        dead, sparse = unit == layer.units - 1, unit == layer.units - 2
        n = min(0 if dead else 2 if sparse else k, images)
        peaks.value[unit, :n] = np.sort(rng.gamma(4, 2, n))[::-1]
        peaks.image[unit, :n] = rng.permutation(images)[:n]
        peaks.row[unit, :n] = rng.integers(0, height, n)
        peaks.col[unit, :n] = rng.integers(0, width, n)
    return peaks


def _statistics(rng: np.random.Generator, peaks: Peaks, images: int) -> UnitStatistics:
    units = len(peaks.value)
    alive = (peaks.image[:, 0] >= 0).astype(np.float32)
    maxima = rng.gamma(2, 2, (units, images)) * alive[:, None]
    maxima = np.minimum(maxima, np.maximum(peaks.value[:, :1], 0))
    counts = [np.histogram(row, np.concatenate([[-np.inf], HISTOGRAM_EDGES, [np.inf]]))[0] for row in maxima]
    return UnitStatistics(
        mean=(maxima.mean(1) / 8).astype(np.float32),
        std=(maxima.std(1) / 4).astype(np.float32),
        maximum=np.maximum(peaks.value[:, 0], 0),
        images_above=(maxima > 0).mean(1).astype(np.float32),
        positions_above=(alive * rng.uniform(0.01, 0.4, units)).astype(np.float32),
        histogram=np.array(counts, np.int64),
        class_means=np.stack([maxima[:, c :: len(CLASSES)].mean(1) for c in range(len(CLASSES))], 1).astype(np.float32),
    )


def _tile_box(layer: LayerRecord, row: int, col: int, tile: int) -> Box:
    """A square of the tile's side at the centre of the field, inside the picture."""
    field = layer.field.box(row, col)
    top, left = (field.top + field.bottom - tile) // 2, (field.left + field.right - tile) // 2
    return Box(top=top, left=left, bottom=top + tile, right=left + tile).moved_inside(SIDE, SIDE)


def _projection(patch: np.ndarray, view: str, method: str) -> np.ndarray:
    """What a projection may look like: the edges of the patch, in colour noise where the view is the signal."""
    gray = patch.astype(float).mean(2)
    edges = sum(np.abs(np.diff(gray, axis=axis, append=gray.take([-1], axis))) for axis in (0, 1))
    noise = np.random.default_rng(0).normal(0, 12 if view == "signal" else 0, patch.shape)
    sign = 1 if method == "deconvnet" else -1
    return np.clip(128 + sign * edges[..., None] + noise, 0, 255).astype(np.uint8)


def _put_sheets(
    writer: AtlasWriter, layer_id: int, layer: LayerRecord, peaks: Peaks, tile: int, methods: tuple[str, ...]
) -> None:
    blank = np.full((tile, tile, 3), 128, np.uint8)
    for unit in range(layer.units):
        present = peaks.image[unit] >= 0
        boxes = [_tile_box(layer, int(r), int(c), tile) for r, c in zip(peaks.row[unit], peaks.col[unit], strict=True)]
        patches = [
            picture(int(image))[box.top : box.bottom, box.left : box.right] if image >= 0 else blank
            for image, box in zip(peaks.image[unit], boxes, strict=True)
        ]
        ranks = np.flatnonzero(present).tolist()
        writer.set_boxes(layer_id, [(unit, r, boxes[r], PLACEMENT.source_box(boxes[r])) for r in ranks])
        if not ranks:
            continue
        writer.put_sheet(
            layer_id, unit, "patches", "", "", np.ones(len(present)), "jpeg", encode(grid(np.stack(patches)))
        )
        for method in methods:
            for view in VIEWS:
                tiles = [
                    _projection(p, view, method) if here else blank for p, here in zip(patches, present, strict=True)
                ]
                scales = np.where(present, 0.01, 0)
                sheet = encode(grid(np.stack(tiles)))
                writer.put_sheet(layer_id, unit, "projections", method, view, scales, "jpeg", sheet)


def _put_graph(writer: AtlasWriter) -> None:
    for node, (name, (op, shape)) in enumerate(KINDS.items()):
        writer.put_nodes([NodeRecord(id=node, name=name, op=op, module=name, shape=shape)])
        if node:
            writer.put_edges([EdgeRecord(node=node, position=0, source=node - 1)])


def _put_statistics(writer: AtlasWriter, images: int) -> None:
    writer.put_statistic("classes", list(CLASSES))
    writer.put_statistic("class_counts", [len(range(c, images - 1, len(CLASSES))) for c in range(len(CLASSES))])
    writer.put_statistic("colour", np.eye(3) * 0.4 + 0.6)
    writer.put_statistic("spectrum", 1 / (1 + np.arange(33)) ** 2)


def retained(share: float) -> dict[str, Any]:
    """What the marked pixels may keep, as it is stored: so much, half of it by edges, a tenth of all by random ones."""
    kept = {"own": share, "edges": share / 2, "random": 0.1, "partner": share - 0.3, "selectivity": 0.3}
    return {"n": 64, "pairs": 60, **{name: [of, of - 0.05, of + 0.05] for name, of in kept.items()}}


@once
def small_atlas(
    path: str | Path,
    *,
    units: int = 12,
    k: int = 9,
    images: int = 40,
    methods: tuple[str, ...] = DEFAULT_METHODS,
    pictures: bool = True,
    finished: bool = True,
    seed: int = 0,
) -> Path:
    """Write the atlas; its path. features.1 shows the deconvnet, features.4 guided; classifier.1 has no projections.

    The last unit of every layer is dead, the last but one has two peaks. One image is a duplicate, one was skipped.
    """
    rng = np.random.default_rng(seed)
    run = RunRecord(
        network="torchvision:smallnet",
        images=f"photos/ ({images} images)",
        k=k,
        methods=methods,
        input=INPUT,
        settings={"layers": "auto", "seed": seed},
        fingerprint={"graph": "9a3c" * 16, "weights": "51fe" * 16, "images": "07bd" * 16},
        versions={"layerscope": "0.1.0", "torch": "2.6.0", "python": "3.11.7", "threads": 2},
    )
    with AtlasWriter.create(path) as writer:
        writer.start_run(run)
        with writer.transaction():
            writer.put_images(image_records(images))
            _put_graph(writer)
            _put_statistics(writer, images)
            shown = set()
            for layer_id, (layer, tile) in enumerate(zip(layer_records(units), (8, 24, SIDE), strict=True)):
                peaks = _peaks(rng, layer, k, images - 2)
                shown.update(peaks.image[peaks.image >= 0].tolist())
                writer.put_layer(layer_id, layer)
                writer.put_units(layer_id, _statistics(rng, peaks, images - 2))
                writer.put_peaks(layer_id, peaks, layer.field)
                of_layer = methods if layer.map else ()
                _put_sheets(writer, layer_id, layer, peaks, tile, of_layer)
                method, why = PLATES[layer_id]
                writer.set_layer_plate(layer_id, tile=tile, method=method, why=why)
                for number, of in enumerate(of_layer):
                    measured = {"median": 0.2 + 0.3 * number, "q25": 0.1, "q75": 0.7, "n": 64}
                    writer.put_statistic("specificity", measured, layer=layer_id, method=of)
                    writer.put_statistic("retention", retained(0.6 + 0.2 * number), layer=layer_id, method=of)
            writer.put_filters(0, rng.normal(0, 0.2, (units, 3, 7, 7)).astype(np.float32))
            for image in sorted(shown) if pictures else ():
                writer.put_picture(image, "jpeg", encode(picture(image)), SIDE, SIDE)
        if finished:
            writer.finish_run()
    return Path(path)


def as_sql(atlas: Path) -> list[str]:
    """All that is in an atlas, as SQL."""
    with closing(sqlite3.connect(atlas)) as connection:
        return list(connection.iterdump())
