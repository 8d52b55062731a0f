"""Running a plan: as deep as needed, in place where nobody looks, with the numbers of the user's model."""

import re

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.core.errors import TraceError
from layerscope.graph.graph import Graph
from layerscope.graph.plan import Step
from layerscope.graph.program import Program
from tests.helpers.networks import CASES, Case
from tests.helpers.sweep import swept
from tests.laws.checks import traced_case


def plainly(program: Program, x: torch.Tensor) -> dict[int, torch.Tensor]:
    """Every node's value, nothing dropped and nothing written over."""
    values = {0: x}
    with torch.no_grad():
        for node in program.graph.nodes[1:]:
            values[node.id] = program.call(node.id).run(*(values[source] for source in node.sources))
    return values


@pytest.mark.parametrize("case", swept(CASES, 3), ids=lambda case: case.name)
@pytest.mark.thin(2)
def test_a_plan_gives_what_a_plain_run_gives(case: Case) -> None:
    """Every node alone, some together, and all at once: the very numbers of the plain run; inputs and weights stay."""
    program = traced_case(case).program
    x = torch.from_numpy(case.images(2)).contiguous(memory_format=torch.channels_last)
    weights = {name: weight.clone() for name, weight in program.weights.items()}
    before, expected = x.clone(), plainly(program, x)
    every = range(1, len(program.graph.nodes))
    for wanted in (*({node} for node in every), {*every}, {*list(every)[::3]}):
        found = program.run(x, wanted)
        assert set(wanted) <= set(found)
        for node in wanted:
            torch.testing.assert_close(found[node], expected[node], rtol=1e-12, atol=1e-12)
    assert torch.equal(before, x)
    assert all(torch.equal(weights[name], weight) for name, weight in program.weights.items())


def test_a_plan_goes_no_deeper_than_wanted_and_keeps_nothing_else() -> None:
    """Only ancestors of what is wanted are run, and values are dropped once nobody reads them."""
    program = traced_case(CASES[0]).program
    last = len(program.graph.nodes) - 1
    assert [step.node for step in program.plan(frozenset({2}), frozenset({2}), fused=False)] == [1, 2]
    assert set(program.run(torch.zeros(1, 3, 27, 33, dtype=torch.float64), {last})) == {last}


def steps(model: nn.Module, wanted: int) -> list[Step]:
    net = ls.trace(model, ls.Input(channels=3, height=8, width=8))
    return list(net.program.plan(frozenset({wanted}), frozenset({wanted}), fused=False))


def test_rectifiers_write_over_what_nobody_needs() -> None:
    """A ReLU behind a convolution runs in place, unless its input is wanted, or is the network's own."""
    chain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 1))
    assert [str(step.call.target) for step in steps(chain, 3)][1] == "aten.relu_.default"
    net = ls.trace(chain, ls.Input(channels=3, height=8, width=8))
    assert (
        str(net.program.plan(frozenset({1, 3}), frozenset({1, 3}), fused=False)[1].call.target) == "aten.relu.default"
    )
    first, _ = steps(nn.Sequential(nn.ReLU(), nn.Conv2d(3, 2, 1)), 2)
    assert str(first.call.target) == "aten.relu.default"


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_named(number: float) -> None:
    """NaN or infinity in a weight is an error that names it."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    with torch.no_grad():
        model[0].bias[2] = number
    net = ls.trace(model, ls.Input(channels=3, height=8, width=8))
    with pytest.raises(TraceError, match=r'the weights "0\.bias" hold numbers that are not finite'):
        net.program.check()


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (torch.ones(4, 3, 1, 1, dtype=torch.int8), '"0.weight" are of type int8'),
        (torch.ones(4, 3, 1, 1, dtype=torch.bool), '"0.weight" are of type bool'),
        (torch.ones(4, 3, 1, 1, dtype=torch.complex64), '"0.weight" are of type complex64'),
        (torch.ones(4, 3, 1, 1).to(torch.float8_e4m3fn), '"0.weight" are of type float8_e4m3fn'),
        (
            torch.quantize_per_tensor(torch.ones(4, 3, 1, 1), 0.1, 0, torch.qint8),
            '"0.weight" are quantised, of type qint8',
        ),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")),
)
def test_weights_of_another_type_are_named(weight: torch.Tensor, words: str) -> None:
    """What is learned must be floating numbers; the weight and its type are said, and what to do."""
    net = ls.trace(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()), ls.Input(channels=3, height=8, width=8))
    with pytest.raises(TraceError, match=re.escape(f"the weights {words}")):
        Program(net.program.graph, {**net.program.weights, "0.weight": weight}).check()


def test_integers_may_be_factors() -> None:
    """A constant that a map is multiplied with may be of integers; only what is learned may not."""

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 1)
            self.register_buffer("factor", torch.tensor([2, 3]).reshape(1, 2, 1, 1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (self.conv(x) * self.factor).relu()

    ls.trace(Scaled(), ls.Input(channels=3, height=8, width=8)).program.check()


def test_the_batch_is_free() -> None:
    """A program traced with two images runs with any number, the batch in a reshape included."""
    net = traced_case(next(case for case in CASES if case.name == "dense"))
    x = np.random.default_rng(0).standard_normal((5, 3, 18, 26))
    whole = net.activations(x, net.layers[-1].name)
    for i in range(5):
        np.testing.assert_allclose(net.activations(x[i : i + 1], net.layers[-1].name)[0], whole[i], rtol=1e-10)


def test_graphs_know_who_reads_whom() -> None:
    """Consumers are sources turned around; ancestors are closed under sources."""
    graph: Graph = traced_case(next(case for case in CASES if case.name == "residual")).program.graph
    for node in graph.nodes:
        assert all(node.id in graph.consumers[source] for source in node.sources)
        assert all(node.id in graph.nodes[reader].sources for reader in graph.consumers[node.id])
        above = graph.ancestors({node.id})
        assert node.id in above and all(set(graph.nodes[n].sources) <= above for n in above)
