"""Which layers are meant by what a user writes, and what is said where `auto` leaves something out."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.api.selection import chosen_layers, left_out, several_outputs
from layerscope.core.errors import UnknownOp, UsageError
from tests.helpers.building import Log
from tests.helpers.networks import Cosine

INPUT = ls.Input(channels=3, height=14, width=16)


def conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class Drawn(nn.Module):
    """What is drawn anew in every run: nothing behind it can be had."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rand_like(x)


def body() -> list[nn.Module]:
    return [conv(3, 4), nn.ReLU(), nn.MaxPool2d(2), conv(4, 5), nn.ReLU()]


@pytest.fixture(scope="module")
def net() -> ls.Network:
    """A chain of five modules."""
    return ls.trace(nn.Sequential(*body()), INPUT)


@pytest.fixture(scope="module")
def cut() -> ls.Network:
    """The chain with a head that is refused from its first operation on."""
    return ls.trace(nn.Sequential(*body(), Drawn(), conv(5, 6), Cosine(), nn.Flatten(), nn.Linear(336, 2)), INPUT)


def names(net: ls.Network, wanted: object) -> list[str]:
    return [layer.name for layer in chosen_layers(net, wanted)]


def test_names_may_be_parted_by_commas(net: ls.Network) -> None:
    """As messages print them; the brackets of a glob hold theirs together; each layer comes once, in its order."""
    assert names(net, "3, 0") == names(net, ["3,0"]) == names(net, ["0", "3"]) == ["0", "3"]
    assert names(net, "[0,3]") == ["0", "3"] and names(net, "[0,3],4,") == ["0", "3", "4"]
    assert names(net, "auto,2,1") == ["1", "2", "4"]
    assert names(net, np.array(["4"])) == names(net, (name for name in "4")) == ["4"]


def test_a_name_with_a_comma_is_that_name() -> None:
    """PyTorch allows it: what is a layer's name as a whole is not taken apart."""
    chain = nn.Sequential()
    chain.add_module("a,b", conv(3, 4))
    chain.add_module("a", nn.ReLU())
    assert names(ls.trace(chain, INPUT), "a,b") == ["a,b"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ([], "no layer of Sequential is named"),
        (" , ", "no layer of Sequential is named"),
        (None, "not by None (NoneType)"),
        (0, 'not by 0 (int); did you mean "0"?'),
        (["0", 3], 'not by 3 (int); did you mean "3"?'),
        ([conv(3, 4)], "not by a module (Conv2d)"),
        (nn.Sequential(conv(3, 4)), "not by a module (Conv2d)"),
        (b"auto", "(int)"),
        (["0", "7*"], 'no layer of Sequential matches "7*"'),
        ("auto,o", 'Sequential has no layer "o"'),
    ],
)
def test_what_names_no_layer_is_refused(net: ls.Network, wanted: object, said: str) -> None:
    """In one sentence of our own, whatever it is."""
    with pytest.raises(UsageError, match=re.escape(said)):
        chosen_layers(net, wanted)


def test_auto_is_what_can_be_had_and_says_what_cannot(cut: ls.Network, net: ls.Network) -> None:
    """Two of four convolutions and dense layers: how many are lost, behind what, and how many layers there are."""
    assert names(cut, "auto") == names(net, "auto") == ["1", "4"]
    (sentence,) = left_out(cut)
    assert "2 of its 4 convolutions and dense layers" in sentence and '"auto" means 2 of the 5 layers' in sentence
    assert 'node "5.rand_like_1" calls aten.rand_like' in sentence and "cos" not in sentence
    assert left_out(cut, ["0"]) == () and left_out(cut, ["0", "auto"]) == (sentence,)
    assert left_out(net) == ()
    # What is refused beside them, and takes nothing away, is not told.
    beside = nn.Sequential(*body(), nn.AdaptiveAvgPool2d(1), Cosine())
    assert left_out(ls.trace(beside, INPUT)) == ()
    with pytest.raises(UnknownOp, match='layer "6" cannot be had'):
        chosen_layers(cut, ["auto", "6"])


def test_a_refused_end_that_takes_no_layer_is_passed_over() -> None:
    """Probabilities behind the scores change nothing that `auto` means."""
    scores = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3), nn.Softmax(1)]
    assert left_out(ls.trace(nn.Sequential(*body(), *scores), INPUT)) == ()


def test_a_fork_that_is_left_out_is_told() -> None:
    """By its name, with how much it holds."""

    class Fork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = conv(5, 5)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.conv(x)

    (sentence,) = left_out(ls.trace(nn.Sequential(*body(), Fork(), conv(5, 3)), INPUT))
    assert "inside 5 (1 of 4 convolutions and dense layers)" in sentence


def test_a_network_of_which_nothing_can_be_had_says_what_stands_in_the_way() -> None:
    """All of it; and every layer that can be had by name."""
    refused = ls.trace(nn.Sequential(Drawn(), conv(3, 4), Drawn()), INPUT)
    why = r'"auto" means: node "0\.rand_like_1" \(and 1 more\) calls aten\.rand_like'
    with pytest.raises(UnknownOp, match=why) as caught:
        chosen_layers(refused, "auto")
    assert str(caught.value).endswith("no layer can be had")
    assert "no layer can be had" in left_out(refused)[0]
    pools = ls.trace(nn.Sequential(nn.MaxPool2d(2), nn.AvgPool2d(2), Drawn(), conv(3, 4)), INPUT)
    with pytest.raises(UnknownOp, match=r"what can be had, with layers=: 0, 1$"):
        chosen_layers(pools, "auto")
    bare = ls.trace(nn.Sequential(nn.MaxPool2d(2), nn.AvgPool2d(2)), INPUT)
    with pytest.raises(UsageError, match=r"no convolution and no hidden dense layer; what can be had, .*: 0, 1$"):
        chosen_layers(bare, "auto")


class Parts(nn.Module):
    """A body that gives two maps, one of them to what is refused."""

    class Body(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = conv(3, 4), conv(4, 4)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            x = self.one(x).relu()
            return x, torch.rand_like(self.two(x))

    def __init__(self) -> None:
        super().__init__()
        self.body = Parts.Body()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.body(x)


def test_modules_with_several_outputs_are_listed() -> None:
    """With those of their outputs that can be had."""
    net = ls.trace(Parts(), INPUT)
    assert several_outputs(net) == {"body": ("body.relu_1",)}
    with pytest.raises(UsageError, match=re.escape("2 outputs and means none of them; what can be had: body.relu_1")):
        net["body"]


def test_what_can_be_had_is_built(cut: ls.Network, tmp_path: Path) -> None:
    """A refused head does not keep the body from an atlas, and the build says once what is missing."""
    pictures = [np.full((14, 16, 3), shade, np.uint8) for shade in (0, 90, 200)]
    log = Log()
    with ls.build(cut, pictures, tmp_path / "body.atlas", k=1, progress=log) as atlas:
        assert [layer.name for layer in atlas.layers] == ["1", "4"]
    assert [said for said in log.said if "cannot be had whole" in said] == list(left_out(cut))
