"""The projections of ResNet-50's four stages, beside batched autograd cut to each: measured as bench/projections.py
measures those of AlexNet, on fewer images, for its cones are deep."""

from collections.abc import Iterator
from dataclasses import replace

from bench.projections import compared, job_of
from bench.report import Line, at_least
from bench.rivals import autograd
from bench.subjects import subject
from bench.workshop import Workshop

NETWORK = "resnet50"
STAGES = ("layer1", "layer2", "layer3", "layer4")
AIM = at_least(3)
# One forward and backward of ResNet-50 takes as long as four of AlexNet.
FEWER = 4


def measure(workshop: Workshop) -> Iterator[Line]:
    """One line: the rival's seconds over ours, for the whole."""
    whole, sizes = subject(NETWORK), workshop.sizes
    chosen = replace(whole, scanned=tuple(whole.network[stage] for stage in STAGES))
    job = job_of(chosen, workshop.paths[: sizes.staged])
    for name, line in compared(job, {"autograd": autograd}, workshop, sampled=max(1, sizes.sampled // FEWER)):
        yield replace(line, name=f"stages/{name}", aim=AIM)
