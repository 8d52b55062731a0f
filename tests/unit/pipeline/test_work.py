"""What is decided before projecting: the units that get tiles, the plate's method, the size of a tile."""

from dataclasses import replace

import pytest

import layerscope as ls
from layerscope.pipeline.settings import Settings
from layerscope.pipeline.work import plate_method, sampled_units, tile_size
from tests.helpers.networks import CASES
from tests.laws.checks import traced_case


def net(name: str) -> ls.Network:
    return traced_case(next(case for case in CASES if case.name == name))


def last(network: ls.Network) -> ls.Layer:
    return network.layers[-1]


def test_a_plain_chain_shows_the_deconvnet() -> None:
    """As the paper does; joined branches are no sums."""
    for name in ("plain", "concat"):
        method, why = plate_method(net(name).program.graph, last(net(name)).node, ("guided", "deconvnet"))
        assert (method, why) == ("deconvnet", "a plain chain, as in the paper")


def test_behind_a_residual_sum_guided_is_shown() -> None:
    """From the sum on; before it the deconvnet still is. A constant that is added makes no sum."""
    network = net("residual")
    graph = network.program.graph
    first = next(node.id for node in graph.nodes if node.op == "add" and len(node.sources) > 1)
    assert plate_method(graph, first - 1, ("deconvnet", "guided"))[0] == "deconvnet"
    method, why = plate_method(graph, first, ("deconvnet", "guided"))
    assert method == "guided" and "residual sums" in why


def test_without_the_wanted_method_the_first_is_shown() -> None:
    """And the reason says so."""
    graph, node = net("plain").program.graph, last(net("plain")).node
    assert plate_method(graph, node, ("gradient",)) == ("gradient", "the only method asked for")
    assert plate_method(graph, node, ("gradient", "guided")) == ("gradient", "the first method asked for")


def test_a_sample_of_units_is_seeded() -> None:
    """The same seed draws the same units, in order, none twice; another seed or layer others; all where all are few."""
    layer = last(net("plain"))
    many = replace(layer, units=400)
    one = sampled_units(many, Settings(units=20))
    assert one == sampled_units(many, Settings(units=20)) == tuple(sorted(set(one)))
    assert len(one) == 20 and set(one) <= set(range(400))
    assert one != sampled_units(many, Settings(units=20, seed=1))
    assert sampled_units(layer, Settings(units=20)) == sampled_units(layer, Settings()) == tuple(range(layer.units))


@pytest.mark.parametrize(
    ("side", "largest", "expected"),
    [(40, 96, (40, 40)), (200, 96, (96, 96)), (0, 96, (48, 96)), (0, 512, (112, 224)), (97, 96, (96, 96))],
)
def test_a_tile_is_kept_at_the_networks_resolution_up_to_the_largest(side: int, largest: int, expected: tuple) -> None:
    """A square of the side, or the whole input in its own proportions, reduced to the largest side."""
    assert tile_size(side, ls.Input(height=112, width=224), largest) == expected
