"""What `auto` means where paths part, where modules are called again, and where something is refused."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.graph.auto import choose

INPUT = ls.Input(channels=3, height=16, width=16)


def conv(inputs: int, outputs: int, size: int = 3) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, padding=size // 2)


def pair(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(conv(inputs, outputs), nn.ReLU(), conv(outputs, outputs), nn.ReLU())


def auto(model: nn.Module) -> list[str]:
    return [layer.name for layer in ls.trace(model, INPUT).layers if layer.auto]


class Columns(nn.Module):
    """Two ways from the picture to the end, side by side."""

    def __init__(self, column: Callable[[int, int], nn.Module]) -> None:
        super().__init__()
        self.left, self.right, self.end = column(3, 4), column(3, 4), conv(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(torch.cat([self.left(x), self.right(x)], 1))


class Column(nn.Module):
    """A column of a class of its own, which is no block for that: nothing of its class is before or behind it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = pair(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def test_columns_side_by_side_are_read_each() -> None:
    """Every stage of both, whether a column is a sequence or a module of its own."""
    assert auto(Columns(pair)) == ["left.1", "left.3", "right.1", "right.3", "end"]
    # The last stage is what leaves the column, and bears its name.
    assert auto(Columns(Column)) == ["left.body.1", "left", "right.body.1", "right", "end"]


class Skipped(nn.Module):
    """Every stage reads the picture again."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = conv(3, 4), conv(7, 4), conv(7, 4)

    def forward(self, x: Tensor) -> Tensor:
        a = self.one(x).relu()
        b = self.two(torch.cat([a, x], 1)).relu()
        return self.three(torch.cat([b, x], 1)).relu()


def test_a_skip_of_the_picture_takes_no_stage_away() -> None:
    """Though no stage is crossed by every path."""
    assert auto(Skipped()) == ["relu_1", "relu_2", "relu_3"]


class Unet(nn.Module):
    """Two levels, a bottleneck and the way back; `up` makes a map twice as large."""

    def __init__(self, up: Callable[[Tensor], Tensor], pool: nn.Module) -> None:
        super().__init__()
        self.up, self.pool = up, pool
        self.down1, self.down2, self.middle = pair(3, 4), pair(4, 4), pair(4, 4)
        self.back2, self.back1, self.end = pair(8, 4), pair(8, 4), conv(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.down1(x)
        b = self.down2(self.pool(a))
        c = self.back2(torch.cat([b, self.up(self.middle(self.pool(b)))], 1))
        return self.end(self.back1(torch.cat([a, self.up(c)], 1)))


ENCODER = ["down1.1", "down1.3", "down2.1", "down2.3", "middle.1", "middle.3"]
DECODER = ["back2.1", "back2.3", "back1.1", "back1.3", "end"]


class Wrapped(nn.Module):
    """A network inside another module."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


def test_a_u_net_is_read_from_end_to_end() -> None:
    """Encoder, bottleneck and decoder, also inside a wrapper, and where the way up has no row and is only run."""
    flat = Unet(lambda x: x, nn.Identity())
    assert auto(flat) == [*ENCODER, *DECODER]
    assert auto(Wrapped(flat)) == [f"net.{name}" for name in (*ENCODER, *DECODER)]
    # A sine stands for every way up that has no row: it can never have one.
    refused = Unet(torch.sin, nn.Identity())
    assert auto(refused) == [*ENCODER, *DECODER]


class Nest(nn.Module):
    """The U-Net of pix2pix: each level holds the next one, all of one class."""

    def __init__(self, inner: nn.Module | None) -> None:
        super().__init__()
        within = [] if inner is None else [inner]
        self.body = nn.Sequential(conv(3, 3), nn.ReLU(), *within, conv(3 if inner is None else 6, 3), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.body(x)], 1)


def test_a_class_that_holds_itself_is_no_block() -> None:
    """Six convolutions on three levels are six stages, not one block."""
    one, two = "body.2.body.", "body.2.body.2.body."
    expected = ["body.1", f"{one}1", f"{two}1", f"{two}3", f"{one}4", "body.4"]
    assert auto(Nest(Nest(Nest(None)))) == expected


class Residual(nn.Module):
    """Two convolutions, and a shortcut with one of its own."""

    def __init__(self, inputs: int = 3, outputs: int = 3) -> None:
        super().__init__()
        self.one, self.two, self.short = conv(inputs, outputs), conv(outputs, outputs), conv(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return (self.two(self.one(x).relu()) + self.short(x)).relu()


class Recursive(nn.Module):
    """One block, called three times one behind the other."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.block, self.end = conv(3, 3), Residual(), conv(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).relu()
        for _ in range(3):
            x = self.block(x)
        return self.end(x)


def test_a_block_that_is_called_again_is_a_layer_each_time() -> None:
    """Each call has its number."""
    assert auto(Recursive()) == ["relu_1", "block", "block@2", "block@3", "end"]


def test_an_encoder_for_two_pictures_is_read_each_time() -> None:
    """A module called twice side by side is two columns."""

    class Twins(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.end = pair(3, 4), conv(8, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.end(torch.cat([self.encoder(x), self.encoder(x * 0.5)], 1))

    assert auto(Twins()) == ["encoder.1", "encoder.3", "encoder.1@2", "encoder.3@2", "end"]


class Written(nn.Module):
    """A residual network without blocks: all of it stands in one forward, as a tracer writes it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.one, self.two, self.short = conv(3, 4), conv(4, 4), conv(4, 4), conv(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).relu()
        return (self.two(self.one(x).relu()) + self.short(x)).relu()


def test_a_sum_and_its_rectifier_belong_to_what_they_add() -> None:
    """A shortcut's convolution and the main one's are one layer: what their sum gives past the rectifier."""
    assert auto(Written()) == ["relu_1", "relu_2", "relu_3"]


class Outputs(nn.Module):
    """A feature extractor: the maps of three stages, which go on as well."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList([Residual(3, 3), Residual(3, 3), Residual(3, 3)])

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        kept = {}
        for number, stage in enumerate(self.stages):
            kept[str(number)] = x = stage(x)
        return kept


def test_stages_that_are_returned_are_layers() -> None:
    """All of them, not only the last."""
    assert auto(Outputs()) == ["stages.0", "stages.1", "stages.2"]


class Split(nn.Module):
    """A block that gives its map and a pool of it: the encoder's half of a U-Net."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body, self.pool = pair(inputs, outputs), nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(x)
        return self.pool(x), x


def test_of_what_leaves_a_block_a_pool_of_the_rest_is_no_layer() -> None:
    """The skip is; where the block gives two maps with filters of their own, both are."""

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = Split(3, 4), Split(4, 5)

        def forward(self, x: Tensor) -> tuple[Tensor, ...]:
            x, skip = self.one(x)
            return (skip, *self.two(x))

    assert auto(Encoder()) == ["one.body.3", "two.body.3"]


class Fork(nn.Module):
    """Branches that join again, of a class that occurs once."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow, self.wide = conv(4, 2, 1), conv(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.narrow(x).relu(), self.wide(x).relu()], 1)


def test_the_inside_of_a_fork_counts_with_what_follows() -> None:
    """A lonely fork in a chain is left out, and told; at the end, or where it is most of the network, it is read."""
    net = ls.trace(nn.Sequential(conv(3, 4), nn.ReLU(), Fork(), conv(4, 4), nn.ReLU()), INPUT)
    choice = choose(net.program.graph)
    assert [layer.name for layer in net.layers if layer.auto] == ["1", "4"]
    assert (dict(choice.folded), choice.filters, choice.cut) == ({"2": 2}, 4, ())
    last = nn.Sequential(conv(3, 4), nn.ReLU(), conv(4, 4), nn.ReLU(), Fork())
    assert auto(last) == ["1", "3", "4.relu_1", "4.relu_2"]
    assert auto(nn.Sequential(conv(3, 4), Fork(), nn.MaxPool2d(2), nn.ReLU())) == ["0", "1.relu_1", "1.relu_2"]


BODY = [conv(3, 4), nn.ReLU(), nn.MaxPool2d(2), conv(4, 5), nn.ReLU()]


class Attention(nn.Module):
    """A head that weighs places by a softmax, which no row can speak for."""

    def __init__(self) -> None:
        super().__init__()
        self.key, self.hidden, self.classes = conv(5, 1, 1), nn.Linear(5, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.key(x).flatten(2).softmax(2)
        return self.classes(self.hidden((x.flatten(2) * weight).sum(2)).relu())


class Recurrent(nn.Module):
    """A head that reads columns as a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.classes = nn.GRU(5, 4, batch_first=True), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.read(x.amax(2).transpose(1, 2))[0])


def test_a_head_that_is_refused_takes_nothing_from_the_body() -> None:
    """What lies before it is read as if it ended there; of the head what can be run."""
    assert auto(nn.Sequential(*BODY, nn.Softmax(1), nn.Flatten(), nn.Linear(320, 6), nn.ReLU())) == ["1", "4"]
    assert auto(nn.Sequential(*BODY, Attention())) == ["1", "4", "5.relu_1"]
    assert auto(nn.Sequential(*BODY, Recurrent())) == ["1", "4"]


def test_a_head_beside_the_rectifier_does_not_move_the_layer() -> None:
    """What a refused operation reads of a convolution does not part it from its own rectifier."""

    class Reads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.end = conv(3, 4), conv(4, 4)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            x = self.conv(x)
            return self.end(x.relu()), torch.sin(x)

    assert auto(Reads()) == ["relu_1", "end"]


def test_the_classifier_is_known_before_what_is_refused() -> None:
    """A softmax behind it changes nothing; a hidden dense layer whose successors are lost is no classifier."""
    pooled = [*BODY, nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    assert auto(nn.Sequential(*pooled, nn.Linear(5, 3), nn.Softmax(1))) == ["1", "4"]
    assert auto(nn.Sequential(*pooled, nn.Linear(5, 6), nn.Softmax(1), nn.Linear(6, 3))) == ["1", "4", "7"]


@pytest.mark.parametrize("unknown", [nn.Conv1d, nn.ConvTranspose2d])
def test_convolutions_that_have_no_row_are_counted(unknown: type[nn.Module]) -> None:
    """They can be run, so that nothing is lost, and they are layers."""
    if unknown is nn.Conv1d:
        model = nn.Sequential(conv(3, 4), nn.ReLU(), nn.Flatten(2), nn.Conv1d(4, 5, 3))
    else:
        model = nn.Sequential(conv(3, 4), nn.ReLU(), nn.ConvTranspose2d(4, 5, 2, 2))
    net = ls.trace(model, INPUT)
    choice = choose(net.program.graph)
    assert (choice.filters, len(choice.cut)) == (2, 0) and choice.nodes[-1] == net.program.graph.nodes[-1].id
