"""An atlas with a layer of 2,048 units, as of ResNet-50's last stage, written without a network.

Its tiles are made pictures, as rough as photographs, and repeat every 64 units; its peaks and statistics are drawn.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import Float32, UInt8

from bench.pictures import fractal_noise, picture
from layerscope.atlas.codecs import encode, grid
from layerscope.atlas.records import NodeRecord, RunRecord
from layerscope.atlas.write import AtlasWriter
from layerscope.core.geometry import Field, Window
from layerscope.core.records import HISTOGRAM_EDGES, ImageRecord, Input, LayerRecord, Peaks, UnitStatistics

UNITS, TILE, K, IMAGES, DISTINCT, SIDE = 2048, 64, 9, 1000, 64, 224
MAP = (7, 7)
# Encoded sheets by kind, method and view.
Sheets: TypeAlias = Mapping[tuple[str, str, str], Sequence[bytes]]


def write_wide(path: Path, *, units: int = UNITS, tile: int = TILE) -> Path:
    """The atlas; the same bytes each time."""
    rng = np.random.default_rng(0)
    peaks = _peaks(rng, units)
    with AtlasWriter.create(path) as writer:
        writer.start_run(made_run("wide", IMAGES))
        with writer.transaction():
            writer.put_images(_image(i) for i in range(IMAGES))
            writer.put_nodes([NodeRecord(id=0, name="layer4.2", op="relu", module="layer4.2", shape=(units, *MAP))])
            writer.put_layer(0, _layer(units))
            writer.put_units(0, statistics(rng, peaks, np.zeros((units, 0), np.float32)))
            writer.put_peaks(0, peaks, _layer(units).field)
            writer.set_layer_plate(0, tile=tile, method="guided", why="the network has residual sums")
            put_sheets(writer, 0, units, drawn_sheets(rng, tile, min(units, DISTINCT)))
            small = encode(cut_from(picture(rng), rng, 128), shows="picture")
            for image in range(IMAGES):
                writer.put_picture(image, "jpeg", small, 128, 128)
        writer.finish_run()
    return path


def made_run(name: str, images: int) -> RunRecord:
    """What made an atlas that nobody built."""
    return RunRecord(
        network=f"made:{name}",
        images=f"{images:,} made pictures",
        k=K,
        methods=("guided",),
        input=Input(height=SIDE, width=SIDE),
        settings={"layers": "auto", "seed": 0},
        fingerprint={"graph": "made", "weights": "made", "images": "made"},
        versions={"layerscope": "made"},
    )


def _image(number: int) -> ImageRecord:
    hashed = f"{number:064x}"
    return ImageRecord(id=number, source=f"{number:04d}.jpg", sha256=hashed, size=40_000, height=256, width=256)


def _layer(units: int) -> LayerRecord:
    whole = Window(size=427, step=32, start=-197)
    field = Field(rows=whole, cols=whole)
    return LayerRecord(
        name="layer4.2", path="layer4.2", node=0, kind="relu", units=units, map=MAP, field=field, auto=True, aliases=(),
        rectified=True,
    )  # fmt: skip


def _peaks(rng: np.random.Generator, units: int) -> Peaks:
    return Peaks(
        value=-np.sort(-rng.gamma(4, 2, (units, K)).astype(np.float32), axis=1),
        image=np.stack([rng.permutation(IMAGES)[:K] for _ in range(units)]).astype(np.int64),
        row=rng.integers(0, MAP[0], (units, K)).astype(np.int32),
        col=rng.integers(0, MAP[1], (units, K)).astype(np.int32),
    )


def statistics(
    rng: np.random.Generator, peaks: Peaks, class_means: Float32[np.ndarray, "u classes"], images: int = IMAGES
) -> UnitStatistics:
    """Statistics of units with these peaks; all but their maxima and class means are drawn."""
    units = len(peaks.value)
    counts = rng.multinomial(images, np.full(len(HISTOGRAM_EDGES) + 1, 1 / (len(HISTOGRAM_EDGES) + 1)), units)
    return UnitStatistics(
        mean=rng.gamma(2, 0.1, units).astype(np.float32),
        std=rng.gamma(2, 0.2, units).astype(np.float32),
        maximum=peaks.value[:, 0],
        images_above=rng.uniform(0, 1, units).astype(np.float32),
        positions_above=rng.uniform(0, 0.4, units).astype(np.float32),
        histogram=counts.astype(np.int64),
        class_means=class_means,
    )


def put_sheets(writer: AtlasWriter, layer: int, units: int, sheets: Sheets) -> None:
    """A layer's tiles; a unit has those of its number modulo as many as were drawn."""
    for (kind, method, view), drawn in sheets.items():
        for unit in range(units):
            writer.put_sheet(layer, unit, kind, method, view, np.full(K, 0.01), "jpeg", drawn[unit % len(drawn)])


def drawn_sheets(rng: np.random.Generator, tile: int, count: int = DISTINCT) -> Sheets:
    """Patches and guided projections in both views, by kind, method and view."""
    return {
        (kind, method, view): [encode(grid(tiles(rng, tile)), shows=view or kind) for _ in range(count)]
        for kind, method, view, tiles in (
            ("patches", "", "", _patches),
            ("projections", "guided", "natural", _projections),
            ("projections", "guided", "signal", _projections),
        )
    }


def _patches(rng: np.random.Generator, tile: int) -> UInt8[np.ndarray, "k side side 3"]:
    return np.stack([cut_from(picture(rng), rng, tile) for _ in range(K)])


def cut_from(
    image: UInt8[np.ndarray, "h w 3"], rng: np.random.Generator, side: int
) -> UInt8[np.ndarray, "side side 3"]:
    top, left = rng.integers(0, image.shape[0] - side), rng.integers(0, image.shape[1] - side)
    return image[top : top + side, left : left + side]


def _projections(rng: np.random.Generator, tile: int) -> UInt8[np.ndarray, "k side side 3"]:
    """Gray noise with a photograph's spectrum, strongest in the middle, on mid-gray."""
    reach = np.hypot(*(np.indices((tile, tile)) - tile / 2)) / (tile / 3)
    tiles = [128 + 40 * fractal_noise(rng, tile, tile) * np.exp(-(reach**2)) for _ in range(K)]
    return np.clip(np.stack(tiles), 0, 255).astype(np.uint8)[..., None].repeat(3, axis=-1)
