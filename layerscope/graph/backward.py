"""The way back through a program: constants behind a convolution go into its filters, once, and not into every signal;
and the transposed convolution is made as it is fastest (`graph/transposed.py`).

On the way back a batch norm multiplies each channel by a constant, and the convolution before it, which comes next, is
linear in its filters: these may be multiplied instead. So it is where every method goes by the gradient of both, and
where nothing but that convolution's own map is read between them.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from layerscope.graph.fused import MakesFilters, factors_of, padding_of
from layerscope.graph.ops.calls import Call
from layerscope.graph.ops.rules import Back
from layerscope.graph.runner import Carrier, WayBack
from layerscope.graph.transposed import turned

# Of a convolution and the nodes behind it whose constants go into it, its way back; None where its own rule is as good.
MakesBack = Callable[[int, tuple[int, ...]], Back | None]


def way_back(program: Carrier, start: int, method: str, make: MakesBack) -> WayBack:
    """The way from `start`. It depends on program, node and method alone, so that a signal is the same to the last
    digit whatever it is carried back with."""
    found: dict[int, Back] = {}
    needed = program.graph.ancestors({start})
    for conv in sorted(needed - {0}):
        if program.graph.nodes[conv].op == "conv2d" and _by_the_gradient(program, conv, method):
            behind = tuple(_constants(program, conv, start, method, needed))
            back = make(conv, behind)
            if back is not None:
                found |= {conv: back, **dict.fromkeys(behind, _passed)}
    return found


def _passed(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (signal,)


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


def back_of(program: Carrier, filters: MakesFilters, conv: int, behind: tuple[int, ...], *, turn: bool) -> Back | None:
    """A convolution's way back, with the constants of the nodes behind it. turn: as plain convolutions."""
    call = folded = program.call(conv)
    factors = [found.factor for node in behind if (found := factors_of(program, node)) is not None]
    if any(bool((factor != 1).any()) for factor in factors):
        # Joined calls share these filters.
        weight = program.laid_out(filters(conv, behind, padding_of(call) or (0, 0)).weight)
        if not bool(torch.isfinite(weight).all()):
            return None
        folded = call.changed(weight=weight)
    made = turned(folded) if turn else None
    return made or (None if folded is call else Folded(program, conv, folded))


class Folded:
    """The rule of one convolution, with other filters."""

    def __init__(self, program: Carrier, conv: int, folded: Call) -> None:
        self.rule, self.folded = program.graph.op(program.graph.nodes[conv]).gradient, folded

    def __call__(self, signal: Tensor, call: Call) -> tuple[Tensor, ...]:
        args = {**call.args, "weight": self.folded["weight"]}
        return self.rule(signal, replace(call, args=args, memo=self.folded.memo))
