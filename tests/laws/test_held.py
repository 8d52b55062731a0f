"""Fields that say what gives strength from beyond them are exact for the way of the maps, gates and statistics held."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from jaxtyping import Float64
from torch import nn

import layerscope as ls
from tests.helpers.held import HeldStill
from tests.helpers.networks import randomise
from tests.helpers.sweep import swept
from tests.laws.checks import traced
from tests.laws.parts import PARTS
from tests.laws.strategies import FEWER, Drawn, networks
from tests.laws.test_fields import (
    assert_alike,
    assert_edges_raise,
    assert_edges_seen,
    assert_nothing_outside,
    changed_outside,
    edges_of,
    make_monotone,
    places_of,
    raised,
)

BEYOND = [part for part in PARTS if part.beyond]


def among(part_name: str, monotone: bool = False) -> Drawn:
    """A part that sees whole maps, twice, among strided and padded convolutions."""
    (part,) = (part for part in BEYOND if part.name == part_name)
    model = nn.Sequential(
        *(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), part.make(4, 22, 19), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3)),
        *(part.make(4, 9, 7), nn.ReLU(), nn.Conv2d(4, 3, (3, 1), (2, 1))),
    ).double()
    return Drawn(make_monotone(model.eval()) if monotone else randomise(model, 5), 2, 22, 19, 3)


@pytest.mark.parametrize("name", swept([part.name for part in BEYOND], 6))
def test_nothing_outside_the_field_is_seen_but_by_what_is_held(name: str) -> None:
    """Behind each part that sees whole maps: px outside a field change a position, and change nothing once what
    the part makes of whole maps stays what it was."""
    drawn = among(name)
    net = traced(drawn.model, drawn.channels, drawn.height, drawn.width)
    held, free = assert_nothing_outside_when_held(net, drawn.model, drawn.images(2))
    assert held >= 18 and free > 0


@pytest.mark.parametrize("name", swept([part.name for part in BEYOND if part.rises], 6))
def test_each_edge_of_the_field_is_seen_by_what_is_not_held(name: str) -> None:
    """The fields are no larger than the way of the maps: their edges are seen where nothing else can tell of them."""
    drawn = among(name, monotone=True)
    net = traced(drawn.model, drawn.channels, drawn.height, drawn.width)
    assert assert_edges_seen_when_held(net, drawn.model, drawn.images(1).shape) > 0


@FEWER
@given(drawn=networks())
def test_nothing_outside_the_field_is_seen_by_drawn_networks(drawn: Drawn) -> None:
    """On random networks, new px outside a position's field change nothing; behind gates, when those are held."""
    net = traced(drawn.model, drawn.channels, drawn.height, drawn.width)
    assert_nothing_outside(net, drawn.images(2))
    assert_nothing_outside_when_held(net, drawn.model, drawn.images(2))


@FEWER
@given(drawn=networks(monotone=True))
def test_each_edge_of_the_field_is_seen_by_drawn_networks(drawn: Drawn) -> None:
    """On random networks that no larger px can quieten, likewise."""
    net = traced(make_monotone(drawn.model), drawn.channels, drawn.height, drawn.width)
    assert_edges_seen(net, drawn.images(1).shape)
    assert_edges_seen_when_held(net, drawn.model, drawn.images(1).shape)


def assert_nothing_outside_when_held(
    net: ls.Network, model: nn.Module, images: Float64[np.ndarray, "2 c h w"]
) -> tuple[int, int]:
    """The law for each layer whose field has something beyond and that a module gives: how many positions were tried
    held, and at how many of them the same px do change something where nothing is held."""
    still = HeldStill(model, images[0])
    held = free = 0
    for layer, name in _told(net, still):
        np.testing.assert_allclose(still.own[name][0], net.activations(images[:1], layer.name)[0], rtol=1e-9, atol=1e-9)
        places, mixed = changed_outside(layer, images[0], 3 * images[1])
        assert_alike(layer, places, still.outputs(mixed)[name])
        values = net.activations(mixed, layer.name)
        held += len(places)
        free += sum(
            not np.allclose(values[0][:, row, col], values[k][:, row, col], rtol=1e-9)
            for k, (row, col) in enumerate(places, start=1)
        )
    return held, free


def assert_edges_seen_when_held(net: ls.Network, model: nn.Module, shape: tuple[int, ...]) -> int:
    """The law for each such layer: how many edges were tried. What is held is what an even picture gives."""
    base = np.full(shape[1:], 1e-5)
    still, seen = HeldStill(model, base), 0
    for layer, name in _told(net, still):
        edges = [(place, edge) for place in places_of(layer) for edge in edges_of(layer, *place, *shape[2:])]
        images = np.stack([base, *(raised(base, edge) for _, edge in edges)])
        assert_edges_raise(layer, edges, still.outputs(images)[name])
        seen += len(edges)
    return seen


def _told(net: ls.Network, still: HeldStill) -> Iterator[tuple[ls.Layer, str]]:
    """The layers whose maps depend on more than their fields, each with the module that gives it, channels first."""
    for layer in net.layers:
        named = (name for name in (layer.name, *layer.aliases) if name in still.own)
        name = next((n for n in named if still.own[n].shape[1:] == (layer.units, *(layer.map or ()))), None)
        if layer.field.beyond and not layer.field.note and layer.map and name:
            yield layer, name
