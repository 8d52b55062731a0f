"""Projections equal the full-image reference: every layer, method and kind of place, in float64."""

from collections import defaultdict

import pytest
import torch
from hypothesis import assume
from hypothesis import given as drawn_from
from torchvision.models import squeezenet1_0

from tests.helpers.networks import CASES, Case, randomise
from tests.helpers.reference import METHODS, Reference
from tests.laws.checks import assert_equal, compare, given, traced, traced_case
from tests.laws.strategies import FEWER, Drawn, networks


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.thin(4)
def test_projections_equal_the_reference(case: Case) -> None:
    """On each small network, from every layer, at the centre, borders and corners of two images."""
    model, images = case.model(), case.images(2, seed=1)
    net = traced_case(case)
    references = [Reference(model, image) for image in images]
    reached = defaultdict(float)
    for layer in net.layers:
        found = compare(net, layer, references, images)
        assert_equal(found)
        assert found, f"no positive activation in {layer.name}: another seed would say more"
        for comparison in found:
            key = comparison.layer, comparison.method
            reached[key] = max(reached[key], comparison.peak)
    # A signal may die on the way back through rectifiers, but not from all places of a layer by all methods.
    assert all(reached[layer.name, "gradient"] > 0 for layer in net.layers)
    assert sum(reached[layer.name, m] > 0 for layer in net.layers for m in METHODS) >= 2.5 * len(net.layers)


@FEWER
@drawn_from(drawn=networks())
def test_projections_of_drawn_networks_equal_the_reference(drawn: Drawn) -> None:
    """On random networks of everything that the operation table covers."""
    assert_projections(drawn)


def assert_projections(drawn: Drawn) -> None:
    """The law for one drawn network; a draw in which nothing is positive, or no signal comes back, says nothing."""
    images = drawn.images(2)
    net = traced(drawn.model, drawn.channels, drawn.height, drawn.width)
    assert [(node.name, node.refused) for node in net.program.graph.nodes if node.refused] == []
    references = [Reference(drawn.model, image) for image in images]
    layers = [layer for layer in net.layers if given(layer, references[0], net.activations(images, layer.name)[0])]
    found = [c for layer in layers for c in compare(net, layer, references, images, limit=4)]
    assert_equal(found)
    assume(any(c.peak > 0 for c in found))


@pytest.mark.wide
def test_projections_of_squeezenet_equal_the_reference() -> None:
    """From all of SqueezeNet's automatic layers, on a picture of 64 px."""
    torch.manual_seed(0)
    model = randomise(squeezenet1_0(weights=None).double(), seed=0)
    images = Case("squeezenet", lambda: model, 3, 64, 64).images(1, seed=2)
    net = traced(model, 3, 64, 64)
    layers = [layer for layer in net.layers if layer.auto]
    assert len(layers) >= 9
    references = [Reference(model, images[0])]
    for layer in layers:
        found = compare(net, layer, references, images, limit=3)
        assert_equal(found)
        assert all(any(c.peak > 0 for c in found if c.method == method) for method in METHODS), layer.name
