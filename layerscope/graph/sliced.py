"""A few images at a time where large maps are made with little arithmetic, all at once elsewhere.

A map that fits the processor's cache is read there by the next call, and memory that is freed and taken again in small
pieces need not be asked of the operating system anew: for a depthwise convolution both cost more than its arithmetic.
Heavy convolutions, dense layers and small maps want the whole batch: weights are read once for all images of a call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, prod

from layerscope.graph.fused import FusedCall
from layerscope.graph.plan import Step
from layerscope.graph.runner import Carrier

# Of the largest map of a slice, and of what goes on to the calls on the whole batch; allocators keep pieces of 32 MiB.
SLICE_BYTES = 16 * 2**20
# A layer of so many bytes for the whole batch is put together again, and shown at once.
WHOLE_BYTES = 8 * 2**20
# Fewer multiplications than this for each number that is made are little arithmetic.
LIGHT = 48


@dataclass(frozen=True, kw_only=True)
class Slicing:
    """How a plan is followed. steps: the first ones, which are made on slices. size: images of a slice. whole: wanted
    nodes among these steps whose slices are put together before they are shown."""

    steps: int
    size: int
    whole: frozenset[int]


def slicing(program: Carrier, steps: Sequence[Step], wanted: frozenset[int], count: int) -> Slicing | None:
    """How to follow these steps with so many images; None for all images at once."""
    # A GPU keeps its memory by itself, and is fastest with much to do at a time.
    if program.device.type != "cpu":
        return None
    sizes = {node.id: prod(node.shape) * program.dtype.itemsize for node in program.graph.nodes}
    largest = [max(sizes[node] for node in (step.node, *step.sources)) for step in steps]
    light = [
        place for place, step in enumerate(steps)
        if largest[place] * count > SLICE_BYTES and _arithmetic(step) < LIGHT
    ]  # fmt: skip
    if not light:
        return None
    end = light[-1] + 1
    while sum(sizes[node] for node in crossing(steps, end)) * count > SLICE_BYTES:
        end += 1
    # What nothing is known of might put images together.
    if any(program.graph.behind[step.node] for step in steps[:end]):
        return None
    most = max(1, SLICE_BYTES // max(largest[:end]))
    whole = {step.node for step in steps[:end] if step.node in wanted and sizes[step.node] * count <= WHOLE_BYTES}
    return Slicing(steps=end, size=ceil(count / ceil(count / most)), whole=frozenset(whole))


def crossing(steps: Sequence[Step], end: int) -> set[int]:
    """The nodes that the first steps make and the others read."""
    inside = {step.node for step in steps[:end]}
    return {source for step in steps[end:] for source in step.sources if source in inside}


def _arithmetic(step: Step) -> float:
    """The multiplications for each number that a step makes."""
    weight = step.call.filters.weight if isinstance(step.call, FusedCall) else step.call.args.get("weight")
    return prod(weight.shape[1:]) if weight is not None and weight.dim() > 1 else 1.0
