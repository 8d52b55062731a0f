"""What values are made of: all parts together are the value, and each unit's part is that of the eager model whose
gates are held by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given as drawn_from
from jaxtyping import Float64
from torch import Tensor, nn

import layerscope as ls
from layerscope.core.records import LayerRecord
from layerscope.project.cone import CachedCones, CachedMaps, Entries, forward_cones
from layerscope.project.run import activations_at
from layerscope.project.shares import Shares, Sharing
from tests.helpers.held_gates import amounts
from tests.helpers.networks import CASES, Case, randomise
from tests.laws import test_rows
from tests.laws.checks import TOLERANCE, traced, traced_case
from tests.laws.strategies import FEWER, Drawn, networks


def places_of(activations: Float64[np.ndarray, "n units *map"], node: int) -> Entries:
    """The highest and lowest numbers of a layer, and its corners."""
    flat = activations.reshape(-1)
    chosen = [*np.argsort(-flat)[:4], *np.argsort(flat)[:1], 0, len(flat) - 1]
    found = np.array([np.unravel_index(one, activations.shape) for one in dict.fromkeys(chosen)], np.int64)
    found = np.pad(found, ((0, 0), (0, 4 - found.shape[1])))
    return Entries(node, *found.T.copy())


def shared(
    net: ls.Network, images: Float64[np.ndarray, "n c h w"], layer: LayerRecord
) -> tuple[Entries, Float64[np.ndarray, " m"], dict[int, Shares]]:
    """Some values of a layer, and what they come from in every layer before; of whole maps and of cones alone, which
    agree."""
    sharing = Sharing(net.program, layer.node, [one.node for one in net.layers if one.node < layer.node])
    assert not sharing.refused
    entries = places_of(net.activations(images, layer.name), layer.node)
    x, placed = torch.from_numpy(images), np.ones(len(entries), bool)
    maps = net.program.run(x, sharing.needed | {layer.node})
    found = sharing(entries, CachedMaps(maps, entries), placed)
    alone = sharing(entries, CachedCones(*forward_cones(net.program, x, entries)), placed)
    values = activations_at(maps[layer.node], entries).numpy()
    for node, one in found.items():
        np.testing.assert_allclose(alone[node].amounts, one.amounts, rtol=0, atol=TOLERANCE * abs(values).max())
    return entries, values, found


def assert_complete(net: ls.Network, images: Float64[np.ndarray, "n c h w"], named: str = "") -> int:
    """The law, for some layers, the last among them, and every one before each; how many such pairs."""
    pairs, layers = 0, [layer for layer in net.layers if not layer.scan_only and layer.name.startswith(named)]
    for layer in layers[:: -max(1, len(layers) // 8)]:
        _, values, found = shared(net, images, layer)
        for one in found.values():
            every = one.amounts.sum(1) + one.constants + one.past
            largest = max(abs(values).max(), abs(one.constants).max(), abs(one.past).max())
            np.testing.assert_allclose(every, values, rtol=0, atol=TOLERANCE * largest)
            pairs += 1
    return pairs


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.thin(4)
def test_all_parts_are_the_value(case: Case) -> None:
    """On each small network, from every layer to every one before it."""
    assert assert_complete(traced_case(case), case.images(2, seed=1))


@pytest.mark.parametrize("group", [0, *(pytest.param(group, marks=pytest.mark.wide) for group in (1, 2, 3))])
def test_all_parts_are_the_value_through_every_row(group: int) -> None:
    """Through each row of the table."""
    _, net = test_rows.network(group)
    assert assert_complete(net, test_rows.images(group), "joined") > 20


@FEWER
@drawn_from(drawn=networks())
def test_all_parts_of_drawn_networks_are_the_value(drawn: Drawn) -> None:
    """On random networks of everything that the operation table covers."""
    assert_complete(traced(drawn.model, drawn.channels, drawn.height, drawn.width), drawn.images(2))


class Mixed(nn.Module):
    """Branches, a residual sum, a gate, smooth activations, a normalisation over channels, a product of two maps."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2))
        self.b = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1), nn.SiLU())
        self.c = nn.Sequential(nn.Conv2d(6, 6, 1), nn.Sigmoid())
        self.norm = nn.LayerNorm([6, 8, 7])
        self.d = nn.Sequential(nn.Conv2d(6, 5, 3, stride=2), nn.Hardtanh(0.0, 0.7))
        self.e = nn.Sequential(nn.Conv2d(5, 4, 2), nn.GELU())

    def forward(self, x: Tensor) -> Tensor:
        a = self.a(x)
        b = self.norm(a + self.b(a))
        gate = self.c(b.mean((2, 3), keepdim=True))
        d = self.d(b * gate)
        return self.e(d * d.flip(1))


@pytest.mark.parametrize("earlier", ["a", "b", "d"])
def test_parts_are_those_of_the_eager_model(earlier: str) -> None:
    """Of a network with a gate, a sum, norms, smooth and saturated activations: unit by unit, and the place."""
    model = Mixed().double().eval()
    randomise(model, seed=3)
    images = np.random.default_rng(0).standard_normal((2, 3, 16, 14))
    net = traced(model, 3, 16, 14)
    later, before = net["e"], net[earlier]
    entries, values, found = shared(net, images, later)
    for index in range(len(entries)):
        place = (int(entries.unit[index]), int(entries.row[index]), int(entries.col[index]))
        wanted, value = amounts(model, images[entries.image[index]], "e", earlier, place)
        one = found[before.node]
        assert value == pytest.approx(values[index], abs=1e-12)
        np.testing.assert_allclose(one.amounts[index], wanted.sum((1, 2)), rtol=0, atol=1e-12)
        signed = wanted * np.where(wanted.sum((1, 2)) < 0, -1, 1)[:, None, None]
        highest = signed.reshape(len(wanted), -1)[np.arange(len(wanted)), one.places[index]]
        np.testing.assert_allclose(highest, signed.max((1, 2)), rtol=0, atol=1e-12)


def test_ways_past_a_layer_and_constants_are_told_apart() -> None:
    """Of y = relu(2 a + 3 x + 5) with a = relu(x - 1), by hand: 2 a from a; 5 from constants behind it; 3 x past it."""

    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.third = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1, bias=False)
            self.relu, self.last = nn.ReLU(), nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.second(self.relu(self.first(x))) + self.third(x))

    model = Small().double().eval()
    numbers = {"first.weight": 1, "first.bias": -1, "second.weight": 2, "second.bias": 5, "third.weight": 3}
    model.load_state_dict({name: torch.full_like(model.state_dict()[name], number) for name, number in numbers.items()})
    net = traced(model, 1, 2, 2)
    sharing = Sharing(net.program, net["last"].node, [net["relu"].node])
    entries = Entries(net["last"].node, *(np.zeros(1, np.int64) for _ in range(4)))
    maps = net.program.run(torch.full((1, 1, 2, 2), 4.0, dtype=torch.float64), sharing.needed)
    (one,) = sharing(entries, CachedMaps(maps, entries), np.ones(1, bool)).values()
    assert (one.amounts.tolist(), one.constants.tolist(), one.past.tolist()) == ([[6.0]], [5.0], [12.0])


def test_what_cannot_be_shared_out_is_said() -> None:
    """A row that does not say what it is with its gates held is named, and nothing is shared out through it."""
    net = traced_case(CASES[0])
    first, last = net.layers[0], net.layers[-1]
    op = net.program.graph.op(net.program.graph.nodes[last.node])
    held = op.held
    object.__setattr__(op, "held", None)
    try:
        refused = Sharing(net.program, last.node, [first.node]).refused
    finally:
        object.__setattr__(op, "held", held)
    assert refused == f'what comes through "{last.path}" ({op.name}) cannot be shared out'
