"""An atlas with a layer of 2,048 units, as of ResNet-50's last stage, written without a network.

Its tiles are made pictures, as rough as photographs, and repeat every 64 units; its peaks and statistics are drawn.
"""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from bench.pictures import fractal_noise, picture
from layerscope.atlas.codecs import encode, grid
from layerscope.atlas.records import NodeRecord, RunRecord
from layerscope.atlas.write import AtlasWriter
from layerscope.core.geometry import Field, Window
from layerscope.core.records import HISTOGRAM_EDGES, ImageRecord, Input, LayerRecord, Peaks, UnitStatistics

UNITS, TILE, K, IMAGES, DISTINCT, SIDE = 2048, 64, 9, 1000, 64, 224
MAP = (7, 7)


def write_wide(path: Path, *, units: int = UNITS, tile: int = TILE) -> Path:
    """The atlas; the same bytes each time."""
    rng = np.random.default_rng(0)
    peaks = _peaks(rng, units)
    with AtlasWriter.create(path) as writer:
        writer.start_run(_run())
        with writer.transaction():
            writer.put_images(_image(i) for i in range(IMAGES))
            writer.put_nodes([NodeRecord(id=0, name="layer4.2", op="relu", module="layer4.2", shape=(units, *MAP))])
            writer.put_layer(0, _layer(units))
            writer.put_units(0, _statistics(rng, peaks))
            writer.put_peaks(0, peaks, _layer(units).field)
            writer.set_layer_plate(0, tile=tile, method="guided", why="the network has residual sums")
            _put_sheets(writer, rng, units, tile)
            small = encode(_cut(picture(rng), rng, 128), shows="picture")
            for image in range(IMAGES):
                writer.put_picture(image, "jpeg", small, 128, 128)
        writer.finish_run()
    return path


def _run() -> RunRecord:
    return RunRecord(
        network="made:wide",
        images=f"{IMAGES} made pictures",
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


def _statistics(rng: np.random.Generator, peaks: Peaks) -> UnitStatistics:
    units = len(peaks.value)
    counts = rng.multinomial(IMAGES, np.full(len(HISTOGRAM_EDGES) + 1, 1 / (len(HISTOGRAM_EDGES) + 1)), units)
    return UnitStatistics(
        mean=rng.gamma(2, 0.1, units).astype(np.float32),
        std=rng.gamma(2, 0.2, units).astype(np.float32),
        maximum=peaks.value[:, 0],
        images_above=rng.uniform(0, 1, units).astype(np.float32),
        positions_above=rng.uniform(0, 0.4, units).astype(np.float32),
        histogram=counts.astype(np.int64),
        class_means=np.zeros((units, 0), np.float32),
    )


def _put_sheets(writer: AtlasWriter, rng: np.random.Generator, units: int, tile: int) -> None:
    """Patches and guided projections in both views; unit u has those of unit u modulo 64."""
    kinds = (("patches", "", "", "patches"), *(("projections", "guided", view, view) for view in ("natural", "signal")))
    for kind, method, view, shows in kinds:
        tiles = _patches if kind == "patches" else _projections
        sheets = [encode(grid(tiles(rng, tile)), shows=shows) for _ in range(min(units, DISTINCT))]
        for unit in range(units):
            writer.put_sheet(0, unit, kind, method, view, np.full(K, 0.01), "jpeg", sheets[unit % DISTINCT])


def _patches(rng: np.random.Generator, tile: int) -> UInt8[np.ndarray, "k side side 3"]:
    return np.stack([_cut(picture(rng), rng, tile) for _ in range(K)])


def _cut(image: UInt8[np.ndarray, "h w 3"], rng: np.random.Generator, side: int) -> UInt8[np.ndarray, "side side 3"]:
    top, left = rng.integers(0, image.shape[0] - side), rng.integers(0, image.shape[1] - side)
    return image[top : top + side, left : left + side]


def _projections(rng: np.random.Generator, tile: int) -> UInt8[np.ndarray, "k side side 3"]:
    """Gray noise with a photograph's spectrum, strongest in the middle, on mid-gray."""
    reach = np.hypot(*(np.indices((tile, tile)) - tile / 2)) / (tile / 3)
    tiles = [128 + 40 * fractal_noise(rng, tile, tile) * np.exp(-(reach**2)) for _ in range(K)]
    return np.clip(np.stack(tiles), 0, 255).astype(np.uint8)[..., None].repeat(3, axis=-1)
