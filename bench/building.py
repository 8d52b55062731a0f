"""A whole build, split into its stages: a sample of the images, and of every layer's units the same share.

With n of 1,000 images and n / 1,000 of each layer's units, images hold as many peaks as in a build of all units over
1,000 images, and layers keep their parts: the split, and every ratio, is the whole's. Only the sampling stage (64
units a layer, whatever their number) is larger here than its share. "waiting" is what the scan waits for decoding.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.report import Aim, Line
from bench.stages import Stages
from bench.subjects import Subject, subject
from bench.timing import alternate
from bench.workshop import Workshop
from layerscope.pipeline import Build, Settings
from layerscope.pipeline.work import LayerWork, sampled_units
from layerscope.sources import open_source

AIM = Aim(shown="at most 1.0", at_most=1.0)
NETWORK = "alexnet"
WHOLE = 1_000
SHOWN, PROJECTIONS = ("views", "encode", "write"), ("forward", "cones")
PARTS = ("scan", "waiting", "write of the scan", "sample", "images", *PROJECTIONS, *SHOWN, "other")
_STAGES = ("scan", "sample", "project", "sheets")


class SampledBuild(Build):
    """A build that shows a share of every layer's units, where `Settings.units` takes as many of each."""

    share: float = 1.0

    def _work(self, *given: Any) -> LayerWork:
        work = super()._work(*given)
        settings = replace(self.settings, units=units_of(work.layer.units, self.share))
        return replace(work, units=sampled_units(work.layer, settings))


def units_of(units: int, share: float) -> int:
    """A share of a layer's units; at least one."""
    return max(1, round(units * share))


def measure(workshop: Workshop) -> Iterator[Line]:
    """The line with an aim, then one for each part of a build: its share of the whole."""
    chosen, paths = subject(NETWORK), workshop.paths[: workshop.sizes.built]
    turns: list[dict[str, float]] = []

    def build() -> float:
        turns.append(split(chosen, paths, workshop.folder / "built.atlas"))
        return sum(turns[-1].values())

    found = alternate({"build": build}, repeats=workshop.sizes.repeats)
    parts = {name: [turn[name] for turn in turns] for name in PARTS}
    job = f"{chosen.network.name}, {len(paths)} images, {len(paths) / WHOLE:.0%} of the units"
    yield Line(
        name="build",
        what=f"views + encoding + writing / projections (forward + cones), {job}",
        samples={name: parts[name] for name in (*SHOWN, *PROJECTIONS)},
        above=SHOWN,
        below=PROJECTIONS,
        aim=AIM,
    )
    for part, seconds in parts.items():
        yield Line(
            name=f"build/{part}",
            what=f"{part} / that build",
            samples={part: seconds, **found},
            above=(part,),
            below=("build",),
        )


def split(subject: Subject, paths: Sequence[Path], path: Path) -> dict[str, float]:
    """Make an atlas; the seconds of each part, which add up to the whole from the scan on."""
    stages = Stages()
    build = stages.build = SampledBuild(
        subject.network.program,
        network=subject.network.name,
        input=subject.network.input,
        layers=subject.layers,
        source=open_source(paths),
        settings=Settings(),
        progress=stages,
    )
    build.share = len(paths) / WHOLE
    build.into(path, overwrite=True)
    stages.finish()
    return parts_of({name: stages.within(name) for name in _STAGES}, sum(map(stages.elapsed, _STAGES)))


def parts_of(counted: Mapping[str, Mapping[str, float]], elapsed: float) -> dict[str, float]:
    """The parts of a build. counted: by stage, what its clock counted; "other" is what it did not count."""
    scan, project, sheets = counted["scan"], counted["project"], counted["sheets"]
    waiting = scan.get("wait for images", 0.0)
    parts = {
        "scan": scan.get("scan", 0.0) - waiting,  # the clock counts the waiting within the scan too
        "waiting": waiting,
        "write of the scan": scan.get("write", 0.0),
        "sample": counted["sample"].get("sample", 0.0),
        "images": project.get("wait for images", 0.0),
        **{name: project.get(name, 0.0) for name in ("forward", "cones", "views")},
        **{name: project.get(name, 0.0) + sheets.get(name, 0.0) for name in ("encode", "write")},
    }
    return {**parts, "other": elapsed - sum(parts.values())}
