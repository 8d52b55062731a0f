"""A scan of preloaded tensors, with all statistics: peaks, sums, histograms, means per class.

The sums over the pictures themselves are taken in the share of shards in which a scan of 1,000 images takes them (its
first 256).
"""

from collections.abc import Sequence

import numpy as np

from bench.subjects import Subject
from layerscope.core.records import Batch
from layerscope.pipeline.settings import BATCH, SHARD
from layerscope.scan import STATISTICS_IMAGES, Totals, scan_shard

WHOLE = 1_000
K = 9
CLASSES = 10


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
