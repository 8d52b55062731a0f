"""The real first stage of a build from JPEG files, and what no scan can do without: decoding.

Decoding alone has as many threads and reads as far ahead as in the stage; the stage's time includes its writing.
"""

from pathlib import Path

from bench.stages import Enough, Stages
from bench.subjects import Subject
from layerscope.pipeline import Build, Settings
from layerscope.pipeline.settings import BATCH
from layerscope.sources import Source

WORKERS = 2
AHEAD = 6  # as pipeline/scanning.py has it


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
