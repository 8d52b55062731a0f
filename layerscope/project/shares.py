"""What a peak is made of: how much of its value comes from each unit of an earlier layer, and from where.

With its gates held (which rectifiers are open, which number of a pool was the largest, by how much a normalisation
divides) a network is affine between two layers. So a value is, exactly, the sum over units and places of the earlier
layer of activation times signal, plus what constants add behind it, plus what came past the layer by other ways. The
signals are those of a way back that starts from one and goes by each operation's own factors (`Op.held`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from layerscope.graph import Carrier, Node
from layerscope.graph.exactly import exactly
from layerscope.graph.ops.calls import Call
from layerscope.graph.ops.table import GATES_HELD
from layerscope.project.cone import CachedMaps, Entries, carried_on, on_windows, spilled, starting_signal
from layerscope.project.extents import Extent, extents_of
from layerscope.project.windows import cleared


@dataclass(frozen=True)
class Shares:
    """Of m values what each comes from, as one earlier layer sees it.

    amounts: float[m, u], from each of its units, summed over places. places: int64[m, u], row * cols + col in its map,
    where the most of that comes from; -1 of values that were not asked for. constants: float[m], what biases and other
    constants between the two layers add. past: float[m], what comes by ways past the layer, their constants included.
    The sum over units of the amounts, constants and past is the value, to rounding.
    """

    amounts: Float[np.ndarray, "m u"]
    places: Int64[np.ndarray, "m u"]
    constants: Float[np.ndarray, " m"]
    past: Float[np.ndarray, " m"]


class Sharing:
    """How values of one layer are shared out among the units of earlier ones.

    node: the layer's. earlier: of which nodes it is asked; only those among them that it reads, as far back as values
    can be shared out. needed: the nodes whose maps are read. refused: why they cannot further back, as a clause, or
    empty.
    """

    def __init__(self, program: Carrier, node: int, earlier: Sequence[int]) -> None:
        self.program, self.node, self.refused = program, node, ""
        graph, pending = program.graph, {node}
        behind, gone = dict[int, frozenset[int]](), set[int]()
        self.needed: set[int] = set()
        self.frontiers: dict[int, tuple[int, ...]] = {}
        lowest = min(earlier, default=node)
        for one in reversed(graph.nodes[lowest : node + 1]):
            if one.id not in pending:
                continue
            if one.id in earlier and one.id != node:
                self.frontiers[one.id] = tuple(sorted(pending - {one.id}))
                self.needed |= pending
            if one.id == lowest or not self._is_gone_through(one, pending):
                break
            gone.add(one.id)
        self.earlier = tuple(sorted(self.frontiers))
        for one in graph.nodes[self.earlier[0] : node + 1] if self.earlier else ():
            if one.id in gone or one.id in self.frontiers:
                came = (behind.get(source, frozenset()) for source in self._sources(one))
                behind[one.id] = frozenset().union(*came, [one.id] if one.id in self.frontiers else [])
        self._behind = behind

    def _is_gone_through(self, node: Node, pending: set[int]) -> bool:
        """False for a call that is not known, or of which it is not known what it is with its gates held."""
        op = None if node.refused else self.program.graph.op(node)
        if op is None or op.held is None:
            self.refused = f'what comes through "{node.name}" ({node.op}) cannot be shared out'
            return False
        rule = op.rule(GATES_HELD)
        pending.discard(node.id)
        pending.update(self._sources(node))
        self.needed.update(node.sources if rule.inputs else ())
        self.needed.update([node.id] if rule.output else ())
        return True

    def _sources(self, node: Node) -> list[int]:
        """The inputs that something is sent to."""
        skipped = self.program.graph.op(node).rule(GATES_HELD).skips(self.program.call(node.id)) if node.id else ()
        return [source for index, source in enumerate(node.sources) if index not in skipped]

    def __call__(self, entries: Entries, cache: CachedMaps, placed: Bool[np.ndarray, " m"]) -> dict[int, Shares]:
        """By earlier node, what the entries' values come from. placed: for which of them places are wanted."""
        if not self.earlier:
            return {}
        program, nodes = self.program.wide, self.program.graph.nodes
        extents = extents_of(self.program, self.node, entries.row, entries.col, GATES_HELD, self.earlier[0])
        signals = {self.node: starting_signal(program, entries, torch.ones(len(entries)), extents[self.node])}
        constants: dict[int, Tensor] = {}
        beyond: set[int] = set()
        found: dict[int, Shares] = {}
        with exactly(program.device):
            for node in reversed(nodes[self.earlier[0] : self.node + 1]):
                if node.id not in signals:
                    continue
                if node.id in beyond:
                    signals[node.id] = cleared(signals[node.id], extents[node.id])
                if node.id in self.frontiers:
                    found[node.id] = self._shares(node, signals, constants, extents, cache, placed)
                if node.id == self.earlier[0]:
                    break
                signal = signals.pop(node.id)
                rule = program.graph.op(node).rule(GATES_HELD)
                call, seen = on_windows(program, node, rule, signal, extents, cache)
                constants[node.id] = _beside(program, node, call, signal)
                for source, part in carried_on(program, node, rule, rule(signal, call), extents, seen):
                    signals[source] = signals[source] + part if source in signals else part
                beyond.update(spilled(program, node))
        return found

    def _shares(
        self, node: Node, signals: Mapping[int, Tensor], constants: Mapping[int, Tensor],
        extents: Mapping[int, Extent], cache: CachedMaps, placed: Bool[np.ndarray, " m"],
    ) -> Shares:  # fmt: skip
        """What the earlier layer at `node` sees, when all behind it has been gone through."""
        nodes = self.program.graph.nodes
        held = {n: cache.windows(nodes[n], extents[n], 0.0) for n in (node.id, *self.frontiers[node.id])}
        zero = torch.zeros(len(placed), dtype=self.program.wide.dtype, device=self.program.device)
        past = sum((_summed(held[n] * signals[n]) for n in self.frontiers[node.id]), zero)
        past = past + sum((c for n, c in constants.items() if node.id not in self._behind[n]), zero)
        added = sum((c for n, c in constants.items() if node.id in self._behind[n]), zero)
        product = held[node.id] * signals[node.id]
        amounts = product.flatten(2).sum(2) if product.dim() > 2 else product
        places = _places(product, amounts, extents[node.id], placed)
        return Shares(*(one.cpu().numpy() for one in (amounts, places, added, past)))


def _beside(program: Carrier, node: Node, call: Call, signal: Tensor) -> Tensor:
    """What a call gives that does not come from its inputs, as much of it as the signal counts: [m]."""
    held = program.graph.op(node).held
    added = held.beside(call) if held is not None and held.beside is not None else None
    if added is None:
        return signal.new_zeros(len(signal))
    added = added.to(signal)
    if added.numel() == signal.shape[1]:  # one for each channel
        return _summed((signal.flatten(2).sum(2) if signal.dim() > 2 else signal) * added.flatten())
    return _summed(signal * added)


def _summed(numbers: Tensor) -> Tensor:
    """Of each entry the sum, to the last digit whatever it lies beside; torch's depends on how many there are."""
    rows = np.ascontiguousarray(numbers.flatten(1).cpu().numpy())
    return torch.from_numpy(rows.sum(1)).to(numbers.device)


def _places(product: Tensor, amounts: Tensor, extent: Extent, placed: Bool[np.ndarray, " m"]) -> Tensor:
    """Where in the map the most of each amount comes from, of its own sign."""
    places = torch.full(amounts.shape, -1, dtype=torch.int64)
    if not placed.any():
        return places
    if product.dim() == 2:
        places[torch.from_numpy(placed)] = 0
        return places
    which = torch.from_numpy(np.flatnonzero(placed))
    signed = product[which] * torch.where(amounts[which] < 0, -1, 1)[..., None, None]
    highest = signed.flatten(2).argmax(2).cpu()
    top, left = (torch.from_numpy(one[placed])[:, None] for one in (extent.tops, extent.lefts))
    rows = (top + highest // extent.width).clamp(0, extent.spatial_size[0] - 1)
    cols = (left + highest % extent.width).clamp(0, extent.spatial_size[1] - 1)
    places[which] = rows * extent.spatial_size[1] + cols
    return places
