"""Which nodes `auto` means, which are rectified, and what a field's note says."""

import pytest
import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.core.geometry import Window

INPUT = ls.Input(channels=3, height=20, width=24)


def conv(inputs: int, outputs: int, size: int = 3) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, padding=size // 2)


def auto(model: nn.Module) -> list[str]:
    return [layer.name for layer in ls.trace(model, INPUT).layers if layer.auto]


def test_convolutions_are_shown_past_their_activation() -> None:
    """After norm and rectifier where they follow; after the norm where no rectifier does; as they are before a pool."""
    chain = nn.Sequential(
        *(conv(3, 4), nn.BatchNorm2d(4), nn.ReLU6()),
        *(conv(4, 4), nn.BatchNorm2d(4), nn.MaxPool2d(2)),
        *(conv(4, 4), nn.MaxPool2d(2), nn.ReLU()),
        *(conv(4, 4), nn.Dropout(), nn.LeakyReLU(0.1)),
    )
    assert auto(chain) == ["2", "4", "6", "11"]


def test_the_classifier_is_no_automatic_layer() -> None:
    """The last operation with filters, if the output is one number for each; a hidden dense layer is one."""
    head = nn.Sequential(
        conv(3, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)
    )
    assert auto(head) == ["1", "5"]
    by_convolution = nn.Sequential(conv(3, 4), nn.ReLU(), conv(4, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert auto(by_convolution) == ["1"]
    assert auto(nn.Sequential(conv(3, 4), nn.ReLU(), conv(4, 2))) == ["1", "2"]


class Block(nn.Module):
    """Two convolutions around which the input is added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.one, self.two = conv(channels, channels), conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return (self.two(self.one(x).relu()) + x).relu()


class Lonely(Block):
    """A block class that occurs only once."""


class Thin(nn.Module):
    """A class that occurs twice but holds one convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.one = conv(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.one(x).relu()


class Nested(nn.Module):
    """Blocks inside a class that occurs twice itself."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(Block(4), Block(4))

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)


def test_blocks_are_classes_that_occur_twice_with_two_convolutions() -> None:
    """Of a block only the output counts; a class of blocks alone is a stage, read for these."""
    assert auto(nn.Sequential(conv(3, 4), Block(4), Block(4))) == ["0", "1", "2"]
    assert auto(nn.Sequential(conv(3, 4), Thin(), Thin())) == ["0", "1.relu_1", "2.relu_1"]
    inner = [f"{outer}.inner.{number}" for outer in (1, 2) for number in (0, 1)]
    assert auto(nn.Sequential(conv(3, 4), Nested(), Nested())) == ["0", *inner]


def test_a_block_that_occurs_once_is_read_node_by_node() -> None:
    """Inside a sum that some path skips nothing is crossed by every path."""
    assert auto(nn.Sequential(conv(3, 4), nn.ReLU(), Lonely(4), conv(4, 4), nn.ReLU())) == ["1", "4"]


def rectified(model: nn.Module) -> list[str]:
    return [layer.name for layer in ls.trace(model, INPUT).layers if layer.rectified]


def test_what_is_never_below_zero_is_rectified() -> None:
    """Behind a ReLU, and where only such values are pooled, joined, added and scaled; not behind a leaky one."""
    plain = nn.Sequential(conv(3, 4), nn.ReLU(), nn.MaxPool2d(2), conv(4, 4), nn.LeakyReLU(0.1), nn.AvgPool2d(2))
    assert rectified(plain) == ["1", "2"]

    class Sums(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.pool = conv(3, 4), nn.AvgPool2d(3, 1, 1)

        def forward(self, x: Tensor) -> Tensor:
            a = self.conv(x).relu()
            b = self.pool(a)
            return torch.cat([a + b, a - b, a * -1.0, a / 2], 1)

    assert rectified(Sums()) == ["relu_1", "pool", "add_1", "div_1"]


def test_uneven_pooling_makes_the_field_whole_and_says_so() -> None:
    """Adaptive pooling that does not divide its map has no true window; what follows keeps the note."""
    model = nn.Sequential(conv(3, 4), nn.AdaptiveAvgPool2d((6, 6)), conv(4, 4), nn.ReLU())
    net = ls.trace(model, INPUT)
    for name in ("1", "2", "3"):
        field = net[name].field
        assert (field.rows, field.cols) == (Window.whole(20), Window.whole(24))
        assert field.note == "adaptive pooling from 20x24 to 6x6 is uneven"
    assert net["0"].field.note == ""
    even = ls.trace(nn.Sequential(conv(3, 4), nn.AdaptiveAvgPool2d((5, 6))), INPUT)["1"].field
    assert (even.note, even.rows, even.cols) == ("", Window(size=6, step=4, start=-1), Window(size=6, step=4, start=-1))


def test_branches_of_different_steps_make_the_field_whole() -> None:
    """Nine positions, two px apart on one way and one px on the other: no window is true, and the note says where."""

    class Meets(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.coarse, self.fine = nn.Conv2d(3, 2, 4, stride=2), nn.Conv2d(3, 2, (12, 14))

        def forward(self, x: Tensor) -> Tensor:
            return (self.coarse(x) + self.fine(x)).relu()

    net = ls.trace(Meets(), INPUT)
    field = net["add_1"].field
    assert (field.rows, field.cols) == (Window.whole(20), Window.whole(24))
    assert field.note == "at add_1 branches meet whose steps differ: 2 px and 1 px a position"
    assert net["relu_1"].field.note == field.note


@pytest.mark.parametrize("size", [(7, 9), (20, 24)])
def test_dense_layers_see_everything(size: tuple[int, int]) -> None:
    """A dense layer has one position, whose field is at least the whole picture."""
    model = nn.Sequential(conv(3, 2), nn.Flatten(), nn.Linear(2 * size[0] * size[1], 3))
    layer = ls.trace(model, ls.Input(height=size[0], width=size[1])).layers[-1]
    assert (layer.units, layer.map, layer.positions) == (3, None, 1)
    box = layer.field.box(0, 0).clipped(*size)
    assert layer.field.whole and (box.height, box.width) == size
