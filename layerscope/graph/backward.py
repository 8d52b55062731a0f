"""The way back through a program: constants behind a convolution go into its filters, once, and not into every signal;
and the transposed convolution is made as it is fastest (`graph/transposed.py`).

On the way back a batch norm multiplies each channel by a constant, and the convolution before it, which comes next, is
linear in its filters: these may be multiplied instead. So it is where every method goes by the gradient of both, and
where nothing but that convolution's own map is read between them.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from layerscope.graph.fused import MakesFilters, factors_of, padding_of
from layerscope.graph.ops.calls import Call
from layerscope.graph.ops.rules import Back, Rule
from layerscope.graph.runner import Carrier, WayBack
from layerscope.graph.transposed import turned

# Of a convolution and the nodes behind it whose constants go into it, its way back; None where its own rule is as good.
MakesBack = Callable[[int, tuple[int, ...]], Back | None]


def way_back(program: Carrier, start: int, method: str, make: MakesBack) -> WayBack:
    """The way from `start`. It depends on program, node and method alone, so that a signal is the same to the last
    digit whatever it is carried back with."""
    way = _Way(program, start, method)
    found: dict[int, Back] = {}
    for conv in sorted(way.convs):
        behind = tuple(way.constants(conv))
        back = make(conv, behind)
        if back is not None:
            found |= {conv: back, **dict.fromkeys(behind, _passed)}
    over, own = written_over(way)
    return WayBack(found | over, own)


def _passed(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (signal,)


class _Way:
    """What a signal goes through. reached: the nodes that it comes to. convs, sums: those of them that go by the
    gradient of such a call."""

    def __init__(self, program: Carrier, start: int, method: str) -> None:
        self.program, self.graph, self.start, self.method = program, program.graph, start, method
        self.reached = {start}
        for node in reversed(self.graph.nodes[1 : start + 1]):
            if node.id in self.reached:
                skipped = self.rule(node.id).skips(program.call(node.id))
                self.reached.update(source for index, source in enumerate(node.sources) if index not in skipped)
        self.reached.discard(0)
        plain = [node for node in self.reached if self._by_the_gradient(node)]
        self.convs, self.sums = (
            frozenset(n for n in plain if self.graph.nodes[n].op == op) for op in ("conv2d", "add")
        )

    def rule(self, node: int) -> Rule:
        return self.graph.op(self.graph.nodes[node]).rule(self.method)

    def _by_the_gradient(self, node: int) -> bool:
        return self.rule(node) is self.graph.op(self.graph.nodes[node]).gradient

    def readers(self, node: int) -> list[int]:
        """Who brings a node its signal."""
        return [reader for reader in self.graph.consumers[node] if reader in self.reached]

    def constants(self, conv: int) -> Iterator[int]:
        """The nodes right behind a convolution, up to the start, that do nothing to a signal but multiply its channels
        by constants. Each is the only one that brings the node before it a signal."""
        node = conv
        while node != self.start and len(readers := self.readers(node)) == 1:
            (node,) = readers
            if factors_of(self.program, node) is None or not self._by_the_gradient(node):
                return
            yield node


def written_over(way: _Way) -> tuple[dict[int, Back], frozenset[int]]:
    """The rectifiers that may write over their signal, which convolutions and sums have made for them alone; and the
    nodes that make such signals. A sum gives one signal to both its sides, and only with another it becomes a new one.
    """
    found: dict[int, Back] = {}
    for node in way.reached - {way.start}:
        over, readers = way.rule(node).over, way.readers(node)
        made = way.convs | way.sums if len(readers) > 1 else way.convs
        if over is not None and made.issuperset(readers):
            found[node] = over
    return found, way.convs


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
