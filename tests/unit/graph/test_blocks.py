"""Calls of modules: what leaves them is known from the edges, and names follow it."""

import re
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.core.errors import UnknownOp, UsageError
from layerscope.graph.blocks import module_calls

INPUT = ls.Input(channels=3, height=12, width=10)


def conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class Auxiliary(nn.Module):
    """A block with a head of its own, which runs last in it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.one, self.two, self.aux = conv(inputs, outputs), conv(outputs, outputs), nn.Conv2d(outputs, 2, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.two(self.one(x).relu()).relu()
        return x, self.aux(x)


class Supervised(nn.Module):
    """Blocks with heads: `heads` says of which of them the network returns what they give."""

    def __init__(self, heads: Sequence[int]) -> None:
        super().__init__()
        self.heads = heads
        self.blocks = nn.ModuleList([Auxiliary(3, 4), Auxiliary(4, 5), Auxiliary(5, 6)])

    def forward(self, x: Tensor) -> list[Tensor]:
        kept = []
        for number, block in enumerate(self.blocks):
            x, head = block(x)
            kept += [head] if number in self.heads else []
        return [x, *kept]


def names(model: nn.Module) -> list[str]:
    return [layer.name for layer in ls.trace(model, INPUT).layers]


def test_a_block_that_several_nodes_leave_lends_its_name_to_none() -> None:
    """Neither the head that ran last nor the map that goes on is the block: asked for, it lists what leaves it."""
    net = ls.trace(Supervised(heads=(0, 1, 2)), INPUT)
    assert "blocks.0" not in net and {layer.name for layer in net.layers if layer.kind == "block"} == set()
    with pytest.raises(UsageError, match=re.escape("gives 2 outputs and means none of them")) as caught:
        net["blocks.0"]
    assert str(caught.value).endswith("what can be had: blocks.0.relu_2, blocks.0.aux")


def test_a_block_is_named_by_the_one_node_that_leaves_it() -> None:
    """A head that nobody reads does not leave; the block is then the map that the next one gets, by its values."""
    model = Supervised(heads=(1,)).eval()
    net = ls.trace(model, INPUT)
    x = torch.rand(2, 3, 12, 10, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = model.blocks[0](x)[0]
    assert net["blocks.0"].kind == "block" and net["blocks.0"].path == "blocks.0.relu_2"
    torch.testing.assert_close(torch.from_numpy(net.activations(x, "blocks.0")), expected)
    assert "blocks.1" not in net and "blocks.2" in net


class Forked(nn.Module):
    """A module whose map is read twice outside, before and behind its pool: the skip of an encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.pool = conv(3, 4), nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.conv(x).relu()
        return {"skip": x, "down": self.pool(x)}


class Reads(nn.Module):
    """Reads one or both of what the fork gives."""

    def __init__(self, *keys: str) -> None:
        super().__init__()
        self.fork, self.end, self.keys = Forked(), nn.Conv2d(4, 2, 1), keys

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        given = self.fork(x)
        return tuple(self.end(given[key]) for key in self.keys)


def test_what_leaves_a_call_is_what_is_read_outside() -> None:
    """Of a module that gives a dict: both, one, or the other, as the network reads them."""
    for keys, path in ((("skip",), "fork.relu_1"), (("down",), "fork.pool")):
        net = ls.trace(Reads(*keys), INPUT)
        assert net["fork"].path == path and "fork" in net[path].aliases
    both = ls.trace(Reads("skip", "down"), INPUT)
    assert "fork" not in both
    # The root's own call is no module call; `end` is called twice.
    leaving = {call.name: len(call.leaving) for call in module_calls(both.program.graph).values()}
    assert leaving == {"fork": 2, "fork.conv": 1, "fork.pool": 1, "end": 1, "end@2": 1}


class Encoder(nn.Module):
    """A chain of two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(3, 3), nn.ReLU(), conv(3, 3), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


class Twice(nn.Module):
    """One encoder for the picture and for its half."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.encoder(x), self.encoder(x * 0.5)], 1)


def test_calls_of_one_module_are_told_apart() -> None:
    """The first by its path, the second by path@2, and so what is called inside them; each by its own values."""
    model = Twice().eval()
    net = ls.trace(model, INPUT)
    assert (net["encoder"].path, net["encoder@2"].path) == ("encoder.body.3", "encoder.body.3@2")
    assert net["encoder.body"] is net["encoder"] and net["encoder.body@2"] is net["encoder@2"]
    assert "encoder@3" not in net
    x = torch.rand(1, 3, 12, 10, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = (model.encoder(x), model.encoder(x * 0.5))
    for name, values in zip(("encoder", "encoder@2"), expected, strict=True):
        torch.testing.assert_close(torch.from_numpy(net.activations(x, name)), values)


class Gated(nn.Module):
    """A block that ends in what is refused."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = conv(3, 3), conv(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cumsum(self.two(self.one(x).relu()), 2)


def test_a_block_whose_output_is_refused_lends_its_name_to_nothing_else() -> None:
    """Not to the last node that nothing stands before: the block is what it gives, which is scanned only."""
    net = ls.trace(nn.Sequential(Gated(), Gated()), INPUT)
    assert net["0"].kind == "block" and "calls aten.cumsum" in net["0"].scan_only
    assert [layer.name for layer in net.layers if not layer.scan_only] == ["0.one", "0.relu_1", "0.two"]


def test_refused_operations_are_told_once_each() -> None:
    """Sixty of a kind are one clause, with the first of them and how many more there are."""

    class Noise(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + torch.rand_like(x) + torch.rand_like(x) + torch.randn_like(x)

    net = ls.trace(nn.Sequential(conv(3, 3), Noise(), conv(3, 3)), INPUT)
    with pytest.raises(UnknownOp) as caught:
        net["2"]
    assert str(caught.value).count("calls") == 2
    assert 'node "1.rand_like_1" (and 1 more) calls aten.rand_like: ' in str(caught.value)


def test_other_things_than_names_are_refused_with_what_was_meant() -> None:
    """A number, a module, a layer, nothing: one sentence of our own each."""
    model = nn.Sequential(conv(3, 4), nn.ReLU())
    net = ls.trace(model, INPUT)
    for given, said in (
        (0, 'not by 0 (int); did you mean "0"?'),
        (7, "not by 7 (int)"),
        (model[0], "not by a module (Conv2d): a network keeps no modules, only their names"),
        (net.layers[1], 'not by the layer itself; write "1"'),
        (None, "not by None (NoneType)"),
    ):
        with pytest.raises(UsageError, match=re.escape(said)):
            net[given]  # type: ignore[index]
