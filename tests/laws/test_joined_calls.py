"""Joined calls and slices, over the whole table and drawn networks: as near to float64 as the plain calls are."""

from collections import defaultdict

import numpy as np
import pytest
import torch
from hypothesis import given as drawn_from
from torch import Tensor

import layerscope as ls
from layerscope.graph import sliced
from layerscope.graph.fused import FusedCall
from layerscope.graph.program import Program
from layerscope.testing.slow import slow_paths
from tests.laws.checks import traced
from tests.laws.strategies import FEWER, Drawn, networks
from tests.laws.test_rows import images, network

# Of the plain calls' own distance from float64, or of the layer's largest number times float32's last digit.
AS_NEAR = 16
EPS = 2.0**-23


def shown(program: Program, x: Tensor, wanted: set[int]) -> dict[int, Tensor]:
    """What a visit shows of each node, put together."""
    parts: dict[int, list[Tensor]] = defaultdict(list)
    program.visit(x, wanted, lambda node, first, value: parts[node].append(value.clone()))
    return {node: torch.cat(values) for node, values in parts.items()}


def hold(net: ls.Network, x: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> int:
    """Every third layer and the last by joined calls, at once and in slices; returns how many calls were joined."""
    graph = net.program.graph
    weights = {name: w.float() if w.is_floating_point() else w for name, w in net.program.weights.items()}
    program = Program(graph, weights)
    pictures = torch.from_numpy(x).float()
    nodes = [node.id for node in graph.nodes[1:] if not graph.behind[node.id] and node.shape]
    exact = net.program.run(pictures.double(), nodes)
    with slow_paths("joined calls"):
        plain = program.run(pictures, nodes)
    joined = 0
    for wanted in ({nodes[-1]}, {*nodes[::3], nodes[-1]}):
        steps = program.plan(frozenset(wanted), frozenset(), fused=True)
        joined += sum(isinstance(step.call, FusedCall) for step in steps)
        for most in (sliced.SLICE_BYTES, 2_000):
            with monkeypatch.context() as patched:
                patched.setattr(sliced, "SLICE_BYTES", most)
                found = shown(program, pictures, wanted)
            assert found.keys() == wanted
            for node, value in found.items():
                near = float((plain[node] - exact[node]).abs().max())
                rounding = EPS * float(exact[node].abs().max())
                assert float((value - exact[node]).abs().max()) <= AS_NEAR * max(near, rounding), graph.nodes[node].name
    return joined


# Drawn networks hold it on every run, and tests/laws/test_rows.py the rows themselves; `make laws` asks of all lines.
@pytest.mark.wide
@pytest.mark.parametrize("group", range(4))
def test_every_row_is_as_near_to_float64(group: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All lines of the table of parts, side by side behind one convolution."""
    assert hold(network(group)[1], np.concatenate([images(group)] * 3), monkeypatch)


@pytest.mark.hypothesis
def test_drawn_networks_are_as_near_to_float64() -> None:
    """Networks of everything that the table covers."""
    joined = []

    @FEWER
    @drawn_from(drawn=networks())
    def law(drawn: Drawn) -> None:
        net = traced(drawn.model, drawn.channels, drawn.height, drawn.width)
        x = np.random.default_rng(drawn.seed).standard_normal((3, drawn.channels, drawn.height, drawn.width))
        with pytest.MonkeyPatch.context() as patched:
            joined.append(hold(net, x, patched))

    law()
    assert sum(map(bool, joined)) > len(joined) / 2
