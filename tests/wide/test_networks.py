"""Published networks at their own input size: projections equal the full-image reference, in float64."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models

import layerscope as ls
from layerscope.models.named import NAMED
from tests.helpers.darknet import tiny_darknet
from tests.helpers.networks import randomise
from tests.helpers.reference import METHODS, Reference
from tests.laws.checks import Comparison, assert_equal, compare, traced

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "alexnet": lambda: models.alexnet(weights=None),
    "vgg16": lambda: models.vgg16(weights=None),
    "resnet18": lambda: models.resnet18(weights=None),
    "resnet50": lambda: models.resnet50(weights=None),
    "googlenet": lambda: models.googlenet(weights=None, init_weights=False),
    "densenet121": lambda: models.densenet121(weights=None),
    "squeezenet1_0": lambda: models.squeezenet1_0(weights=None),
    "mobilenet_v2": lambda: models.mobilenet_v2(weights=None),
    "tiny_darknet": tiny_darknet,
    **{name: partial(named.plain, named.classes) for name, named in NAMED.items()},
}


def _spread(net: ls.Network, paths: set[str]) -> list[ls.Layer]:
    """The first automatic map, three on the way, the last one, the last map of all and the first dense hidden layer.

    Only layers that a module gave: the reference keeps those by name.
    """
    named = [layer for layer in net.layers if paths & {name.split("@")[0] for name in (layer.name, *layer.aliases)}]
    maps = [layer for layer in named if layer.auto and layer.map]
    dense = [layer for layer in named if layer.auto and not layer.map]
    wide = [layer for layer in named if layer.map and min(layer.map) > 1]
    picked = [maps[round(k)] for k in np.linspace(0, len(maps) - 1, 5)]
    return list({layer.name: layer for layer in (*picked, wide[-1], *dense[:1])}.values())


def _assert_reached(layer: ls.Layer, found: Sequence[Comparison]) -> None:
    """By every method a signal came back from the centre, a border and two corners, or from a dense layer's unit."""
    places = min(4, layer.map[0] * layer.map[1]) if layer.map else 1
    reached = {method: sum(c.peak > 0 for c in found if c.method == method) for method in METHODS}
    assert reached == dict.fromkeys(METHODS, places), f"{layer.name}: {reached} of {places}"


@pytest.mark.wide
@pytest.mark.parametrize("name", NETWORKS)
def test_projections_equal_the_reference(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """From a spread of layers, by all methods, in the centre, on borders and in corners, at the network's own side."""
    torch.manual_seed(0)
    side = NAMED[name].input.height if name in NAMED else 224
    image = np.random.default_rng(1).standard_normal((1, 3, side, side))
    model = randomise(NETWORKS[name]().double(), seed=0, example=torch.from_numpy(image))
    net = traced(model, 3, side, side)
    layers = _spread(net, {path for path, _ in model.named_modules() if path})
    reference = Reference(model, image[0], [alias for layer in layers for alias in (layer.name, *layer.aliases)])
    worst = 0.0
    for layer in layers:
        found = compare(net, layer, [reference], image, limit=4)
        worst = max(worst, assert_equal(found))
        _assert_reached(layer, found)
    with capsys.disabled():
        print(f"\n{name}: worst relative error {worst:.1e} over {', '.join(layer.name for layer in layers)}")
