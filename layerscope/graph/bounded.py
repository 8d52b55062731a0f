"""That no number can overflow unseen: what a joined call hides is known to be finite before it is made.

oneDNN's rectifiers turn NaN into 0 where PyTorch's hand it on, so a network that overflows would give numbers that look
sound. From how large a map's numbers are follows how large those of the next can be at most, by the sums of the sizes
of the filters; NaN can only come of what overflows. Where the bound grows beyond all measure, the map is measured when
it is there; one that is larger than trusted, or holds NaN, sends the whole run back to the plain calls.
"""

from collections.abc import Sequence
from math import inf

import torch
from torch import Tensor

from layerscope.graph.fused import FusedCall, factors_of
from layerscope.graph.ops.calls import Call
from layerscope.graph.ops.ranges import Range
from layerscope.graph.runner import Carrier

# A measured map holds at most this; what may be larger than FAR is measured; beyond OVERFLOW float32 ends.
TRUSTED = 1e6
FAR = 1e30
OVERFLOW = 1e37


def measured_steps(
    program: Carrier, steps: Sequence[tuple[int, Call | FusedCall, tuple[int, ...]]]
) -> frozenset[int] | None:
    """The nodes to measure, of (node, call, sources) in order; None where a joined call may overflow by itself."""
    before = _before_joined(steps)
    bounds = {0: TRUSTED}
    measured: set[int] = set()
    for node, call, sources in steps:
        if node not in before and not isinstance(call, FusedCall):
            continue
        bound = _bound(program, node, call, [bounds[source] for source in sources])
        if isinstance(call, FusedCall) and not bound < OVERFLOW:
            return None
        if not bound <= FAR and node in before:
            measured.add(node)
            bound = TRUSTED
        bounds[node] = bound
    return frozenset(measured)


def is_trusted(value: Tensor) -> bool:
    """True where all numbers are known to be small; not where one is NaN."""
    # Reductions copy what does not lie in its own order.
    if not value.numel():
        return True
    low, high = torch.aminmax(value.permute(0, 2, 3, 1) if value.dim() == 4 else value)
    return bool(torch.maximum(-low, high) <= TRUSTED)


def _before_joined(steps: Sequence[tuple[int, Call | FusedCall, tuple[int, ...]]]) -> set[int]:
    """The nodes that a joined call reads, in the end."""
    found: set[int] = set()
    for node, call, sources in reversed(steps):
        if isinstance(call, FusedCall) or node in found:
            found.update(sources)
    return found


def _bound(program: Carrier, node: int, call: Call | FusedCall, inputs: Sequence[float]) -> float:
    """How large a call's numbers can be at most, where those of its inputs are at most so large."""
    if isinstance(call, FusedCall):
        # Of the table's activations none gives more than it gets, and one, but by the numbers that it is made with.
        most = max([1.0, *(abs(number) for number in call.unary.numbers)]) if call.unary else 1.0
        return most * (_through(call.filters.weight, call.filters.bias, inputs[0]) + sum(inputs[1:]) + 1)
    if program.graph.nodes[node].refused:
        return inf
    if (factors := factors_of(program, node)) is not None:
        return float(factors.factor.abs().max()) * inputs[0] + float(factors.shift.abs().max())
    row = program.graph.op(program.graph.nodes[node])
    if row.name in ("conv2d", "linear"):
        return _through(call["weight"], call["bias"], inputs[0])
    low, high = row.range(call, tuple(Range(-bound, bound) for bound in inputs))
    return max(-low, high)


def _through(weight: Tensor, bias: Tensor | None, bound: float) -> float:
    return float(weight.abs().flatten(1).sum(1).max()) * bound + (0.0 if bias is None else float(bias.abs().max()))
