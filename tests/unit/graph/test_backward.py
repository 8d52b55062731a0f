"""Constants in the filters of the convolution before them: the same signals, and only where nothing else is met."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.core.methods import METHODS
from layerscope.graph import Program
from layerscope.graph.backward import Folded
from layerscope.graph.ops.rules import Rule
from layerscope.graph.transposed import Transposed
from layerscope.project.cone import Entries
from layerscope.project.run import project
from layerscope.testing.slow import slow_paths
from tests.helpers.reference import METHODS as OURS

SIDE = 14
# Of the largest number of a signal: some rounding for each of a few calls.
EXACT, EPS = 1e-12, 2.0**-23


def norm(channels: int) -> nn.BatchNorm2d:
    """A batch norm that does something."""
    made = nn.BatchNorm2d(channels)
    assert made.running_var is not None
    with torch.no_grad():
        made.running_var.uniform_(0.5, 2)
        made.weight.uniform_(-2, 2)
    return made


class Several(nn.Module):
    """Convolutions, of several forms, with constants behind them; one whose map is read twice, one that is bare, and a
    batch norm that is read twice."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm1 = nn.Conv2d(3, 8, 5, 2, 2), norm(8)
        self.depth, self.norm2 = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), norm(8)
        self.twice, self.norm3 = nn.Conv2d(8, 8, 3, padding=1), norm(8)
        self.bare = nn.Conv2d(8, 8, 1)
        self.gamma = nn.Parameter(torch.rand(8, 1, 1) + 0.5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm1(self.stem(x))
        x = (self.norm2(self.depth(x)) * self.gamma + 0.5).relu() + x
        y = self.twice(x)
        return (self.bare((self.norm3(y) + y).relu()) + 1.0).relu()


def program_of(dtype: torch.dtype = torch.float64, model: type[nn.Module] = Several) -> Program:
    torch.manual_seed(0)
    net = ls.trace(model().eval().to(dtype), ls.Input(height=SIDE, width=SIDE))
    assert isinstance(net.program, Program)
    return net.program


def hold(program: Program, x: Tensor, layers: list[int], tolerance: float) -> int:
    """The strongest places of each layer by every method, beside the same by each call's own rule; how many ways were
    others than plain."""
    others = 0
    for node in layers:
        maps = program.run(x, {node})[node]
        maps = maps.reshape(*maps.shape[:2], *(maps.shape[2:] or (1, 1)))
        highest = torch.topk(maps.flatten(), min(6, maps.numel())).indices.numpy()
        entries = Entries(node, *np.unravel_index(highest, maps.shape))
        for method in OURS:
            found = project(program, x, entries, method).full()
            with slow_paths("constants on the way back"):
                plain = project(program, x, entries, method).full()
            others += any(
                isinstance(back, Folded | Transposed) for back in program.way_back(node, method).backs.values()
            )
            np.testing.assert_allclose(found, plain, rtol=0, atol=tolerance * max(np.abs(plain).max(), 1e-300))
    return others


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, EXACT), pytest.param(torch.float32, 64 * EPS, marks=pytest.mark.wide)]
)
def test_constants_in_filters_give_what_each_rule_gives(dtype: torch.dtype, tolerance: float) -> None:
    """From every other node of a network, to rounding, in float64 and in float32."""
    program, x = program_of(dtype), torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    nodes = [node.id for node in program.graph.nodes[1::2]]
    assert hold(program, x.to(dtype), nodes, tolerance) > len(nodes)


def folded(program: Program, start: int, method: str = "gradient") -> dict[str, Tensor]:
    """The filters of the convolutions that constants have gone into."""
    way = program.way_back(start, method)
    return {
        program.graph.nodes[n].name: back.folded["weight"] for n, back in way.backs.items() if isinstance(back, Folded)
    }


def test_constants_go_where_nothing_else_is_met() -> None:
    """Not into a convolution that is read twice, and none from behind the start."""
    program = program_of()
    names = {node.name: node.id for node in program.graph.nodes}
    last = program.graph.nodes[-1].id
    assert [*folded(program, last)] == ["stem", "depth"]
    # The shift that stands behind two factors does nothing to a signal.
    ops = [
        program.graph.nodes[n].op
        for n in sorted(program.way_back(last, "deconvnet").backs)
        if program.graph.nodes[n].op != "relu"
    ]
    assert ops == ["conv2d", "batch_norm", "conv2d", "batch_norm", "mul", "add"]
    weight = program.call(names["depth"])["weight"] * _factor(program, "norm2")
    assert torch.allclose(folded(program, names["norm2"])["depth"], weight)
    assert [*folded(program, names["depth"])] == ["stem"]


def _factor(program: Program, name: str) -> Tensor:
    (call,) = (program.call(node.id) for node in program.graph.nodes if node.name == name)
    return (call["weight"] / (call["running_var"] + call["eps"]).sqrt()).reshape(-1, 1, 1, 1)


def test_a_method_with_rules_of_its_own_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that leaves constants out, or treats a convolution its own way, meets each call."""
    rule = Rule(lambda signal, call: (signal,))
    program, row = program_of(), replace(METHODS.own["gradient"], name="odd")
    last = program.graph.nodes[-1].id
    for operations in ({"batch_norm": rule, "mul": rule, "add": rule}, {"conv2d": rule}):
        row = replace(row, rules=operations.get)
        monkeypatch.setitem(METHODS.own, "odd", row)
        assert not folded(program, last, "odd")
    # Nothing of the row that bore this name before is remembered.
    monkeypatch.setitem(METHODS.own, "odd", replace(row, rules=None))
    assert folded(program, last, "odd")


def test_a_factor_that_leaves_no_finite_filters_stays_where_it_is() -> None:
    """A product that overflows would be no number in every place."""
    program = program_of(torch.float32)
    weights = {n: w.clone() for n, w in program.weights.items()}
    for name, value in weights.items():
        if "norm1" in name and name.endswith("weight"):
            value.fill_(1e38)
        if "stem" in name and name.endswith("weight"):
            value.fill_(1e3)
    other = Program(program.graph, weights)
    with slow_paths("transposed convolutions as plain ones"):
        assert [*folded(other, program.graph.nodes[-1].id)] == ["depth"]


def test_ways_depend_on_nothing_but_the_program() -> None:
    """One that has been used gives, to the last digit, what one made anew gives; whatever came before."""
    program, x = program_of(torch.float32), torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(2))
    node = program.graph.nodes[-1].id
    entries = Entries(node, *(np.array(v) for v in ([0, 1, 1], [1, 2, 3], [3, 0, 4], [3, 2, 6])))
    project(program, x, entries.part(slice(0, 1)), "deconvnet")
    again = Program(program.graph, dict(program.weights))
    found, anew = (project(p, x, entries, "deconvnet").signal for p in (program, again))
    assert found.tobytes() == anew.tobytes()


class Shared(nn.Module):
    """Rectifiers behind a sum that gives all of them one signal: one is read by nothing else, one by a convolution
    too, and one by what makes a gate, to which only the gradient sends a signal."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = (nn.Conv2d(3, 4, 3, padding=1) for _ in range(3))
        self.gate, self.last = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        alone, gating, both = self.conv1(x).relu(), self.conv2(x).relu(), nn.functional.relu6(self.conv3(x))
        gate = self.gate(gating).mean((2, 3), keepdim=True).sigmoid()
        return self.last((alone + gating + both) * gate) + both + self.last(both)


@pytest.mark.parametrize("model", [Several, Shared])
def test_signals_are_written_over_where_nobody_else_reads_them(model: type[nn.Module]) -> None:
    """To the last digit what is given where none is, from every node and by every method."""
    program = program_of(torch.float32, model)
    x = torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    for node in (node.id for node in program.graph.nodes[1:] if len(node.shape) == 3):
        entries = Entries(node, *(np.array(v) for v in ([0, 1], [0, 1], [0, 0], [0, 0])))
        for method in OURS:
            found = project(program, x, entries, method)
            with slow_paths("writing over signals"):
                apart = project(Program(program.graph, dict(program.weights)), x, entries, method)
            assert found.signal.tobytes() == apart.signal.tobytes(), (program.graph.nodes[node], method)


def test_what_a_sum_gives_to_several_is_not_written_over() -> None:
    """A rectifier writes over what a convolution has made, or the sum of two; not over what a sum passes on."""
    program = program_of(torch.float32, Shared)
    last, nodes = program.graph.nodes[-1].id, program.graph.nodes

    def over(method: str) -> list[str]:
        way = program.way_back(last, method).backs
        return [nodes[nodes[n].sources[0]].name for n in sorted(way) if nodes[n].op in ("relu", "hardtanh")]

    assert over("deconvnet") == over("guided") == ["conv3"]
    assert over("gradient") == []
    assert program.way_back(last, "gradient").own
