"""Slices of a batch: every image shown once, in order, with the numbers of the whole batch; and only where they pay."""

from collections import defaultdict
from unittest import mock

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.graph import sliced
from layerscope.graph.program import Program
from layerscope.graph.sliced import LIGHT, SLICE_BYTES, WHOLE_BYTES, slicing
from layerscope.testing.slow import slow_paths
from tests.helpers.networks import CASES, Case
from tests.helpers.sweep import swept
from tests.laws.checks import traced_case


def shown(program: Program, x: Tensor, wanted: set[int]) -> dict[int, list[tuple[int, Tensor]]]:
    """What is shown of each node: the place of the first image, and the values."""
    found: dict[int, list[tuple[int, Tensor]]] = defaultdict(list)
    program.visit(x, wanted, lambda node, first, value: found[node].append((first, value.clone())))
    return found


def put_together(parts: list[tuple[int, Tensor]], count: int) -> Tensor:
    """All images, each of which was shown once and in its place."""
    expected = 0
    for first, value in parts:
        assert first == expected and len(value)
        expected += len(value)
    assert expected == count
    return torch.cat([value for _, value in parts])


def traced(model: nn.Module, side: int) -> Program:
    torch.manual_seed(0)
    program = ls.trace(model.eval(), ls.Input(channels=3, height=side, width=side)).program
    assert isinstance(program, Program)
    return program


def found_slicing(program: Program, wanted: set[int], count: int) -> sliced.Slicing | None:
    return slicing(program, program.plan(frozenset(wanted), frozenset(), fused=True), frozenset(wanted), count)


@pytest.mark.parametrize("most", [600, 3_000, 20_000])
@pytest.mark.parametrize("case", swept(CASES, 6), ids=lambda case: case.name)
def test_slices_give_what_the_whole_batch_gives(case: Case, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every network of the laws, in float32: each third layer, and the last; with skips that cross the cut."""
    traced_program = traced_case(case).program
    weights = {name: w.float() if w.is_floating_point() else w for name, w in traced_program.weights.items()}
    program = Program(traced_program.graph, weights)
    x = torch.from_numpy(case.images(5)).float()
    nodes = [node.id for node in program.graph.nodes[1:] if not program.graph.behind[node.id] and node.shape]
    with slow_paths("joined calls"):
        plain = program.run(x, nodes)
    monkeypatch.setattr(sliced, "SLICE_BYTES", most)
    monkeypatch.setattr(sliced, "WHOLE_BYTES", most // 2)
    for wanted in ({nodes[-1]}, {*nodes[::3], nodes[-1]}, {0, *nodes[1::2]}):
        found = shown(program, x, wanted)
        assert found.keys() == wanted
        for node in wanted - {0}:
            value = put_together(found[node], 5)
            assert float((value - plain[node]).abs().max()) <= 2e-5 * float(plain[node].abs().max())


def inverted(side: int) -> Program:
    """A block of MobileNetV2: much memory, little arithmetic."""
    return traced(
        nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 24, 1), nn.ReLU(), nn.Conv2d(24, 24, 3, 1, 1, groups=24),
            nn.ReLU(), nn.Conv2d(24, 4, 1), nn.MaxPool2d(8), nn.Conv2d(4, 64, 3, padding=1), nn.ReLU(),
        ), side,
    )  # fmt: skip


def test_large_light_maps_are_made_in_slices() -> None:
    """As many images as let the largest map stay under the bound, evenly; small maps behind it at once."""
    program, side = inverted(256), 128
    one = 24 * side * side * 4
    found = found_slicing(program, {10}, 16)
    assert found is not None and 16 * one > SLICE_BYTES
    most = SLICE_BYTES // one
    assert found.size <= most and -(-16 // found.size) == -(-16 // most)
    plan = program.plan(frozenset({10}), frozenset(), fused=True)
    assert [step.node for step in plan[found.steps :]] == [8, 10]
    assert found_slicing(program, {10}, 4) is None, "four images fit at once"
    assert found_slicing(inverted(32), {10}, 16) is None, "small pictures fit at once"


def test_heavy_convolutions_are_made_at_once() -> None:
    """Large maps by much arithmetic: their weights are read once for all images."""
    heavy = traced(nn.Sequential(nn.Conv2d(3, 16, 4), nn.ReLU(), nn.Conv2d(16, 24, 3), nn.ReLU()), 256)
    assert LIGHT == 3 * 4 * 4 and LIGHT < 16 * 3 * 3
    assert found_slicing(heavy, {4}, 16) is None


def test_small_layers_are_shown_at_once() -> None:
    """A layer that is looked at costs a call each time: a small one is put together first."""
    program = inverted(256)
    assert 16 * 4 * 128 * 128 * 4 <= WHOLE_BYTES < 16 * 24 * 128 * 128 * 4
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((16, 3, 256, 256))).float()
    found = shown(program, x, {6, 7, 10})
    assert len(found[6]) > 1 and len(found[7]) == len(found[10]) == 1


def test_the_slow_form_takes_all_images_at_once() -> None:
    """With the path switched off nothing is shown in parts."""
    program = inverted(256)
    x = torch.zeros(16, 3, 256, 256)
    with slow_paths("slices of a batch"):
        assert all(len(parts) == 1 for parts in shown(program, x, {6, 10}).values())


def test_what_has_no_row_sees_all_images() -> None:
    """A call that might put images together is never given a slice of them."""

    class Mixing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x - x.mean(0, keepdim=True)

    program = traced(nn.Sequential(nn.Conv2d(3, 24, 1), Mixing(), nn.Conv2d(24, 24, 1, groups=24)), 128)
    assert any(program.graph.behind)
    with mock.patch.object(sliced, "SLICE_BYTES", 2**20):
        assert found_slicing(program, {len(program.graph.nodes) - 1}, 16) is None


def test_numbers_that_grow_beyond_all_measure_are_shown_once() -> None:
    """Where some slices were shown before the plain calls take over, the others follow, and none comes twice."""
    model = nn.Sequential(*(module for _ in range(4) for module in (nn.Conv2d(3, 3, 1), nn.ReLU())))
    with torch.no_grad():
        for conv in model[::2]:
            conv.weight.fill_(1e8)  # type: ignore[union-attr]
            conv.bias.zero_()  # type: ignore[union-attr]
    program = traced(model, 16)
    x = torch.zeros(6, 3, 16, 16)
    x[4:] = 1.0
    with slow_paths("joined calls"):
        plain = program.run(x, {2, 4, 8})
    with mock.patch.object(sliced, "SLICE_BYTES", 2 * 3 * 16 * 16 * 4), mock.patch.object(sliced, "WHOLE_BYTES", 0):
        found = shown(program, x, {2, 4, 8})
        assert [first for first, _ in found[2]] == [0, 2, 4]
    for node, parts in found.items():
        torch.testing.assert_close(put_together(parts, 6), plain[node], rtol=1e-5, atol=0)
