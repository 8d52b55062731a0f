"""Scan from preloaded tensors, beside the user's own forward loop over the same tensors.

The scan has all statistics: peaks, sums, histograms, means per class, and the sums over the pictures themselves in the
share of shards in which a scan of 1,000 images takes them (its first 256). The loop is the user's own, `model(x)` with
hooks on the same layers, channels-last and in inference mode, at the better of two batch sizes.
"""

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

import numpy as np

from bench.report import Aim, Line
from bench.subjects import Subject, batches_of, forward_loops, subject
from bench.timing import Ratio, alternate, seconds_of
from bench.workshop import Workshop
from layerscope.core.records import Batch
from layerscope.pipeline.settings import BATCH, SHARD
from layerscope.scan import STATISTICS_IMAGES, Totals, scan_shard

AIMS = {"alexnet": 1.0, "resnet50": 1.25, "mobilenet_v2": 1.8}
WHOLE = 1_000
K = 9
CLASSES = 10


def measure(workshop: Workshop) -> list[Line]:
    """One line per network: the loop's seconds over the scan's."""
    return [_measured(subject(name), workshop, AIMS[name]) for name in workshop.sizes.networks]


def _measured(subject: Subject, workshop: Workshop, aim: float) -> Line:
    batches = batches_of(workshop.paths[: workshop.sizes.tensors], subject)
    loops = forward_loops(subject, batches)
    for loop in forward_loops(subject, batches[:1]).values():
        loop()
    scan(subject, batches[:1])
    contenders: dict[str, Callable[[], float]] = {name: partial(seconds_of, loop) for name, loop in loops.items()}
    contenders["scan"] = lambda: seconds_of(lambda: scan(subject, batches))
    found = alternate(contenders, repeats=workshop.sizes.repeats)
    faster = min(loops, key=lambda name: median(found[name]))
    return Line(
        what=f"forward loop / scan with all statistics, {subject.network.name}, "
        f"{sum(len(batch.ids) for batch in batches)} preloaded images",
        medians={f"loop ({faster})": median(found[faster]), "scan": median(found["scan"])},
        ratio=Ratio.of_pairs(found[faster], found["scan"]),
        aim=Aim(shown=f"at least {aim:g}", at_least=aim),
    )


def scan(subject: Subject, batches: Sequence[Batch]) -> Totals:
    """All shards, one after the other, as the pipeline scans them."""
    totals = Totals(subject.scanned, k=K, classes=CLASSES)
    shards = [batches[first : first + SHARD // BATCH] for first in range(0, len(batches), SHARD // BATCH)]
    for number, shard in enumerate(shards):
        result = scan_shard(
            subject.network.program,
            subject.scanned,
            shard,
            k=K,
            batch_size=BATCH,
            floors=totals.floors(),
            with_input_sums=number < shards_with_input_sums(len(shards)),
        )
        totals.add(result, np.asarray(result.images % CLASSES))
    return totals


def shards_with_input_sums(shards: int) -> int:
    """Of so many shards, the share that takes the pictures' own sums in a scan of 1,000 images; at least one."""
    return max(1, round(shards * STATISTICS_IMAGES / WHOLE))
