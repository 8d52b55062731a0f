"""The way back through a program: constants behind a convolution go into its filters, once, and not into every signal.

On the way back a batch norm multiplies each channel by a constant, and the convolution before it, which comes next, is
linear in its filters: these may be multiplied instead. So it is where every method goes by the gradient of both, and
where nothing but that convolution's own map is read between them.
"""

from collections.abc import Callable, Collection, Iterator

import torch

from layerscope.graph.fused import MakesFilters, factors_of, padding_of
from layerscope.graph.ops.calls import Call
from layerscope.graph.runner import Carrier, WayBack

# Of a convolution and the nodes behind it that go into it, the call; None where that would gain or hold nothing.
MakesCall = Callable[[int, tuple[int, ...]], Call | None]


def way_back(program: Carrier, start: int, method: str, fold: MakesCall) -> WayBack:
    """The way from `start`. It depends on program, node and method alone, so that a signal is the same to the last
    digit whatever it is carried back with."""
    calls: dict[int, Call] = {}
    passed: set[int] = set()
    needed = program.graph.ancestors({start})
    for conv in sorted(needed - {0, start}):
        if program.graph.nodes[conv].op == "conv2d" and _by_the_gradient(program, conv, method):
            behind = tuple(_constants(program, conv, start, method, needed))
            call = fold(conv, behind) if behind else None
            if call is not None:
                calls[conv] = call
                passed.update(behind)
    return WayBack(calls, frozenset(passed))


def _by_the_gradient(program: Carrier, node: int, method: str) -> bool:
    op = program.graph.op(program.graph.nodes[node])
    return op.rule(method) is op.gradient


def _constants(program: Carrier, conv: int, start: int, method: str, needed: Collection[int]) -> Iterator[int]:
    """The nodes right behind a convolution, up to the start, that do nothing to a signal but multiply its channels by
    constants. Each is the only one on the way that reads the node before it, and so brings it all of its signal."""
    node = conv
    while node != start and len(readers := [n for n in program.graph.consumers[node] if n in needed]) == 1:
        (node,) = readers
        if factors_of(program, node) is None or not _by_the_gradient(program, node, method):
            return
        yield node


def folded(program: Carrier, filters: MakesFilters, conv: int, behind: tuple[int, ...]) -> Call | None:
    """The convolution with the constants of the nodes behind it in its filters, which joined calls share with it."""
    call = program.call(conv)
    factors = [found.factor for node in behind if (found := factors_of(program, node)) is not None]
    if all(bool((factor == 1).all()) for factor in factors):
        return None
    weight = program.laid_out(filters(conv, behind, padding_of(call) or (0, 0)).weight)
    return call.changed(weight=weight) if bool(torch.isfinite(weight).all()) else None
