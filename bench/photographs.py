"""A build from photographs as a camera writes them, beside the same build that reads them anew for every stage.

Decoding twelve million px takes a hundred times as long as reading the prepared input that is kept of them.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from bench.pictures import QUALITY, picture
from bench.report import Aim, Line
from bench.stages import Stages
from bench.subjects import Subject, subject
from bench.timing import alternate, seconds_of
from bench.workshop import Workshop
from layerscope.pipeline import Build, Settings
from layerscope.sources import ImageCache, open_source
from layerscope.sources import image as one_image

NETWORK = "alexnet"
SIZE = (4000, 3000)
FASTER = Aim(shown="at most 0.6", at_most=0.6)
FEWER = Aim(shown="at most 2", at_most=2.0)


def measure(workshop: Workshop) -> Iterator[Line]:
    """Two lines: the build's time over that of the one that keeps nothing, and decodes a photograph."""
    chosen, count = subject(NETWORK), workshop.sizes.photographs
    paths = write_photographs(workshop.folder / "photographs", count)
    decodes: list[float] = []

    def keeping() -> float:
        with_, seconds = counted(lambda: build(chosen, paths, workshop.folder / "kept.atlas", keep=True))
        decodes.append(with_)
        return seconds

    def anew() -> float:
        return seconds_of(lambda: build(chosen, paths, workshop.folder / "anew.atlas", keep=False))

    found = alternate({"kept": keeping, "read anew": anew}, repeats=workshop.sizes.repeats)
    job = f"{chosen.network.name}, {count} photographs of {SIZE[0]} x {SIZE[1]} px"
    yield Line(
        name="photographs/time",
        what=f"build that keeps prepared images / one that reads them anew, {job}",
        samples=found,
        above=("kept",),
        below=("read anew",),
        aim=FASTER,
    )
    yield Line(
        name="photographs/decodes",
        what=f"decodes / photograph, opening included, {job}",
        samples={"decodes": decodes, "photographs": [float(count)] * len(decodes)},
        above=("decodes",),
        below=("photographs",),
        aim=FEWER,
        unit="",
    )


def write_photographs(folder: Path, count: int) -> list[Path]:
    """`count` JPEG files of SIZE: small drawn pictures, enlarged."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{index:05d}.jpg" for index in range(count)]
    for index, path in enumerate(paths):
        drawn = Image.fromarray(picture(np.random.default_rng([1, index])))
        drawn.resize(SIZE, Image.Resampling.BICUBIC).save(path, quality=QUALITY)
    return paths


def counted(work: Callable[[], None]) -> tuple[float, float]:
    """How many pictures a call decodes, and its seconds."""
    calls, plain = Counter[str](), one_image.decode

    def decode(*given: object, **options: object) -> Image.Image:
        calls["decode"] += 1
        return plain(*given, **options)  # type: ignore[arg-type]

    one_image.decode = decode
    try:
        seconds = seconds_of(work)
    finally:
        one_image.decode = plain
    return float(calls["decode"]), seconds


def build(chosen: Subject, paths: list[Path], out: Path, *, keep: bool) -> None:
    """An atlas of a few units of each layer."""
    network, stages, settings = chosen.network, Stages(), Settings(units=16)
    made = stages.build = Build(
        network.program,
        network=network.name,
        input=network.input,
        layers=chosen.layers,
        source=open_source(paths),
        settings=settings,
        progress=stages,
    )
    if not keep:
        made.source = made.source.cached_in(ImageCache(network.input, pictures=settings.pictures, most=0))
    made.into(out, overwrite=True)
