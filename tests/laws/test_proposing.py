"""Fast first, exact last, over the whole table and drawn networks: peaks are those of a plain scan, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given as drawn_from

import layerscope as ls
from layerscope.core.records import Batch
from layerscope.graph.lowered import in_bfloat16
from layerscope.graph.program import Program
from layerscope.pipeline.measuring import depending_on_others
from layerscope.scan import merge, scan_in_steps, scan_shard
from layerscope.scan.proposed import Candidates, Proposing, bounds_of, maxima_of, watched
from layerscope.scan.shard import NOBODY
from tests.laws.checks import traced
from tests.laws.strategies import FEWER, Drawn, networks
from tests.laws.test_rows import images, network

K, SIZE = 3, 8


def batches_of(x: np.ndarray, ids: np.ndarray) -> list[Batch]:
    found = []
    for first in range(0, len(ids), SIZE):
        part = ids[first : first + SIZE]
        pixels = np.ascontiguousarray(x[part].transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
        found.append(Batch(ids=part, pixels=pixels, placements=(), records=()))
    return found


def in_place(x: np.ndarray, again: np.ndarray) -> list[Batch]:
    """Images in the places in which they were scanned, beside others: one of each place, as long as there are any."""
    found, waiting = [], {slot: [i for i in again.tolist() if i % SIZE == slot] for slot in range(SIZE)}
    while any(waiting.values()):
        ids = np.array([ids.pop() if ids else NOBODY for ids in waiting.values()])
        (batch,) = batches_of(x, np.maximum(ids, 0))
        found.append(replace(batch, ids=ids))
    return found


def hold(net: ls.Network, x: np.ndarray) -> tuple[float, float]:
    """Scanned plainly and by proposals, all layers at once; returns which share of the pairs of units and images might
    be a peak, and for which share of the layers the bound held."""
    weights = {name: w.float() if w.is_floating_point() else w for name, w in net.program.weights.items()}
    program = Program(net.program.graph, weights)
    graph, everyone = program.graph, np.arange(len(x))
    # What jumps is refused (`pipeline/measuring.py`).
    jumping = {node.id for node in graph.nodes[1:] if graph.op(node).jumps}
    layers = [layer for layer in net.layers if not jumping & graph.ancestors({layer.node})]
    mixed = depending_on_others(program, layers, torch.from_numpy(batches_of(x, everyone[:SIZE])[0].pixels))
    layers = [layer for layer in layers if layer not in mixed]
    plain = scan_shard(program, layers, batches_of(x, everyone), k=K, batch_size=SIZE)
    fast = in_bfloat16(program)
    nodes, sample = watched(program.graph, layers), torch.from_numpy(x[:SIZE])
    bounds = bounds_of(maxima_of(program, sample, nodes), maxima_of(fast, sample, nodes))
    found = {layer.node: Candidates.none(layer.units, K) for layer in layers}
    for ids in np.array_split(everyone, 3):
        proposing = Proposing(program, layers, bounds, K)
        steps = scan_in_steps(fast, layers, batches_of(x, ids), k=K, batch_size=SIZE, proposing=proposing)
        result = last_of(steps)
        found = {node: found[node].joined(new) for node, new in result.candidates.items()}
    again = np.unique(np.concatenate([one.image for one in found.values()]))
    decided = scan_shard(program, layers, in_place(x, again), k=K, batch_size=SIZE)
    held = 0
    for layer in layers:
        exact, mine = plain.layers[layer.node], decided.layers[layer.node]
        if found[layer.node].outside(decided.images, mine.maxima):
            continue  # the bound did not hold, and was seen not to
        peaks = merge(mine.peaks, type(mine.peaks).empty(layer.units, K))
        for name in ("value", "image", "row", "col"):
            there = exact.peaks.image >= 0
            assert np.array_equal(getattr(exact.peaks, name)[there], getattr(peaks, name)[there]), (layer.name, name)
        assert np.array_equal(exact.peaks.image, peaks.image), layer.name
        held += 1
    pairs = sum(len(one.image) for one in found.values())
    return pairs / (len(x) * sum(layer.units for layer in layers)), held / len(layers)


def last_of(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.mark.wide
@pytest.mark.parametrize("group", range(4))
def test_every_row_is_decided_as_it_is_scanned(group: int) -> None:
    """All lines of the table of parts, side by side behind one convolution."""
    base = images(group)
    rng = np.random.default_rng(group)
    x = np.concatenate([base * scale for scale in rng.uniform(0.2, 1.5, 12)]).astype(np.float32)
    share, held = hold(network(group)[1], x[:40])
    assert share < 0.6 and held > 0.9, (share, held)


@pytest.mark.hypothesis
def test_drawn_networks_are_decided_as_they_are_scanned() -> None:
    """Networks of everything that the table covers; few pairs of units and images are candidates."""
    found: list[tuple[float, float]] = []

    @FEWER
    @drawn_from(drawn=networks())
    def law(drawn: Drawn) -> None:
        net = traced(drawn.model, drawn.channels, drawn.height, drawn.width)
        found.append(hold(net, drawn.images(48).astype(np.float32)))

    law()
    share, held = np.median(found, axis=0)
    assert share < 0.3 and held > 0.9, (share, held)
