"""Gates, statistics, paddings and functions of a number, in the middle of a network, by all methods.

Each stands twice behind a convolution: before a rectifier, which is a layer that a projection starts from, and alone.
"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.helpers.networks import randomise
from tests.helpers.reference import METHODS, Reference
from tests.laws.checks import assert_equal, compare, traced
from tests.laws.strategies import Called, Drawn, Gate


class Twice(nn.Module):
    """Convolutions around one module that is called twice."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, 2), nn.Conv2d(4, 3, 3, padding=1)
        self.inner, self.rectifier = inner, nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.c(self.inner(self.b(self.rectifier(self.inner(self.a(x))))))


class ResponseNorm(nn.Module):
    """Global response normalisation, as ConvNeXt V2 has it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.linspace(-1, 1, 4)), nn.Parameter(torch.linspace(0, 1, 4))

    def forward(self, x: Tensor) -> Tensor:
        norm = x.norm(p=2, dim=(2, 3), keepdim=True)
        share = norm / (functional.adaptive_avg_pool2d(norm, 1) + 1e-6)
        return x + (self.bias.view(1, 4, 1, 1) + self.weight.view(1, 4, 1, 1) * (x * share))


INNER: dict[str, Callable[[], nn.Module]] = {
    "gate of channels": lambda: Gate(4, "channel"),
    "gate of places": lambda: Gate(4, "place"),
    "over its norm": lambda: Gate(4, "norm"),
    "group norm": lambda: nn.GroupNorm(2, 4),
    "response norm": ResponseNorm,
    "padded behind": lambda: nn.ZeroPad2d((0, 1, 0, 1)),
    "mirrored": lambda: nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"),
    "mirrored too far": lambda: nn.ReflectionPad2d((2, 1, 1, 2)),
    "root": lambda: Called(lambda x: (x**2 + 0.1).sqrt(), "root"),
    "shares": lambda: Called(lambda x: x * torch.softmax(x, 1), "shares"),
    "sigmoid": nn.Sigmoid,
}


@pytest.mark.parametrize("inner", INNER)
def test_projections_equal_the_reference(inner: str) -> None:
    """From every layer, inside, at borders and in corners."""
    drawn = Drawn(randomise(Twice(INNER[inner]()).double(), 7), 2, 12, 11, 3)
    images = drawn.images(1)
    net, references = traced(drawn.model, 2, 12, 11), [Reference(drawn.model, image) for image in images]
    assert not any(node.refused for node in net.program.graph.nodes)
    found = [c for layer in net.layers for c in compare(net, layer, references, images, limit=4)]
    assert_equal(found)
    assert all(any(c.peak > 0 for c in found if c.method == method) for method in METHODS)


def test_a_field_behind_a_mirrored_border_is_exact_where_its_reader_sees_as_far() -> None:
    """As behind a padded convolution; elsewhere it is the whole picture, with the reason."""
    near = traced(Twice(INNER["mirrored"]()).double(), 2, 12, 11)["c"].field
    far = traced(Twice(INNER["mirrored too far"]()).double(), 2, 12, 11)["c"].field
    assert not near.note and near.rows.step == 2
    assert "mirrored further than what reads it can see" in far.note and far.rows.step == 0
