"""The forward passes of a scan with joined calls and slices, beside the same without, and beside plain calls.

Maps are reduced to maxima as soon as they are shown, as a scan does.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext

import torch
from torch import Tensor

from bench.report import Line, at_least
from bench.subjects import Subject, batches_of, subject
from bench.timing import alternate, seconds_of
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


def measure(workshop: Workshop) -> Iterator[Line]:
    """One line per network and fast path."""
    for name in workshop.sizes.networks:
        yield from _measured(name, subject(name), workshop)


def _measured(name: str, subject: Subject, workshop: Workshop) -> Iterator[Line]:
    batches = batches_of(workshop.paths[: min(PICTURES, workshop.sizes.scanned)], subject)
    inputs = [torch.from_numpy(batch.pixels).contiguous(memory_format=torch.channels_last) for batch in batches]
    contenders = {way: _forwards(subject, inputs, off) for way, off in WAYS.items()}
    for contender in contenders.values():
        contender()
    found = alternate(contenders, repeats=workshop.sizes.repeats)
    fast, at_once, plain = WAYS
    for path, slower, faster in (("joined", plain, at_once), ("slices", at_once, fast)):
        yield Line(
            name=f"forwards/{name}/{path}",
            what=f"{slower} / {faster}, forwards of {len(inputs) * BATCH} images, {subject.network.name}",
            samples={slower: found[slower], faster: found[faster]},
            above=(slower,),
            below=(faster,),
            aim=at_least(0.95),
        )


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
