"""A layer of many units, written quickly: every unit shows the same few pictures, in an order of its own numbers."""

from pathlib import Path

import numpy as np

from layerscope.atlas.codecs import encode, grid
from layerscope.atlas.concepts import DISSECTION, layer_data
from layerscope.atlas.records import NodeRecord, RunRecord
from layerscope.atlas.write import AtlasWriter
from layerscope.core.concepts import ConceptScore, Dissection, LayerDissection, UnitConcept
from layerscope.core.geometry import Field, Window
from layerscope.core.records import HISTOGRAM_EDGES, ImageRecord, Input, LayerRecord, Peaks, UnitStatistics
from layerscope.core.strata import Neighbours
from tests.helpers.facts import counts
from tests.helpers.written import once

TILE, K = 8, 9
IMAGES = 40


def layer_record(units: int, name: str = "layer4.2") -> LayerRecord:
    window = Window(size=31, step=8, start=-11)
    return LayerRecord(
        name=name,
        path=name,
        node=1,
        kind="block",
        units=units,
        map=(7, 7),
        field=Field(rows=window, cols=window),
        auto=True,
        rectified=True,
    )


def colour(unit: int, rank: int) -> tuple[int, int, int]:
    """Of a unit's tile, where tiles are told apart: every unit below 64 has nine of its own."""
    return 40 + 3 * (unit % 64), 20 * rank + 20, 255 - 3 * (unit % 64)


def sheet(unit: int) -> bytes:
    tiles = [np.full((TILE, TILE, 3), colour(unit, rank), np.uint8) for rank in range(K)]
    return encode(grid(np.stack(tiles)), "png")


@once
def wide_atlas(
    path: str | Path,
    units: int,
    *,
    name: str = "layer4.2",
    concept: str = "wheel",
    network: str = "torchvision:widenet",
    classes: tuple[str, ...] = ("dog", "cat"),
) -> Path:
    """Write the atlas; its path. Every third unit is named, unit 5 nearly duplicates unit 2, the last is dead."""
    rng = np.random.default_rng(3)
    layer, peaks = layer_record(units, name), Peaks.empty(units, K)
    values = np.sort(rng.gamma(4, 2, (units, K)).astype(np.float32), 1)[:, ::-1]
    peaks.value[:-1], peaks.image[:-1] = values[:-1], np.arange(K)
    maximum = np.where(peaks.image[:, 0] >= 0, peaks.value[:, 0], 0).astype(np.float32)
    histogram = np.zeros((units, len(HISTOGRAM_EDGES) + 1), np.int64)
    histogram[:, 100] = IMAGES
    share = rng.uniform(0, 1, (2, units)).astype(np.float32)
    statistics = UnitStatistics(
        mean=(maximum / 8).astype(np.float32),
        std=maximum,
        maximum=maximum,
        images_above=share[0],
        positions_above=share[1],
        histogram=histogram,
        class_means=rng.uniform(0, 4, (units, len(classes))).astype(np.float32),
    )
    near = Neighbours(other=np.full((units, 8), -1, np.int64), correlation=np.zeros((units, 8)))
    near.other[5:6, 0], near.correlation[5:6, 0] = 2, 0.97
    run = RunRecord(
        network=network, images=f"photos/ ({IMAGES} images)", k=K, methods=("guided",), input=Input(height=64, width=64)
    )
    with AtlasWriter.create(path) as writer:
        writer.start_run(run)
        with writer.transaction():
            writer.put_images([ImageRecord(id=i, source=f"{i}.jpg", height=64, width=64) for i in range(IMAGES)])
            writer.put_nodes([NodeRecord(id=1, name="block", op="relu", module=name, shape=(units, 7, 7))])
            writer.put_statistic("classes", list(classes))
            writer.put_statistic("class_counts", [IMAGES // len(classes)] * len(classes))
            writer.put_layer(0, layer)
            writer.put_units(0, statistics)
            writer.put_peaks(0, peaks, layer.field)
            writer.put_neighbours(0, near)
            found = tuple(_concept(unit, units, concept) for unit in range(units))
            figures = counts({2: sum(one.best is not None for one in found)}, units=units)
            layer_found = LayerDissection(layer=name, units=found, figures=figures, bau=figures)
            dissection = Dissection(layers=(layer_found,), images=IMAGES, settings={})
            writer.put_concepts(0, found)
            writer.put_statistic(DISSECTION, layer_data(dissection, layer_found), layer=0)
            ready = [sheet(unit) for unit in range(min(units, 64))]
            for unit in range(units - 1):
                scales, pixels = np.ones(K), ready[unit % 64]
                writer.put_sheet(0, unit, "patches", "", "", scales, "png", pixels)
                writer.put_sheet(0, unit, "projections", "guided", "natural", scales, "png", pixels)
            writer.set_layer_plate(0, tile=TILE, method="guided", why="a test")
            writer.put_statistic(
                "specificity", {"median": 0.4, "q25": 0.1, "q75": 0.7, "n": 64}, layer=0, method="guided"
            )
        writer.finish_run()
    return Path(path)


def _concept(unit: int, units: int, name: str) -> UnitConcept:
    if unit % 3 or unit == units - 1:
        return UnitConcept(unit=unit)
    score = ConceptScore(concept=name, level=2, score=0.05 + unit % 7 / 50, iou=0.2, frequency=0.1)
    return UnitConcept(unit=unit, ranked=(score,), best=score)
