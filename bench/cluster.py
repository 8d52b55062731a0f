"""`python -m bench.cluster`: the engine `ray` beside `local`, simulated pieces by many actors, and the writer's memory.

All actors are on this machine, in a cluster that is begun for it; every process computes with one thread. What many
actors take is simulated, since it is asked how little the writer does for each piece, and not how fast many machines
are. The table is printed; nothing is kept.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from bench.machine import machine, versions
from bench.pictures import write_pictures
from bench.report import Aim, LeftOut, Line, at_least, markdown
from bench.simulated import PIECE_SECONDS, Simulated
from bench.stages import Enough, Stages
from bench.subjects import Subject, subject
from bench.timing import alternate, seconds_of
from layerscope.core.engines import DEFAULT_ENGINE, ENGINES, Piece, opened
from layerscope.pipeline import Build, Settings
from layerscope.sources import open_source

RAY = "ray"
NETWORK = "squeezenet1_0"
EACH = 8
ACTORS = (8, 32, 128)


class Beginning(Stages):
    """A build whose stages are watched from its own beginning, which is that of its engine."""

    def __init__(self, *, until: str | None = None) -> None:
        super().__init__(until=until)
        self.started = time.perf_counter()

    @property
    def before(self) -> float:
        """The seconds before the first stage."""
        return self._begun[0][1] - self.started

    @property
    def all(self) -> float:
        """The seconds from the beginning of the first stage to the end of the last."""
        return self._begun[-1][1] - self._begun[0][1]


def built(chosen: Subject, paths: list[Path], out: Path, engine: str, processes: int, until: str | None) -> Beginning:
    """A build of a few units of each layer, to a stage or to its end."""
    network, stages = chosen.network, Beginning(until=until)
    made = stages.build = Build(
        network.program, network=network.name, input=network.input, layers=chosen.layers, source=open_source(paths),
        settings=Settings(units=16), progress=stages, workers=1, engine=engine,
        of_engine={} if engine == DEFAULT_ENGINE else {"processes": processes, "address": "local"},
    )  # fmt: skip
    try:
        made.into(out, overwrite=True)
        stages.finish()
    except Enough:
        pass
    return stages


def scaled(chosen: Subject, paths: list[Path], folder: Path, repeats: int) -> Line:
    """The scan of real files by one and by two actors."""

    def scan(processes: int) -> float:
        return built(chosen, paths, folder / "scan.atlas", RAY, processes, "sample").elapsed("scan")

    return Line(
        name="cluster/two",
        what=f"scan by one actor / by two, one thread each, {chosen.network.name}, {len(paths):,} images",
        samples=alternate({"one": lambda: scan(1), "two": lambda: scan(2)}, repeats=repeats),
        above=("one",), below=("two",), aim=at_least(1.8),
    )  # fmt: skip


def beside_local(chosen: Subject, paths: list[Path], folder: Path, repeats: int) -> Line:
    """A whole build by one actor and by the writer itself; how long the engine's start took is told apart."""
    starts: dict[str, list[float]] = {DEFAULT_ENGINE: [], RAY: []}

    def build(engine: str) -> float:
        stages = built(chosen, paths, folder / f"{engine}.atlas", engine, 1, None)
        starts[engine].append(stages.before)
        return stages.all

    samples = alternate({name: partial(build, name) for name in starts}, repeats=repeats)
    begun = ", ".join(f"{name} {median(seconds):.1f} s" for name, seconds in starts.items())
    return Line(
        name="cluster/one",
        what=f"build by ray with one actor / by local, {chosen.network.name}, {len(paths):,} images "
        f"(before the first stage, not counted: {begun})",
        samples=samples, above=(RAY,), below=(DEFAULT_ENGINE,), aim=Aim(shown="at most 1.15", at_most=1.15),
    )  # fmt: skip


def simulated(actors: int) -> Iterator[Line]:
    """Pieces that only wait, by so many actors: how many times faster than one after the other, and what each costs the
    writer of processor time."""
    pieces = [Piece(number, 1, None) for number in range(EACH * actors)]
    with opened(ENGINES[RAY], 1, processes=actors, address="local") as engine:
        for _ in engine.map(Simulated(), pieces[:actors]):
            pass
        before = time.process_time()
        seconds = seconds_of(lambda: [sum(map(len, made)) for made in engine.map(Simulated(), pieces)])
        own = (time.process_time() - before) / len(pieces)
    yield Line(
        name=f"cluster/{actors}", what=f"{len(pieces):,} pieces of {PIECE_SECONDS} s / by {actors} actors",
        samples={"one by one": [PIECE_SECONDS * len(pieces)], "actors": [seconds]},
        above=("one by one",), below=("actors",), aim=at_least(0.9 * actors) if actors <= 32 else None,
    )  # fmt: skip
    yield Line(
        name=f"cluster/{actors}/writer", what=f"the writer's processor time for one of them, by {actors} actors / 5 ms",
        samples={"writer": [1000 * own], "aim": [5.0]}, above=("writer",), below=("aim",), unit="ms",
        aim=Aim(shown="at most 1", at_most=1.0),
    )  # fmt: skip


def memory(few: int, many: int) -> Line:
    """The writer's peak memory in a scan of so many synthetic images by two actors."""

    def peak(count: int) -> float:
        command = [sys.executable, "-m", "bench.cluster_child", str(count)]
        done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
        if done.returncode:
            raise LeftOut(f"the scan of {count:,} images failed: {done.stderr.strip().splitlines()[-1:]}")
        return float(done.stdout)

    return Line(
        name="cluster/memory", what=f"the writer's peak memory, {many:,} / {few:,} synthetic images",
        samples=alternate({"many": lambda: peak(many), "few": lambda: peak(few)}, repeats=1),
        above=("many",), below=("few",), unit="MB", aim=Aim(shown="at most 1.1", at_most=1.1),
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument("--images", type=Path, help="a folder of photographs, in place of drawn pictures")
    parser.add_argument("--count", type=int, default=1000, help="so many images (default 1000)")
    parser.add_argument("--repeats", type=int, default=3, help="so many turns (default 3)")
    parser.add_argument("--many", type=int, default=1_000_000, help="synthetic images for memory (default 1000000)")
    parser.add_argument("--only", choices=("files", "simulated", "memory"), help="a part of it")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    print(f"{machine()}\n{versions()}\n")
    print(markdown(list(measured(given))))


def measured(given: argparse.Namespace) -> Iterator[Line]:
    """All lines that were asked for."""
    with tempfile.TemporaryDirectory(prefix="layerscope-bench-") as scratch:
        folder = Path(scratch)
        if given.only in (None, "files"):
            drawn = given.images is None
            found = write_pictures(folder / "drawn", given.count) if drawn else sorted(given.images.rglob("*.*"))
            chosen, paths = subject(NETWORK), found[: given.count]
            yield scaled(chosen, paths, folder, given.repeats)
            yield beside_local(chosen, paths, folder, given.repeats)
        if given.only in (None, "simulated"):
            for actors in ACTORS:
                yield from simulated(actors)
        if given.only in (None, "memory"):
            yield memory(10_000, given.many)


if __name__ == "__main__":
    main()
