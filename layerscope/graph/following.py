"""A plan followed: each step in its turn, and what is wanted shown as it comes."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from layerscope.graph.bounded import is_trusted
from layerscope.graph.exactly import exactly
from layerscope.graph.plan import Step
from layerscope.graph.runner import Carrier
from layerscope.graph.sliced import Slicing, crossing, slicing


class Planning(Carrier, Protocol):
    """A carrier that makes plans, and remembers them."""

    def plan(self, wanted: frozenset[int], kept: frozenset[int], /, *, fused: bool) -> tuple[Step, ...]: ...


def followed(
    steps: Sequence[Step], values: dict[int, Tensor], show: Callable[[int, Tensor], None] = lambda node, value: None
) -> bool:
    """Makes the steps, from the values of nodes to those of others; each is shown. False, and no further, where a
    number is not known to be small that must be."""
    first = next(iter(values.values()))
    with exactly(first.device):
        batch = len(first)
        for step in steps:
            value = values[step.node] = step.call.run(*(values[source] for source in step.sources), batch=batch)
            if step.measured and not is_trusted(value):
                return False
            show(step.node, value)
            for node in step.dropped:
                del values[node]
    return True


class Visit:
    """One batch of images, whose wanted values are shown: node, place of the first image, values."""

    def __init__(
        self, program: Planning, x: Tensor, wanted: frozenset[int], see: Callable[[int, int, Tensor], None]
    ) -> None:
        self.program, self.x, self.wanted, self.see = program, x, wanted, see
        self.shown = dict.fromkeys(wanted, 0)

    def follow(self, *, fused: bool) -> None:
        """Shows everything."""
        if 0 in self.wanted:
            self._show(0, self.x)
        steps = self.program.plan(self.wanted, frozenset(), fused=fused)
        found = slicing(self.program, steps, self.wanted, len(self.x))
        done = followed(steps, {0: self.x}, self._show) if found is None else self._in_slices(found, fused=fused)
        if not done:
            # Images that were shown already are left out.
            plain = self.program.plan(self.wanted, frozenset(self.wanted), fused=False)
            followed(plain, {0: self.x}, lambda node, value: self._show(node, value[self.shown.get(node, 0) :]))

    def _show(self, node: int, value: Tensor) -> None:
        if node in self.wanted and len(value):
            self.see(node, self.shown[node], value)
            self.shown[node] += len(value)

    def _in_slices(self, found: Slicing, *, fused: bool) -> bool:
        steps = self.program.plan(self.wanted, found.whole, fused=fused)
        head, tail = steps[: found.steps], steps[found.steps :]
        needed = crossing(steps, found.steps) | found.whole
        parts: dict[int, list[Tensor]] = defaultdict(list)
        for x in self.x.split(found.size):
            values = {0: x}
            if not followed(head, values, lambda node, value: None if node in found.whole else self._show(node, value)):
                return False
            for node in needed:
                parts[node].append(values[node])
        values = {0: self.x, **{node: self.program.laid_out(torch.cat(parts.pop(node))) for node in list(parts)}}
        for node in sorted(found.whole):
            self._show(node, values[node])
        return followed(tail, values, self._show)
