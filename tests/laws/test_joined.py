"""Every line of the table of parts in the middle of a network, by all methods, from every layer.

What keeps a map's size stands twice behind a convolution: before a rectifier, which is a layer that a projection starts
from, and alone. A few lines here, all of them by `make laws`; tests/laws/test_rows.py has all side by side.
"""

import pytest
import torch
from torch import Tensor, nn

from tests.helpers.networks import randomise
from tests.helpers.reference import METHODS, Reference
from tests.helpers.sweep import swept
from tests.laws.checks import assert_equal, compare, given, traced
from tests.laws.parts import LINES
from tests.laws.strategies import Drawn

CHANNELS, ROWS, COLS = 4, 12, 10


class Twice(nn.Module):
    """Convolutions around one module that is called twice, or once where it gives maps of another size."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(2, CHANNELS, 3, padding=1), nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.inner, self.rectifier = inner, nn.ReLU()
        with torch.no_grad():
            made = inner.double().eval()(torch.zeros(1, CHANNELS, ROWS, COLS, dtype=torch.float64)).shape
        self.again = made == (1, CHANNELS, ROWS, COLS)
        self.c = nn.Conv2d(made[1], 3, 3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.b(self.rectifier(self.inner(self.a(x)))) if self.again else self.a(x)
        return self.c(self.inner(x))


@pytest.mark.parametrize("line", swept(range(len(LINES)), 34))
def test_projections_equal_the_reference(line: int) -> None:
    """Inside, at borders and in corners, from every layer that a module or a call of PyTorch gives."""
    model = Twice(LINES[line].make(CHANNELS, ROWS, COLS))
    drawn = Drawn(randomise(model.double(), 7), 2, ROWS, COLS, 3)
    images = drawn.images(1)
    net, reference = traced(drawn.model, 2, ROWS, COLS), Reference(drawn.model, images[0])
    assert not any(node.refused for node in net.program.graph.nodes)
    layers = [layer for layer in net.layers if given(layer, reference, net.activations(images, layer.name)[0])]
    found = [c for layer in layers for c in compare(net, layer, [reference], images, limit=4)]
    assert_equal(found)
    assert all(any(c.peak > 0 for c in found if c.method == method) for method in METHODS)


def test_a_field_behind_a_mirrored_border_is_exact_where_its_reader_sees_as_far() -> None:
    """As behind a padded convolution; elsewhere it is the whole picture, with the reason."""
    mirrored = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, padding_mode="reflect")
    near = traced(Twice(mirrored).double(), 2, ROWS, COLS)["c"].field
    far = traced(Twice(nn.ReflectionPad2d((2, 1, 1, 2))).double(), 2, ROWS, COLS)["c"].field
    assert not near.note and near.rows.step == 2
    assert "mirrored further than what reads it can see" in far.note and far.rows.step == 0
