"""The real first stage of a build from JPEG files, beside what no scan can do without: decoding, and the forward loop.

Both alone use all cores, so their sum over the stage's time says how much is lost between them. Decoding alone has as
many threads and reads as far ahead as in the stage; the stage's time includes its writing.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from bench.report import Aim, Line
from bench.stages import Enough, Stages
from bench.subjects import Subject, batches_of, forward_loops, subject
from bench.timing import Ratio, added, alternate, seconds_of
from bench.workshop import Workshop
from layerscope.pipeline import Build, Settings
from layerscope.pipeline.settings import BATCH
from layerscope.sources import Source, open_source

AIMS = {"alexnet": 1.0, "resnet50": 1.25, "mobilenet_v2": 1.5}
WORKERS = 2
AHEAD = 6  # as pipeline/scanning.py has it


def measure(workshop: Workshop) -> list[Line]:
    """One line per network: the seconds of decoding and of the loop, over the stage's."""
    return [_measured(name, workshop) for name in workshop.sizes.networks]


def _measured(name: str, workshop: Workshop) -> Line:
    chosen, paths = subject(name), workshop.paths[: workshop.sizes.files]
    batches = batches_of(paths, chosen)
    loops = forward_loops(chosen, batches)
    contenders: dict[str, Callable[[], float]] = {name: partial(seconds_of, loop) for name, loop in loops.items()}
    contenders["decoding"] = lambda: seconds_of(lambda: decode(open_source(paths), chosen))
    contenders["stage"] = lambda: scan_stage(open_source(paths), chosen, workshop.folder / "files.atlas")
    for warming in (*forward_loops(chosen, batches[:1]).values(), contenders["stage"]):
        warming()
    found = alternate(contenders, repeats=workshop.sizes.repeats)
    faster = min(loops, key=lambda name: median(found[name]))
    return Line(
        what=f"decoding alone + forward loop alone / scan stage, {chosen.network.name}, {len(paths)} JPEG files",
        medians={
            "decoding": median(found["decoding"]),
            f"loop ({faster})": median(found[faster]),
            "stage": median(found["stage"]),
        },
        ratio=Ratio.of_pairs(added(found["decoding"], found[faster]), found["stage"]),
        aim=Aim(shown=f"at least {AIMS[name]:g}", at_least=AIMS[name]),
    )


def decode(source: Source, subject: Subject) -> None:
    """All images decoded and prepared as the stage does it, and thrown away."""
    runs = (range(first, min(first + BATCH, len(source))) for first in range(0, len(source), BATCH))
    for _ in source.batches(subject.network.input, runs, threads=WORKERS, ahead=AHEAD):
        pass


def scan_stage(source: Source, subject: Subject, path: Path) -> float:
    """The seconds of a build's scan stage, its peaks and statistics written."""
    stages = Stages(until="sample")
    build = Build(
        subject.network.program,
        network=subject.network.name,
        input=subject.network.input,
        layers=subject.scanned,
        source=source,
        settings=Settings(),
        progress=stages,
        workers=WORKERS,
    )
    try:
        build.into(path, overwrite=True)
    except Enough:
        return stages.elapsed("scan")
    raise AssertionError("the build has no stage behind its scan")
