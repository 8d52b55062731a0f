"""A scan from preloaded tensors and from JPEG files, beside the user's own forward loop over the same images.

The loop is `model(x)` with hooks on the same layers, channels-last and in inference mode, at the better of two batch
sizes. The stage that reads files is held to decoding alone and the loop alone, one after the other: both use all cores,
so their sum over the stage's time says how much is lost between them.
"""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

from bench.report import Line, at_least
from bench.scan_files import decode, scan_stage
from bench.scan_tensors import scan
from bench.subjects import batches_of, forward_loops, subject
from bench.timing import alternate, seconds_of
from bench.workshop import Workshop
from layerscope.sources import open_source

# By network: of a scan from tensors, and from files.
AIMS = {"alexnet": (1.0, 1.0), "resnet50": (1.25, 1.25), "mobilenet_v2": (1.8, 1.5)}


def measure(workshop: Workshop) -> Iterator[Line]:
    """Two lines per network: the loop over the scan, and decoding and the loop over the stage."""
    for name in workshop.sizes.networks:
        yield from _measured(name, workshop)


def _measured(name: str, workshop: Workshop) -> Iterator[Line]:
    chosen, paths = subject(name), workshop.paths[: workshop.sizes.scanned]
    batches = batches_of(paths, chosen)
    loops = {f"loop, {how}": loop for how, loop in forward_loops(chosen, batches).items()}
    contenders: dict[str, Callable[[], float]] = {how: partial(seconds_of, loop) for how, loop in loops.items()}
    contenders["scan"] = lambda: seconds_of(lambda: scan(chosen, batches))
    contenders["decoding"] = lambda: seconds_of(lambda: decode(open_source(paths), chosen))
    contenders["stage"] = lambda: scan_stage(open_source(paths), chosen, workshop.folder / "files.atlas")
    for warming in (*forward_loops(chosen, batches[:1]).values(), partial(scan, chosen, batches[:1])):
        warming()
    scan_stage(open_source(paths[:1]), chosen, workshop.folder / "files.atlas")
    found = alternate(contenders, repeats=workshop.sizes.repeats)
    faster = min(loops, key=lambda how: median(found[how]))
    tensors, files = AIMS[name]
    yield Line(
        name=f"scan/{name}",
        what=f"forward loop / scan with all statistics, {chosen.network.name}, {len(paths)} preloaded images",
        samples={how: found[how] for how in (*loops, "scan")},
        above=(faster,),
        below=("scan",),
        aim=at_least(tensors),
    )
    yield Line(
        name=f"files/{name}",
        what=f"decoding alone + forward loop alone / scan stage, {chosen.network.name}, {len(paths)} JPEG files",
        samples={how: found[how] for how in ("decoding", *loops, "stage")},
        above=("decoding", faster),
        below=("stage",),
        aim=at_least(files),
    )
