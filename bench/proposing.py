"""The scan of an engine that proposes, beside a plain one: what it gains where hardly anything is run again."""

from collections.abc import Iterator, Sequence
from functools import partial

import torch

from bench.report import LeftOut, Line
from bench.scan_tensors import K
from bench.subjects import Subject, batches_of, subject
from bench.timing import alternate, seconds_of
from bench.workshop import Workshop
from layerscope.core.records import Batch
from layerscope.graph import Runner
from layerscope.graph.lowered import in_bfloat16, why_not
from layerscope.pipeline.settings import BATCH
from layerscope.scan import scan_in_steps, scan_shard
from layerscope.scan.proposed import Bounds, Proposing, bounds_of, maxima_of, watched

PICTURES = 96


def measure(workshop: Workshop) -> Iterator[Line]:
    """One line per network. Raises LeftOut where the processor has no instructions for bfloat16."""
    for name in workshop.sizes.networks:
        chosen = subject(name)
        unfit = why_not(chosen.network.program)
        if unfit:
            raise LeftOut(unfit)
        yield _measured(name, chosen, workshop)


def _measured(name: str, subject: Subject, workshop: Workshop) -> Line:
    batches = batches_of(workshop.paths[: min(PICTURES, workshop.sizes.scanned)], subject)
    program, layers = subject.network.program, subject.scanned
    fast, x = in_bfloat16(program), torch.from_numpy(batches[0].pixels)
    nodes = watched(program.graph, layers)
    bounds = bounds_of(maxima_of(program, x, nodes), maxima_of(fast, x, nodes))
    known = scan_shard(program, layers, batches, k=K, batch_size=BATCH)
    floors = {node: layer.peaks.value[:, -1] for node, layer in known.layers.items()}
    contenders = {
        "float32": partial(scan_shard, program, layers, batches, k=K, batch_size=BATCH, floors=floors),
        "bfloat16": partial(_proposed, subject, fast, batches, bounds),
    }
    timed = {name: partial(seconds_of, contender) for name, contender in contenders.items()}
    timed["bfloat16"]()
    return Line(
        name=f"proposing/{name}",
        what=f"float32 / bfloat16, a scan of {len(batches) * BATCH} preloaded images, {subject.network.name}",
        samples=alternate(timed, repeats=workshop.sizes.repeats),
        above=("float32",),
        below=("bfloat16",),
    )


def _proposed(subject: Subject, fast: Runner, batches: Sequence[Batch], bounds: Bounds) -> None:
    proposing = Proposing(subject.network.program, subject.scanned, bounds, K)
    for _ in scan_in_steps(fast, subject.scanned, batches, k=K, batch_size=BATCH, proposing=proposing):
        pass
