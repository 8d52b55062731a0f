"""`python -m bench.gpu`: a scan beside the user's own loop, projections beside captum, and whether the peaks are those
of the processor; in at most eight minutes on one GPU, kept as a bundle like any other run.

The loop is the one of bench/scanning.py, its batches copied from pinned memory while others are computed. Each network
is scanned with TF32 off, and with TF32 on, in both contenders.
"""

import argparse
import copy
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.bundle import BundleError, BundleWriter, pictures_hash, read_bundle
from bench.machine import machine, sources, versions
from bench.pictures import write_pictures
from bench.projections import compared, job_of
from bench.report import Aim, LeftOut, Line, at_least
from bench.rivals import captum
from bench.scan_tensors import scan
from bench.sizes import FULL, Sizes
from bench.subjects import OPENED, Subject, batches_of, holding, laid_out, subject
from bench.timing import alternate, seconds_of
from bench.workshop import Workshop
from layerscope.core.records import Batch
from layerscope.pipeline.settings import weights_hash
from layerscope.scan import Totals

SECONDS = 8 * 60
# What a part takes at the most; none is begun later than so long before the end.
PART = 90
LOOPED = (32, 128)
SAME = Aim(shown="0", at_most=0.0)
CLOSE = Aim(shown="at most 1e-4", at_most=1e-4)
GPU_SIZES = replace(FULL, name="gpu", projected=128, sampled=48)


def subject_on(chosen: Subject, device: torch.device) -> Subject:
    """The same network on a device, for both contenders."""
    return Subject(copy.deepcopy(chosen.model).to(device), chosen.network.on(str(device)), chosen.scanned)


@contextmanager
def tf32(on: bool) -> Generator[None]:
    """Convolutions and products of matrices round their factors to ten bits, or do not."""
    before = torch.backends.cuda.matmul.allow_tf32
    try:
        torch.backends.cuda.matmul.allow_tf32 = on
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=on):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def scanned(
    name: str, chosen: Subject, batches: Sequence[Batch], device: torch.device, *, repeats: int
) -> Iterator[Line]:
    """Per setting of TF32: the loop over the scan, peaks that are not the processor's, and how far values lie apart."""
    there, expected = subject_on(chosen, device), scan(chosen, batches)
    for on in (False, True):
        with tf32(on):
            loops = {f"loop, batches of {size}": _loop(there, batches, size, device) for size in LOOPED}
            works: dict[str, Callable[[], float]] = {how: partial(seconds_of, loop) for how, loop in loops.items()}
            works["scan"] = lambda: seconds_of(lambda: scan(there, batches))
            for work in works.values():
                work()
            found, totals = alternate(works, repeats=repeats), scan(there, batches)
        faster = min(loops, key=lambda how: median(found[how]))
        key, how = f"gpu/{name}/{'tf32' if on else 'exact'}", f"{chosen.network.name}, TF32 {'on' if on else 'off'}"
        images = sum(len(batch.ids) for batch in batches)
        yield Line(
            name=f"{key}/scan", what=f"forward loop / scan with all statistics, {how}, {images} preloaded images",
            samples=found, above=(faster,), below=("scan",), aim=None if on else at_least(1),
        )  # fmt: skip
        yield from _peaks(key, how, expected, totals, aimed=not on)


def _peaks(key: str, how: str, expected: Totals, found: Totals, *, aimed: bool) -> Iterator[Line]:
    differing, count, apart = peaks_beside(expected, found)
    yield Line(
        name=f"{key}/peaks", what=f"peaks of another image, place or rank than the processor's / all, {how}",
        samples={"differing": [differing], "peaks": [count]}, above=("differing",), below=("peaks",), unit="",
        aim=SAME if aimed else None,
    )  # fmt: skip
    yield Line(
        name=f"{key}/values", what=f"largest difference of a peak's value / its layer's largest, {how}",
        samples={"difference": [apart], "largest": [1.0]}, above=("difference",), below=("largest",), unit="",
        aim=CLOSE if aimed else None,
    )  # fmt: skip


def peaks_beside(expected: Totals, found: Totals) -> tuple[float, float, float]:
    """How many peaks are of another image or place, how many there are, and the largest difference of a value of one
    rank, in parts of the layer's largest value."""
    differing = count = apart = 0.0
    for node in expected.layers:
        one, other = expected.peaks(node), found.peaks(node)
        same = np.ones(one.image.shape, bool)
        for part in ("image", "row", "col"):
            same &= getattr(one, part) == getattr(other, part)
        there = (one.image >= 0) & (other.image >= 0)
        differing, count = differing + (~same).sum(), count + (one.image >= 0).sum()
        if there.any():
            largest = np.abs(one.value[there]).max()
            apart = max(apart, np.abs(one.value[there] - other.value[there]).max() / largest)
    return float(differing), float(count), float(apart)


def _loop(chosen: Subject, batches: Sequence[Batch], size: int, device: torch.device) -> Callable[[], None]:
    """The user's loop, at its best on a GPU."""
    model = laid_out(chosen.model, "channels-last")
    pixels = torch.from_numpy(np.concatenate([batch.pixels for batch in batches]))
    inputs = [_pinned(x.contiguous(memory_format=torch.channels_last), device) for x in pixels.split(size)]
    held = holding(model, chosen)

    def run() -> None:
        with torch.inference_mode():
            for x in inputs:
                model(x.to(device, non_blocking=True))
                held.clear()

    return run


def _pinned(x: Tensor, device: torch.device) -> Tensor:
    return x.pin_memory() if device.type == "cuda" else x


def projected(chosen: Subject, workshop: Workshop, device: torch.device) -> Iterator[Line]:
    """One line: captum over ours, TF32 off."""
    with tf32(False):
        job = job_of(subject_on(chosen, device), workshop.paths[: workshop.sizes.projected])
        for name, line in compared(job, {"captum": captum}, workshop, sampled=workshop.sizes.sampled):
            yield replace(line, name=f"gpu/projections/{name}", aim=at_least(13))


def parts_of(workshop: Workshop, device: torch.device) -> dict[str, Callable[[], Iterator[Line]]]:
    """What is measured, the most telling first."""

    def scan_of(name: str) -> Iterator[Line]:
        chosen = subject(name)
        batches = batches_of(workshop.paths[: workshop.sizes.scanned], chosen)
        return scanned(name, chosen, batches, device, repeats=workshop.sizes.repeats)

    scans = {f"scan, {name}": partial(scan_of, name) for name in workshop.sizes.networks}
    return {**scans, "projections": lambda: projected(subject("alexnet"), workshop, device)}


def device_facts(device: torch.device) -> tuple[dict[str, Any], dict[str, Any]]:
    """The device's name and memory, and the versions of what drives it."""
    if device.type != "cuda":
        return {"device": device.type}, {}
    facts = torch.cuda.get_device_properties(device)
    name, cudnn = torch.cuda.get_device_name(device), torch.backends.cudnn.version()
    return {"device": name, "device memory, GB": round(facts.total_memory / 2**30)}, {
        "CUDA": torch.version.cuda, "cuDNN": str(cudnn),
    }  # fmt: skip


def measure(
    parts: dict[str, Callable[[], Iterator[Line]]], writer: BundleWriter, *, until: float,
    clock: Callable[[], float] = time.monotonic,
) -> None:  # fmt: skip
    """All parts, one by one, each line kept as it comes. until: no part is begun that might end later."""
    for name, part in parts.items():
        started = clock()
        if started + PART > until:
            writer.note("left out", name, "the time was over")
            continue
        try:
            for line in part():
                writer.add(line)
        except LeftOut as why:
            writer.note("left out", name, str(why))
        writer.note("seconds", name, round(clock() - started, 1))
        print(f"{name}: {clock() - started:.0f} s", file=sys.stderr)


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(prog="python -m bench.gpu", description="A scan and projections on one GPU.")
    made.add_argument("--out", type=Path, metavar="FILE", help="the bundle; without it a new one in build/bench")
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on the first GPU. Exit status 1, and one sentence, where there is none."""
    given, started = parser().parse_args(arguments), time.monotonic()
    if not torch.cuda.is_available():
        sys.exit("PyTorch sees no CUDA device on this machine: nothing was measured")
    out = given.out or Path("build/bench", f"gpu-{datetime.now(UTC):%Y%m%dT%H%M%S}.json")
    try:
        print(read_bundle(run(torch.device("cuda"), GPU_SIZES, out, until=started + SECONDS)).markdown())
    except BundleError as error:
        sys.exit(str(error))


def run(device: torch.device, sizes: Sizes, out: Path, *, until: float) -> Path:
    """A whole run on a device; the file that holds it."""
    facts, driven = device_facts(device)
    with tempfile.TemporaryDirectory() as folder:
        paths = write_pictures(Path(folder, "pictures"), max(sizes.scanned, sizes.projected))
        workshop = Workshop(folder=Path(folder), paths=paths, sizes=sizes)
        head = {"sizes": asdict(sizes), "machine": {**machine(), **facts}, "versions": {**versions(), **driven}}
        pictures = {"of": "drawn pictures", "count": len(paths), "sha256": pictures_hash(paths)}
        writer = BundleWriter(out, {**head, "sources": sources(), "pictures": pictures})
        measure(parts_of(workshop, device), writer, until=until)
        for network, opened in OPENED.items():
            writer.note("networks", network, weights_hash(opened.network.program))
        writer.finish()
    return out


if __name__ == "__main__":
    main()
