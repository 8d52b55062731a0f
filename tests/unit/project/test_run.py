"""Batches and forms of a projection do not matter: the signal is the same."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import layerscope as ls
from layerscope.core.records import Projections
from layerscope.graph import Program
from layerscope.project.cone import Entries, needed_maps
from layerscope.project.run import (
    FEW_ENTRIES,
    MOST_ENTRIES,
    activations_at,
    batch_size,
    boxes_of,
    carried,
    carried_cropped,
    project,
)
from tests.helpers.networks import CASES, Case
from tests.helpers.reference import METHODS
from tests.helpers.sweep import swept
from tests.laws.checks import traced_case

CASE = next(case for case in CASES if case.name == "residual")


def entries_of(program: Program, node: int, x: torch.Tensor, count: int, seed: int = 0) -> Entries:
    """Some places of positive activation, in two images."""
    values = program.run(x, {node})[node]
    found = (values.reshape(*values.shape[:2], *(values.shape[2:] or (1, 1))) > 0).nonzero().numpy()
    chosen = found[np.sort(np.random.default_rng(seed).permutation(len(found))[:count])]
    return Entries(node, *(np.ascontiguousarray(column) for column in chosen.T))


@pytest.mark.parametrize("case", swept(CASES, 2), ids=lambda case: case.name)
def test_cones_alone_give_what_whole_images_give(case: Case) -> None:
    """Forwarding only each entry's cone: values and signals are those of the shared forward pass, by every method."""
    net = traced_case(case)
    x = torch.from_numpy(case.images(2))
    for layer in [layer for layer in net.layers if layer.rectified or layer.kind == "cat"][::2] or net.layers[-1:]:
        entries = entries_of(net.program, layer.node, x, 5)
        for method in METHODS if len(entries) else ():
            shared, cropped = (project(net.program, x, entries, method, cropped=form) for form in (False, True))
            largest = np.abs(shared.full()).max() or 1.0
            np.testing.assert_allclose(cropped.full() / largest, shared.full() / largest, rtol=0, atol=1e-10)
            np.testing.assert_allclose(cropped.values, shared.values, rtol=1e-10)


@pytest.mark.parametrize("form", [carried, carried_cropped])
def test_results_do_not_depend_on_the_batch(form) -> None:
    """One by one, in threes or all at once, each entry's signal is the same px for px."""
    program, x = traced_case(CASE).program, torch.from_numpy(CASE.images(2))
    node = max(n.id for n in program.graph.nodes if len(n.shape) == 3)
    entries = entries_of(program, node, x, 7)
    given = (
        x
        if form is carried_cropped
        else program.run(x, set().union(*(needed_maps(program, node, m) for m in METHODS)) | {node})
    )
    expected = project(program, x, entries, "guided").full()
    for size in (1, 3, 7):
        parts = list(form(program, entries, METHODS, given, size=size))
        assert [len(part.values) for part in parts] == [min(size, 7 - first) for first in range(0, 7, size)]
        for part in parts:
            signal, boxes = part.signals["guided"].numpy(), tuple(boxes_of(part.extents["guided"]))
            found = Projections(
                method="guided", signal=signal, boxes=boxes, values=part.values.numpy(), input_size=expected.shape[2:]
            )
            np.testing.assert_allclose(found.full(), expected[part.part], atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_batches_hold_at_least_one_entry(case: Case) -> None:
    """However large an entry's cone, one fits; however small, no more than the most."""
    program = traced_case(case).program
    for node in program.graph.nodes[1:]:
        assert 1 <= batch_size(program, node.id) <= MOST_ENTRIES


def test_a_batch_that_is_too_large_for_the_cache_is_a_few_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a budget of few bytes a batch is a few entries, without a second budget one, and nothing else changes."""
    program, x = traced_case(CASE).program, torch.from_numpy(CASE.images(2))
    node = max(n.id for n in program.graph.nodes if len(n.shape) == 3)
    entries = entries_of(program, node, x, 4)
    plenty = project(program, x, entries, "deconvnet").full()
    monkeypatch.setattr("layerscope.project.run.BATCH_BYTES", 8)
    assert batch_size(program, node) == FEW_ENTRIES
    monkeypatch.setattr("layerscope.project.run.FEW_BYTES", 8)
    assert batch_size(program, node) == 1
    np.testing.assert_allclose(
        project(program, x, entries, "deconvnet").full(), plenty, atol=1e-12 * np.abs(plenty).max()
    )


def test_activations_are_those_of_the_maps() -> None:
    """For maps and for dense layers, the entries' own numbers."""
    maps, flat = torch.arange(120.0).reshape(2, 3, 4, 5), torch.arange(6.0).reshape(2, 3)
    at = Entries(1, np.array([0, 1]), np.array([2, 1]), np.array([3, 0]), np.array([4, 2]))
    assert activations_at(maps, at).tolist() == [maps[0, 2, 3, 4], maps[1, 1, 0, 2]]
    assert activations_at(flat, at).tolist() == [2.0, 4.0]


class TwoPools(nn.Module):
    """Two max pools read windows of one size, one a px further on, of the same map."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(8, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.one(x)
        return self.two(
            torch.cat([functional.max_pool2d(x, 3, 2, 1), functional.max_pool2d(x, 3, 2, ceil_mode=True)], 1)
        )


def test_windows_of_one_size_at_two_places_are_two() -> None:
    """The gradient through both pools is autograd's."""
    torch.manual_seed(0)
    model, x = TwoPools().double(), torch.randn((1, 3, 24, 24), dtype=torch.float64, requires_grad=True)
    values = model(x)
    unit, row, col = map(int, np.unravel_index(int(values.argmax()), values.shape[1:]))
    (slope,) = torch.autograd.grad(values[0, unit, row, col], x)
    net = ls.trace(model, ls.Input(height=24, width=24))
    at = {"image": [0], "unit": [unit], "row": [row], "col": [col]}
    found = net.project(x.detach(), "two", **at, method="gradient").full()
    np.testing.assert_allclose(found, (values[0, unit, row, col] * slope).detach().numpy(), atol=1e-12)
