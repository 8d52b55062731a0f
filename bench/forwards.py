"""The forward passes of a scan with joined calls and slices, beside the same without, and beside plain calls.

Maps are reduced to maxima as soon as they are shown, as a scan does.
"""

from collections.abc import Callable
from contextlib import nullcontext
from statistics import median

import torch
from torch import Tensor

from bench.report import Aim, Line
from bench.subjects import Subject, batches_of, subject
from bench.timing import Ratio, alternate, seconds_of
from bench.workshop import Workshop
from layerscope.graph import Program
from layerscope.pipeline.settings import BATCH
from layerscope.testing.slow import slow_paths

PICTURES = 64
WAYS: dict[str, tuple[str, ...]] = {
    "joined, in slices": (),
    "joined, at once": ("slices of a batch",),
    "plain calls": ("slices of a batch", "joined calls"),
}


def measure(workshop: Workshop) -> list[Line]:
    """One line per network and fast path."""
    return [line for name in workshop.sizes.networks for line in _measured(subject(name), workshop)]


def _measured(subject: Subject, workshop: Workshop) -> list[Line]:
    batches = batches_of(workshop.paths[: min(PICTURES, workshop.sizes.tensors)], subject)
    inputs = [torch.from_numpy(batch.pixels).contiguous(memory_format=torch.channels_last) for batch in batches]
    contenders = {way: _forwards(subject, inputs, off) for way, off in WAYS.items()}
    for contender in contenders.values():
        contender()
    found = alternate(contenders, repeats=workshop.sizes.repeats)
    fast, at_once, plain = WAYS
    return [
        Line(
            what=f"{slower} / {faster}, forwards of {len(inputs) * BATCH} images, {subject.network.name}",
            medians={slower: median(found[slower]), faster: median(found[faster])},
            ratio=Ratio.of_pairs(found[slower], found[faster]),
            aim=Aim(shown="at least 0.95", at_least=0.95),
        )
        for slower, faster in ((plain, at_once), (at_once, fast))
    ]


def _forwards(subject: Subject, inputs: list[Tensor], off: tuple[str, ...]) -> Callable[[], float]:
    own = subject.network.program
    program = Program(own.graph, dict(own.weights))
    wanted = {layer.node for layer in subject.scanned}

    def run() -> None:
        with slow_paths(*off) if off else nullcontext():
            for x in inputs:
                program.visit(x, wanted, lambda node, first, value: _reduced(value))

    return lambda: seconds_of(run)


def _reduced(value: Tensor) -> None:
    value.amax(tuple(range(2, value.dim())) or 1)
