"""Joined calls beside the plain ones: equal to rounding, nothing hidden that is asked for, and no overflow unseen."""

from collections.abc import Callable
from functools import cache
from unittest import mock

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import layerscope as ls
from layerscope.graph import bounded, fused
from layerscope.graph import program as program_module
from layerscope.graph.bounded import TRUSTED
from layerscope.graph.fused import ACTIVATIONS, AFFINE, BEHIND_A_SUM, FusedCall, can_join
from layerscope.graph.ops import OPERATIONS
from layerscope.graph.plan import Step
from layerscope.graph.program import Program
from layerscope.testing.slow import slow_paths
from tests.helpers.networks import CASES, Case
from tests.helpers.sweep import swept
from tests.laws.checks import traced_case

SIDE = 12


def traced(model: nn.Module, channels: int = 3) -> Program:
    torch.manual_seed(0)
    net = ls.trace(model.eval(), ls.Input(channels=channels, height=SIDE, width=SIDE))
    assert isinstance(net.program, Program)
    return net.program


def pictures(count: int = 3, channels: int = 3) -> Tensor:
    return torch.from_numpy(np.random.default_rng(1).standard_normal((count, channels, SIDE, SIDE))).float()


def joined(program: Program, *wanted: int) -> list[list[int]]:
    """The nodes of each joined call on the way to these."""
    plan = program.plan(frozenset(wanted), frozenset(wanted), fused=True)
    return [list(step.call.nodes) for step in plan if isinstance(step.call, FusedCall)]


def written_over(plan: tuple[Step, ...]) -> dict[int, bool]:
    """Of each joined call with a sum whether it is written over the map that is added."""
    return {s.node: s.call.over for s in plan if isinstance(s.call, FusedCall) and len(s.sources) == 2}


def statistics(norm: nn.BatchNorm2d) -> nn.BatchNorm2d:
    """A batch norm that does something."""
    with torch.no_grad():
        for value, low, high in ((norm.running_mean, -1, 1), (norm.running_var, 0.5, 2), (norm.bias, -1, 1)):
            assert value is not None
            value.uniform_(low, high)
        norm.weight.uniform_(-2, 2)
    return norm


class Residual(nn.Module):
    """A block of a residual network, with what its authors put behind the sum."""

    def __init__(self, behind: Callable[[Tensor], Tensor] = torch.relu) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(4, 6, 3, padding=1, bias=False), statistics(nn.BatchNorm2d(6))
        self.conv2, self.bn2 = nn.Conv2d(6, 4, 3, padding=1, bias=False), statistics(nn.BatchNorm2d(4))
        self.behind = behind

    def forward(self, x: Tensor) -> Tensor:
        return self.behind(self.bn2(self.conv2(self.bn1(self.conv1(x)).relu())) + x)


class Scaled(nn.Module):
    """Constants of all spellings behind a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.other = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 1, bias=False)
        self.gamma = nn.Parameter(torch.randn(4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        y = functional.hardswish(self.gamma * self.conv(x) / 3 + 0.5)
        return 2 - self.other(y)


def models() -> dict[str, nn.Module]:
    activations = (nn.ReLU(), nn.ReLU6(), nn.Hardtanh(-0.5, 0.7), nn.Hardtanh(1e4, 2e4), nn.LeakyReLU(0.2),
                   nn.LeakyReLU(30.0), nn.SiLU(), nn.Hardswish(), nn.Hardsigmoid(), nn.Sigmoid(), nn.Tanh(), nn.GELU(),
                   nn.GELU(approximate="tanh"))  # fmt: skip
    torch.manual_seed(0)
    found: dict[str, nn.Module] = {
        repr(one): nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), statistics(nn.BatchNorm2d(4)), one, nn.Conv2d(4, 2, 1))
        for one in activations
    }
    found["grouped"] = nn.Sequential(nn.Conv2d(3, 6, 3, dilation=2, groups=3), nn.ReLU(), nn.Conv2d(6, 2, 3, 2))
    found["same"] = nn.Sequential(nn.Conv2d(3, 4, 3, padding="same"), nn.ReLU(), nn.Conv2d(4, 2, 4, padding="same"))
    found["residual"] = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), Residual(), Residual(), nn.Conv2d(4, 2, 1))
    found["no rectifier behind the sum"] = nn.Sequential(nn.Conv2d(3, 4, 1), Residual(lambda x: x), Residual())
    found["smooth behind the sum"] = nn.Sequential(nn.Conv2d(3, 4, 1), Residual(functional.silu), Residual())
    found["constants"] = Scaled()
    return found


@cache
def program_of(name: str) -> Program:
    """One of the models, traced once for all tests of it; none changes its weights."""
    return traced(models()[name])


def alike(found: Tensor, plain: Tensor) -> None:
    """Equal to the rounding of float32, beside the largest number of the map."""
    assert float((found - plain).abs().max()) <= 2e-5 * float(plain.abs().max())


@pytest.mark.parametrize("name", models())
@pytest.mark.thin(8)
def test_joined_calls_give_what_plain_ones_give(name: str) -> None:
    """Every node alone, some together and all: kept or shown in passing; input and weights stay as they are."""
    program, x = program_of(name), pictures()
    nodes = range(1, len(program.graph.nodes))
    before, weights = x.clone(), {key: value.clone() for key, value in program.weights.items()}
    with slow_paths("joined calls", "writing over inputs"):
        plain = program.run(x, nodes)
    assert joined(program, nodes[-1]), "nothing is joined, so nothing is tested"
    for wanted in (*({node} for node in nodes), set(nodes), set(nodes[::2]), set(nodes[::3])):
        kept, shown = program.run(x, wanted), dict[int, Tensor]()
        program.visit(x, wanted, lambda node, first, value, into=shown: into.update({node: value.clone()}))
        assert kept.keys() == shown.keys() == wanted
        for node in wanted:
            alike(kept[node], plain[node])
            alike(shown[node], plain[node])
    assert torch.equal(x, before)
    assert all(torch.equal(program.weights[key], value) for key, value in weights.items())


@pytest.mark.parametrize("case", swept(CASES, 4), ids=lambda case: case.name)
def test_all_networks_of_the_laws_are_alike(case: Case) -> None:
    """In float32, where calls are joined: what is shown is what the plain program gives."""
    net = traced_case(case)
    program = Program(net.program.graph, {name: w.float() if w.is_floating_point() else w
                                          for name, w in net.program.weights.items()})  # fmt: skip
    x = torch.from_numpy(case.images(2)).float()
    nodes = [node.id for node in program.graph.nodes[1:] if not program.graph.behind[node.id] and node.shape]
    with slow_paths("joined calls"):
        plain = program.run(x, nodes)
    for wanted in (nodes[-1:], nodes[::2], nodes[1::3]):
        program.visit(x, wanted, lambda node, first, value: alike(value, plain[node]))


def test_what_is_asked_for_is_not_hidden() -> None:
    """A layer inside of what could be one call ends it there; who reads it goes on from its own value."""
    program = traced(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1)))
    assert joined(program, 4) == [[1, 2, 3], [4]]
    assert joined(program, 4, 2) == [[1, 2], [4]]
    assert joined(program, 4, 1) == [[1], [4]]
    assert joined(program, 1) == [[1]]


def test_a_sum_takes_one_of_its_convolutions_with_it() -> None:
    """Of a block with a convolution on both ways one makes the sum; a map that is added to itself is none."""

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            y = (self.one(x) + self.two(x)).relu()
            return y + y

    assert joined(traced(Both()), 4) == [[2], [1, 3, 4]]


def test_a_sum_is_written_over_its_map_only_where_nobody_needs_that() -> None:
    """Not over one that is kept, nor over the convolution's own input, nor over the network's."""
    program = traced(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), Residual(), Residual()))
    ends = frozenset({8, 15})
    assert written_over(program.plan(ends, frozenset(), fused=True)) == {8: True, 15: True}
    assert written_over(program.plan(ends, frozenset({8}), fused=True)) == {8: True, 15: False}

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.conv = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            y = self.first(x)
            return self.conv(y) + y

    assert written_over(traced(Own()).plan(frozenset({3}), frozenset(), fused=True)) == {3: False}


class Overflowing(nn.Module):
    """Numbers so large that sums of them are infinity less infinity, in a layer that nobody looks at."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 2, 1)
        with torch.no_grad():
            for conv in (self.conv1, self.conv2):
                conv.weight.fill_(factor)
                conv.weight[:, ::2].neg_()
                conv.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(self.conv2(self.conv1(x).abs().relu()).relu())


@pytest.mark.parametrize("factor", [1e3, 1e12, 1e17, 1e25, 1e36])
def test_numbers_that_overflow_are_seen(factor: float) -> None:
    """NaN stands wherever the plain program has it, though oneDNN's rectifier makes 0 of NaN."""
    program, x = traced(Overflowing(factor)), pictures()
    with slow_paths("joined calls"):
        plain = program.run(x, {6})[6]
    shown: list[Tensor] = []
    program.visit(x, {6}, lambda node, first, value: shown.append(value.clone()))
    assert len(shown) == 1
    torch.testing.assert_close(shown[0], plain, equal_nan=True, rtol=1e-4, atol=1e-6 * factor * factor)


@pytest.mark.parametrize("name", models())
@pytest.mark.thin(8)
def test_no_number_is_above_its_bound(name: str) -> None:
    """Of each joined call: worked out from the largest numbers that it is given."""
    program, x = program_of(name), 50 * pictures()
    plan = program.plan(frozenset({len(program.graph.nodes) - 1}), frozenset(), fused=True)
    calls = [step for step in plan if isinstance(step.call, FusedCall)]
    with slow_paths("joined calls"):
        plain = program.run(x, range(len(program.graph.nodes)))
    assert calls
    for step in calls:
        given = [float(plain[source].abs().max()) for source in step.sources]
        assert float(plain[step.node].abs().max()) <= bounded._bound(program, step.node, step.call, given)


def test_no_pictures_have_no_values() -> None:
    """A batch of none is run, and nothing of it is shown."""
    program, none = program_of("residual"), pictures(0)
    assert program.run(none, {2})[2].shape == (0, 6, SIDE, SIDE)
    program.visit(none, {2}, lambda node, first, value: pytest.fail("shown"))


def test_onednn_hides_nan() -> None:
    """Why numbers are bounded: the call by itself gives 0 for NaN. Where it no longer does, the bounds can go."""
    program, x = traced(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())), pictures()
    x[0, 0, 0, 0] = float("nan")
    (step,) = program.plan(frozenset({2}), frozenset({2}), fused=True)
    assert not bool(step.call.run(x.contiguous(memory_format=torch.channels_last)).isnan().any())
    assert bool(program.run(x, {2})[2][0, :, 0, 0].isnan().all())


def test_each_layer_is_shown_once_when_numbers_grow_beyond_all_measure() -> None:
    """The run begins anew with plain calls behind a layer that was shown already; nothing is counted twice."""
    model = nn.Sequential(*(module for _ in range(4) for module in (nn.Conv2d(3, 3, 1), nn.ReLU())))
    with torch.no_grad():
        for conv in model[::2]:
            conv.weight.fill_(1e8)  # type: ignore[union-attr]
    program, x = traced(model), pictures().abs()
    measured = [s.node for s in program.plan(frozenset({2, 8}), frozenset(), fused=True) if s.measured]
    assert measured and measured[-1] < 8
    shown: list[int] = []
    program.visit(x, {2, 8}, lambda node, first, value: shown.append(node))
    assert shown == [2, 8]
    assert float(program.run(x, {2})[2].max()) > TRUSTED


def test_only_float32_on_a_processor_is_joined() -> None:
    """Proofs are made in float64, by plain calls; so is all that oneDNN has no such call for."""
    assert can_join(torch.float32, torch.device("cpu"))
    assert not any(can_join(dtype, torch.device("cpu")) for dtype in (torch.float64, torch.float16, torch.bfloat16))
    assert not can_join(torch.float32, torch.device("cuda"))
    with mock.patch.object(program_module, "can_join", return_value=False):
        program = traced(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()))
        assert program.run(pictures(), {2})[2].shape == (3, 4, SIDE, SIDE)


@pytest.mark.parametrize("broken", [AttributeError("no such call"), RuntimeError("not built"), torch.zeros(2, 4, 5, 5)])
def test_where_the_call_is_missing_or_wrong_plain_ones_are_made(broken: object) -> None:
    """The calls have no public name: a PyTorch that lacks them, or makes something else of them, is found out."""
    gives = {"side_effect": broken} if isinstance(broken, Exception) else {"return_value": broken}
    fused._proved.cache_clear()
    try:
        with mock.patch.object(FusedCall, "run", **gives):
            assert not can_join(torch.float32, torch.device("cpu"))
    finally:
        fused._proved.cache_clear()
    assert can_join(torch.float32, torch.device("cpu"))


def test_words_are_rows() -> None:
    """What is joined is named as in the table of operations."""
    names = {row.name for row in OPERATIONS}
    assert names.issuperset({*ACTIVATIONS, *AFFINE, "conv2d", "linear"})
    assert set(BEHIND_A_SUM) <= ACTIVATIONS.keys()
