"""Two drawn atlases of so many images are merged, in a fresh process (bench/merging_child.py): its time and its memory.

A merge reads no picture and runs no network, so its cost is that of rows and sums: the atlases hold drawn ones, as a
scan of one layer of AlexNet's units would leave them.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from bench.report import Aim, Line
from bench.timing import alternate
from bench.workshop import Workshop
from layerscope.atlas.records import NodeRecord, RunRecord
from layerscope.atlas.write import AtlasWriter
from layerscope.core.geometry import Field, Window
from layerscope.core.records import ImageRecord, Input, LayerRecord, Peaks
from layerscope.pipeline.kept_totals import ScanKept, keep
from layerscope.scan import SampleRule, Totals
from layerscope.scan.input_statistics import add_images

UNITS, K, SIDE = 1_152, 9, 16
ONE = Window(size=1, step=1, start=0)
LINEAR = Aim(shown="1.0", at_most=1.1)
FLAT = Aim(shown="1.0", at_most=1.05)
ABOUT = {"seed": 0, "k": K}


def measure(workshop: Workshop) -> Iterator[Line]:
    """Seconds for each image, and peak memory, of a merge of many images over those of few."""
    few, many = workshop.sizes.merged
    pairs = {count: [workshop.folder / f"{count} {part}.atlas" for part in range(2)] for count in (few, many)}
    for count, pair in pairs.items():
        for part, path in enumerate(pair):
            draw_atlas(path, count, first=part * count)
    named = {f"2 x {count:,} images": pair for count, pair in pairs.items()}
    low, high = named
    for place, what, aim, unit in ((0, "processor time for each image", LINEAR, "us"), (1, "peak memory", FLAT, "MB")):
        yield Line(
            name=f"merging/{'time' if place == 0 else 'memory'}",
            what=f"{what} of a merge: two atlases of {many:,} / {few:,} images, {UNITS:,} units",
            samples=alternate(
                {name: partial(_of_merge, pair, place) for name, pair in named.items()},
                repeats=min(workshop.sizes.repeats, 3),
            ),
            above=(high,),
            below=(low,),
            aim=aim,
            unit=unit,
        )


def _of_merge(pair: list[Path], place: int) -> float:
    """Microseconds for each image, or megabytes, of a process that merges two atlases."""
    out = pair[0].with_name("merged.atlas")
    out.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.merging_child", *map(str, pair), str(out)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, env=dict(os.environ), capture_output=True, text=True, check=True)
    out.unlink()
    return float(done.stdout.split()[place])


def draw_atlas(path: Path, count: int, *, first: int) -> None:
    """A finished atlas of `count` drawn images, whose names begin with number `first`, that can be merged."""
    layer = LayerRecord(
        name="layer", path="layer", node=0, kind="relu", units=UNITS, map=(SIDE, SIDE), rectified=True,
        field=Field(rows=ONE, cols=ONE),
    )  # fmt: skip
    names = (f"{first + image:09d}.jpg" for image in range(count))
    records = (
        ImageRecord(id=id, source=name, sha256=hashlib.sha256(name.encode()).hexdigest(), size=1, height=1, width=1)
        for id, name in enumerate(names)
    )
    run = RunRecord(
        network="drawn", images="drawn", k=K, methods=(), input=Input(height=SIDE, width=SIDE), settings=ABOUT,
        fingerprint={"graph": "", "settings": ABOUT, "images": "", "labels": ""},
    )  # fmt: skip
    with AtlasWriter.create(path, overwrite=True) as writer:
        writer.put_nodes([NodeRecord(id=0, name="layer", op="relu", module="layer", shape=(UNITS, SIDE, SIDE))])
        writer.put_layer(0, layer)
        writer.put_images(records)
        keep(writer, _totals(layer, count, first), ScanKept(layers=(0,), classes=(), listed=count))
        writer.start_run(run)
        writer.finish_run()


def _totals(layer: LayerRecord, count: int, seed: int) -> Totals:
    """Sums of drawn numbers, full in every place."""
    rng = np.random.default_rng(seed)
    rule = SampleRule.of(count, [layer], 0)
    totals = Totals([layer], k=K, classes=0, sampled=rule.most)
    totals.images, sums = count, totals.layers[0]
    totals.input_sums = {127: add_images({}, rng.random((8, 3, SIDE, SIDE), np.float32))}
    sampled = np.sort(rng.permutation(count)[: rule.most])
    entering, slots = totals.sample.enter(sampled, rng.integers(0, max(rule.limit // 2, 1), len(sampled)))
    sums.maxima[slots] = rng.random((len(entering), UNITS), np.float32)
    sums.positions, sums.above[...] = count * SIDE * SIDE, count
    sums.histogram[...] = rng.integers(0, count, sums.histogram.shape)
    sums.sums.add(rng.random(sums.sums.high.shape) * count)
    value = -np.sort(-rng.random((UNITS, K), np.float32), 1)
    image = np.stack([rng.permutation(count)[:K] for _ in range(UNITS)])
    place = np.zeros((UNITS, K), np.int32)
    sums.peaks = Peaks(value=value, image=image, row=place, col=place)
    return totals
