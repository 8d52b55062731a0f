"""`python -m bench.cluster_child COUNT`: scan so many synthetic images by two actors, and print the peak memory of the
writer in MB while they did."""

import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.memory import SIDE
from bench.memory_child import forget_peak, peak_megabytes, tiny
from bench.stages import Enough, Stages
from layerscope.pipeline import Build, Settings
from layerscope.sources import Entry, Source, of_pixels
from layerscope.sources.image import ReadImage

# So many different images there are; the rest have a number in a corner, which makes them no copies.
DIFFERENT = 64


class Synthetic(Source):
    """As many images as wanted, of which nothing lies anywhere but their names."""

    def __init__(self, count: int) -> None:
        names = (Entry(identity=f"synthetic/{number:08}.png", size=number) for number in range(count))
        super().__init__(names, name=f"synthetic ({count:,} images)")

    def read(self, id: int) -> ReadImage:
        pixels = np.random.default_rng(id % DIFFERENT).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        pixels[0, 0] = [id & 255, id >> 8 & 255, id >> 16 & 255]
        return of_pixels(self.record(id), pixels)


def scanned(count: int, out: Path) -> float:
    """The peak memory in MB."""
    chosen, stages = tiny(), Stages(until="sample")
    build = Build(
        chosen.network.program, network="tiny", input=chosen.network.input, layers=chosen.scanned,
        source=Synthetic(count), settings=Settings(), progress=stages, workers=1, engine="ray",
        of_engine={"processes": 2, "address": "local"},
    )  # fmt: skip
    forget_peak()
    try:
        build.into(out)
    except Enough:
        return peak_megabytes()
    raise AssertionError("the build has no stage behind its scan")


if __name__ == "__main__":
    # By its own name, so that actors find the class: what a program's first module holds has no name elsewhere.
    from bench.cluster_child import scanned as by_name

    with tempfile.TemporaryDirectory(prefix="layerscope-bench-") as scratch:
        print(f"{by_name(int(sys.argv[1]), Path(scratch, 'a.atlas')):.1f}")
