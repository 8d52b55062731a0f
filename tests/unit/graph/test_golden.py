"""The networks of the core keep their layers and fields: lists written by hand, never by the program."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.models.googlenet import BasicConv2d, Inception

import layerscope as ls
from layerscope.models.named import NAMED
from layerscope.models.zfnet import ZFNet
from tests.helpers.darknet import tiny_darknet

GOLDEN = Path(__file__).parents[2] / "golden"
AUTO: dict[str, list[str]] = json.loads((GOLDEN / "auto.json").read_text())
# Receptive fields as published, of AlexNet (torchvision's, padded by 2) and VGG-16: [size, step, start] in px.
# Araujo, Norris & Sim, Computing Receptive Fields of Convolutional Neural Networks, Distill 2019.
FIELDS: dict[str, dict[str, list[int]]] = json.loads((GOLDEN / "fields.json").read_text())
# Tracing these takes ten seconds each.
LARGE = (
    *("resnet50", "googlenet", "densenet121", "mobilenet_v2"),
    *("regnet_y_400mf", "efficientnet_b0", "mobilenet_v3_small", "inception_v3"),
)


def regnet() -> nn.Module:
    """Its widths are worked out in tensors, which need numbers."""
    with torch.device("cpu"):
        return models.regnet_y_400mf(weights=None)


BUILT: dict[str, Callable[[], nn.Module]] = {
    "googlenet": lambda: models.googlenet(weights=None, init_weights=False),
    "inception_v3": lambda: models.inception_v3(weights=None, init_weights=False),
    "regnet_y_400mf": regnet,
    "tiny_darknet": tiny_darknet,
    **{name: partial(named.plain, named.classes) for name, named in NAMED.items()},
}


def traced(build: Callable[[], nn.Module]) -> ls.Network:
    """The network without numbers in its weights: names and fields need none and follow from the code."""
    with torch.device("meta"):
        model = build()
    side = 224 if isinstance(model, ZFNet) else 96  # its dense layers fit no other
    return ls.trace(model, ls.Input(channels=3, height=side, width=side))


def auto(net: ls.Network) -> list[str]:
    return [layer.name for layer in net.layers if layer.auto]


def marked(name: str) -> object:
    return pytest.param(name, marks=pytest.mark.wide) if name in LARGE else name


@pytest.mark.parametrize("name", [marked(name) for name in AUTO])
@pytest.mark.thin(4)
def test_auto_is_what_a_reader_would_call_the_layers(name: str) -> None:
    """`auto` names just the expected layers, in execution order; those of a published table have its fields."""
    net = traced(BUILT.get(name, lambda: models.get_model(name, weights=None)))
    assert auto(net) == AUTO[name]
    for layer, (size, step, start) in FIELDS.get(name, {}).items():
        field = net[layer].field
        assert field.rows == field.cols
        assert (field.rows.size, field.rows.step, field.rows.start) == (size, step, start), layer


# The same code as the large networks, with fewer blocks: each family's rule is held on every run.
SMALL: dict[str, tuple[Callable[[], nn.Module], list[str]]] = {
    "densenet": (lambda: models.DenseNet(4, (1, 1, 1, 1), 8), AUTO["densenet121"]),
    "inverted residuals": (
        lambda: models.MobileNetV2(inverted_residual_setting=[[1, 16, 1, 1], [6, 24, 2, 2]]),
        ["features.0.2", "features.1", "features.2", "features.3", "features.4.2"],
    ),
}


class Inceptions(nn.Module):
    """GoogLeNet's stem and two of its blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = BasicConv2d(3, 8, kernel_size=7, stride=2)
        self.inception3a = Inception(8, 4, 4, 4, 4, 4, 4)
        self.inception3b = Inception(16, 4, 4, 4, 4, 4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inception3b(self.inception3a(self.conv1(x)))


SMALL["inceptions"] = (Inceptions, ["conv1.relu_1", "inception3a", "inception3b"])


@pytest.mark.parametrize("family", SMALL)
@pytest.mark.thin(3)
def test_auto_of_each_family(family: str) -> None:
    """What stands in the golden lists of the large networks is what their families' code gives."""
    build, expected = SMALL[family]
    assert auto(traced(build)) == expected


def test_the_golden_lists_agree_with_the_families() -> None:
    """Each list holds just the layers that its network's published plan makes."""
    assert {name: len(layers) for name, layers in AUTO.items()} == {
        "alexnet": 5 + 2,
        "vgg16": 13 + 2,
        "resnet18": 1 + 8,
        "resnet50": 1 + 16,
        "googlenet": 3 + 9,
        "densenet121": 1 + 4 + 3,
        "squeezenet1_0": 1 + 8,
        "mobilenet_v2": 1 + 17 + 1,
        "tiny_darknet": 15,
        "zfnet": 5 + 2,
        "zfnet64": 5 + 2,
        "worldnet": 5,
        "regnet_y_400mf": 1 + 1 + 3 + 6 + 6,
        "efficientnet_b0": 1 + 16 + 1,
        "mobilenet_v3_small": 1 + 11 + 1 + 1,
        "inception_v3": 5 + 3 + 4 + 2,
    }
