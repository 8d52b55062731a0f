"""Names follow the model's own code: module paths, the number of a call, the function within its module."""

import re

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import layerscope as ls
from layerscope.core.errors import UsageError

INPUT = ls.Input(channels=3, height=12, width=14)


class Block(nn.Module):
    """Two convolutions with one ReLU used twice, and a functional addition."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.conv1(x))
        return self.relu(self.conv2(y) + y)


class Named(nn.Module):
    """Everything that has a name of some kind."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3)
        self.relu = nn.ReLU()
        self.stage = nn.Sequential(Block(4), Block(4))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(8 * 10 * 12, 5))

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.stem(x))
        x = functional.relu(self.stage(x) * 0.5)
        return self.head(torch.cat([x, self.relu(x)], 1))


@pytest.fixture(scope="module")
def net() -> ls.Network:
    """The network of everything that has a name."""
    return ls.trace(Named(), INPUT)


def test_nodes_are_named_after_their_modules(net: ls.Network) -> None:
    """Modules by path, a second call by @2, functions by their operation and number within the module."""
    assert [node.name for node in net.program.graph.nodes] == [
        *("input", "stem", "relu"),
        *("stage.0.conv1", "stage.0.relu", "stage.0.conv2", "stage.0.add_1", "stage.0.relu@2"),
        *("stage.1.conv1", "stage.1.relu", "stage.1.conv2", "stage.1.add_1", "stage.1.relu@2"),
        *("mul_1", "relu_1", "relu@2", "cat_1", "head.0", "head.1"),
    ]


def test_blocks_are_shown_by_their_path(net: ls.Network) -> None:
    """A block's output has the block's path for a name, and its node's own as an alias; views are no layers."""
    shown = {layer.name: (layer.path, layer.kind) for layer in net.layers}
    assert shown["stage.0"] == ("stage.0.relu@2", "block") and shown["stage.1"] == ("stage.1.relu@2", "block")
    assert shown["stage.0.relu"] == ("stage.0.relu", "relu") and shown["cat_1"] == ("cat_1", "cat")
    assert "head.0" not in shown and "input" not in shown


def test_aliases_mean_the_same_layer(net: ls.Network) -> None:
    """A container's path and a block's node name lead to the one layer."""
    assert net["stage"] is net["stage.1"] is net["stage.1.relu@2"]
    assert net["head"] is net["head.1"] and net["head"].map is None
    assert set(net["stage.1"].aliases) == {"stage", "stage.1.relu@2"}


def test_a_layer_that_does_not_exist_is_refused_with_the_nearest(net: ls.Network) -> None:
    """The message names the network, the layer and what may have been meant."""
    with pytest.raises(UsageError, match=re.escape('Named has no layer "stage.2"; did you mean stage')):
        net["stage.2"]


class Functional(nn.Module):
    """Functions only, on weights of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4, 3, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        x = functional.conv2d(x, self.weight)
        a, b = functional.max_pool2d(x, 2), functional.avg_pool2d(x, 2)
        return functional.relu(torch.cat([a, b], 1))


def test_functions_are_numbered_by_operation() -> None:
    """Without modules every name is an operation and a number, and they need no model to be called by."""
    net = ls.trace(Functional(), INPUT)
    assert [layer.name for layer in net.layers] == ["conv2d_1", "max_pool2d_1", "avg_pool2d_1", "cat_1", "relu_1"]


def test_names_do_not_depend_on_the_input_size(net: ls.Network) -> None:
    """They follow from the code alone."""
    chain = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 2, 1))
    sizes = [ls.trace(chain, ls.Input(channels=3, height=h, width=w)) for h, w in ((5, 6), (32, 24))]
    assert [[layer.name for layer in one.layers] for one in sizes] == [["0", "1", "2", "3"]] * 2


class Shuffling(nn.Module):
    """One module called twice, whose first call leaves no operation of its own: the rectifier is applied before it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.mid, self.last = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 2, 1)
        self.shuffle, self.relu = Shuffle(), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.shuffle(self.mid(self.relu(self.shuffle(self.first(x))))))


class Shuffle(nn.Module):
    """Channels in another order, by views alone."""

    def forward(self, x: Tensor) -> Tensor:
        return x.view(-1, 2, 2, *x.shape[2:]).transpose(1, 2).reshape(-1, 4, *x.shape[2:])


def test_a_call_is_numbered_whatever_the_calls_before_it_left() -> None:
    """The second call is shuffle@2 though the first is no layer; and it gives what that call gives."""
    model = Shuffling().double().eval()
    net = ls.trace(model, INPUT)
    named = {name: layer for layer in net.layers for name in (layer.name, *layer.aliases)}
    assert "shuffle@2" in named and "shuffle" not in named
    given: list[Tensor] = []
    model.shuffle.register_forward_hook(lambda _module, _args, output: given.append(output.detach()))
    x = torch.randn(1, 3, 12, 14, dtype=torch.float64)
    with torch.no_grad():
        model(x)
    found = net.activations(x.numpy(), named["shuffle@2"].name)
    assert abs(found - given[1].numpy()).max() < 1e-12
