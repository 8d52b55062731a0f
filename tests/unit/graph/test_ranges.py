"""Which values are never below zero is computed from ranges, through sums, factors, joins and pools of every kind."""

from collections.abc import Callable
from math import inf

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import layerscope as ls
from layerscope.graph.ops.ranges import Range, constant, hull

# What is made of two maps that are not below zero, and between which values it lies. By hand: a, b >= 0, 0 <= c <= 6.
MADE: dict[str, tuple[Callable[[Tensor, Tensor, Tensor], Tensor], tuple[float, float]]] = {
    "sum": (lambda a, b, c: a + b, (0, inf)),
    "a difference by alpha": (lambda a, b, c: torch.add(a, b, alpha=-1), (-inf, inf)),
    "a sum by alpha": (lambda a, b, c: torch.add(a, b, alpha=0.5), (0, inf)),
    "difference": (lambda a, b, c: a - b, (-inf, inf)),
    "a sum by a difference's alpha": (lambda a, b, c: torch.sub(a, b, alpha=-2), (0, inf)),
    "negative factor": (lambda a, b, c: a * -1.0, (-inf, 0)),
    "positive factor": (lambda a, b, c: a * 0.5, (0, inf)),
    "negative divisor": (lambda a, b, c: c / -2, (-3, 0)),
    "less a constant": (lambda a, b, c: a - 0.25, (-0.25, inf)),
    "more a constant": (lambda a, b, c: a + 0.25, (0.25, inf)),
    "a ceiling less a map": (lambda a, b, c: c * -1.0 + 6.0, (0, 6)),
    "too low a ceiling less a map": (lambda a, b, c: c * -1.0 + 5.0, (-1, 5)),
    "bounded sum": (lambda a, b, c: c + 2 * c, (0, 18)),
    "joined": (lambda a, b, c: torch.cat([a, c], 1), (0, inf)),
    "joined with a difference": (lambda a, b, c: torch.cat([a, a - c], 1), (-6, inf)),
    "leaky": (lambda a, b, c: F.leaky_relu(c - 2.0, 0.5), (-1, 4)),
    "leaky the wrong way": (lambda a, b, c: F.leaky_relu(c - 4.0, -0.5), (0, 4)),
    "largest": (lambda a, b, c: F.max_pool2d(c, 3, 2, 1), (0, 6)),
    "mean with padding": (lambda a, b, c: F.avg_pool2d(c + 1.0, 3, 1, 1), (0, 7)),
    "mean without": (lambda a, b, c: F.avg_pool2d(c + 1.0, 3, 1, 1, count_include_pad=False), (1, 7)),
    "sum over a divisor": (lambda a, b, c: F.avg_pool2d(c, 3, 2, divisor_override=2), (0, 27)),
    "sum over a negative divisor": (lambda a, b, c: F.avg_pool2d(c, 3, 2, divisor_override=-9), (-6, 0)),
    "everywhere": (lambda a, b, c: c.mean((2, 3), keepdim=True), (0, 6)),
    "normalised": (lambda a, b, c: F.local_response_norm(c, 3, k=4.0, beta=0.5), (0, 3)),
    "rectified again": (lambda a, b, c: F.hardtanh(c - 3.0, 0.0, 2.0), (0, 2)),
}


class Made(nn.Module):
    """All of these from one picture."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = (nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        a, b, c = self.one(x).relu(), self.two(x).relu(), F.relu6(self.three(x) * 4)
        return tuple(make(a, b, c) for make, _ in MADE.values())


@pytest.fixture(scope="module")
def net() -> ls.Network:
    torch.manual_seed(0)
    return ls.trace(Made().double(), ls.Input(height=9, width=8))


@pytest.mark.parametrize("name", MADE)
@pytest.mark.thin(4)
def test_ranges_are_as_worked_out_by_hand(net: ls.Network, name: str) -> None:
    """Low and high of what is made; the layer is rectified where the low end is not below zero, and nowhere else; and
    of random pictures no value lies outside."""
    returned = made_by(net)[name]
    expected = MADE[name][1]
    assert tuple(net.program.graph.ranges[returned]) == pytest.approx(expected)
    layer = next(layer for layer in net.layers if layer.node == returned)
    assert layer.rectified == (expected[0] >= 0)
    x = 5 * torch.randn((8, 3, 9, 8), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    values = net.program.run(x, {returned})[returned]
    assert expected[0] - 1e-9 <= float(values.min()) and float(values.max()) <= expected[1] + 1e-9
    assert not layer.rectified or float(values.min()) >= 0


def made_by(net: ls.Network) -> dict[str, int]:
    """The node of each output, in the order in which they are returned."""
    found = list(net.program.graph.outputs)
    assert len(found) == len(MADE)
    return dict(zip(MADE, found, strict=True))


def test_a_weight_may_be_anything() -> None:
    """A factor or shift that was learned is known when the network runs, and not when its layers are listed."""

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2)
            self.scale = nn.Parameter(torch.ones(1, 2, 1, 1))

        def forward(self, x: Tensor) -> tuple[Tensor, ...]:
            x = self.conv(x).relu()
            return x * self.scale, x + self.scale, self.norm(x)

    layers = ls.trace(Scaled(), ls.Input(height=9, width=8)).layers
    assert [layer.rectified for layer in layers] == [False, True, False, False, False]


def test_intervals() -> None:
    """Sums, products with unbounded factors, cut-offs, hulls and constants, by hand."""
    assert Range(-1, 2).plus(Range(3, inf)) == (2, inf)
    assert Range(-1, 2).times(Range(-3, 4)) == (-6, 8)
    assert Range(0, 0).times(Range(-inf, inf)) == (0, 0) and Range(0, inf).times(Range(0, inf)) == (0, inf)
    assert Range(-5, 9).clipped(0, 6) == (0, 6) and Range(-5, -2).clipped(0, inf) == (0, 0)
    assert hull([Range(0, 1), Range(-2, 0.5)]) == (-2, 1)
    assert constant(True) == (1, 1) and constant(torch.tensor([2.0, -1.0])) == (-1, 2) and constant(None) == Range()
