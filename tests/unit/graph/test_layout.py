"""However a network holds its maps, its graph is channels first, names what it names, and gives its numbers."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import layerscope as ls
from layerscope.core.records import Input
from layerscope.graph import trace_module
from layerscope.graph.program import Program
from layerscope.graph.read import read
from tests.helpers.sweep import swept

SHAPE = (3, 8, 8)


class Between(nn.Module):
    """A function of a map of eight channels, between two convolutions; parts: what it calls."""

    def __init__(self, call: Callable[[nn.Module, Tensor], Tensor], channels: int = 8, **parts: nn.Module) -> None:
        super().__init__()
        self.first, self.call = nn.Conv2d(3, 8, 3, padding=1), call
        self.parts, self.last = nn.ModuleDict(parts), nn.Conv2d(channels, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.call(self.parts, self.first(x).relu())).relu()


class Exchanged(nn.Module):
    """Rows for columns, and a convolution that needs them so."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.transpose(2, 3))


def _grouped(p: nn.Module, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


def _laid_out(p: nn.Module, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    return x.view(n, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, 2 * h, 2 * w)


def _in_squares(p: nn.Module, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    return x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(n, 4 * c, h // 2, w // 2)


def _sequence(p: nn.Module, x: Tensor) -> Tensor:
    y = x.flatten(2).transpose(1, 2)
    return (y + p["dense"](p["norm"](y)).relu()).transpose(1, 2).reshape(x.shape)


def _split_attention(p: nn.Module, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    y = x.reshape(n, 2, c // 2, h, w)
    shares = p["shares"](y.sum(1).mean((2, 3), keepdim=True)).view(n, 1, 2, -1).transpose(1, 2).softmax(1)
    return (y * shares.reshape(n, 2, c // 2, 1, 1)).sum(1)


def _selective(p: nn.Module, x: Tensor) -> Tensor:
    y = torch.stack([p["one"](x).relu(), p["other"](x).relu()], 1)
    shares = p["shares"](y.sum(1).mean((2, 3), keepdim=True)).view(x.shape[0], 2, 8, 1, 1).softmax(1)
    return (y * shares).sum(1)


def _repeated(p: nn.Module, x: Tensor) -> Tensor:
    y = x.permute(0, 2, 3, 1)
    return y.repeat_interleave(2, 1).repeat_interleave(2, 2).permute(0, 3, 1, 2)


def _measured(measure: Callable[[Tensor], Tensor]) -> Callable[[nn.Module, Tensor], Tensor]:
    """Scaled by what is measured of the map while its channels stand last."""

    def call(p: nn.Module, x: Tensor) -> Tensor:
        y = x.permute(0, 2, 3, 1)
        return (y * measure(y)).permute(0, 3, 1, 2)

    return call


def _response(y: Tensor) -> Tensor:
    """Global response normalisation, as transformers writes ConvNeXt V2's."""
    norms = torch.linalg.vector_norm(y, ord=2, dim=(1, 2), keepdim=True)
    return norms / (norms.mean(dim=-1, keepdim=True) + 1e-6)


MEASURES: dict[str, Callable[[Tensor], Tensor]] = {
    "global response": _response,
    "norm over channels": lambda y: 1 / (y.norm(dim=-1, keepdim=True) + 1),
    "variance over places": lambda y: y.var((1, 2), keepdim=True),
    "deviation over places": lambda y: y.std((1, 2), keepdim=True, correction=0),
    "variance over channels": lambda y: y.var(-1, keepdim=True),
    "deviation of all": lambda y: y.std((1, 2, 3), keepdim=True),
}


def _conv(given: int, made: int) -> nn.Module:
    return nn.Conv2d(given, made, 1)


# The network, and the operations that stand between its first rectifier and its last convolution.
CASES: dict[str, tuple[Callable[[], nn.Module], list[str]]] = {
    "ConvNeXt's block": (
        lambda: Between(
            lambda p, x: x + p["b"](p["a"](p["norm"](x.permute(0, 2, 3, 1))).relu()).permute(0, 3, 1, 2),
            norm=nn.LayerNorm(8), a=nn.Linear(8, 6), b=nn.Linear(6, 8),
        ),
        ["channel_norm", "conv2d", "relu", "conv2d", "add"],
    ),
    "places in a row": (
        lambda: Between(_sequence, norm=nn.LayerNorm(8), dense=nn.Linear(8, 8)),
        ["channel_norm", "conv2d", "relu", "add"],
    ),
    "channel shuffle": (lambda: Between(_grouped), ["shuffle"]),
    "depth to space": (lambda: Between(_laid_out, 2), ["shuffle", "pixel_shuffle"]),
    "space to depth": (lambda: Between(_in_squares, 32), ["pixel_unshuffle", "shuffle"]),
    "split attention": (
        lambda: Between(_split_attention, 4, shares=_conv(4, 8)),
        ["slice", "slice", "add", "mean", "conv2d", "branch_softmax", "gate", "slice", "slice", "add"],
    ),
    "selective kernels": (
        lambda: Between(_selective, one=_conv(8, 8), other=_conv(8, 8), shares=_conv(8, 16)),
        ["conv2d", "relu", "conv2d", "relu", "cat", "slice", "slice", "add", "mean", "conv2d", "branch_softmax", "gate",
         "slice", "slice", "add"],
    ),
    "split": (lambda: Between(lambda p, x: torch.cat(x.split([3, 5], 1)[::-1], 1)), ["slice", "slice", "cat"]),
    "maxout over a view": (
        lambda: Between(lambda p, x: x.view(x.shape[0], 4, 2, 8, 8).max(2)[0], 4), ["branch_max"],
    ),
    "every second place": (lambda: Between(lambda p, x: x[:, :, ::2, 1::2]), ["crop", "crop"]),
    "channels by a list": (lambda: Between(lambda p, x: x[:, [3, 1, 1, 0]], 4), ["index"]),
    "channels one by one": (
        lambda: Between(lambda p, x: torch.stack(x.unbind(1)[::-1], 1)), ["select"] * 8 + ["unsqueeze"] * 8 + ["cat"],
    ),
    "one channel as three": (lambda: Between(lambda p, x: x[:, :1].expand(-1, 3, -1, -1), 3), ["slice", "expand"]),
    "all channels again": (
        lambda: Between(lambda p, x: x.unsqueeze(1).expand(-1, 2, -1, -1, -1).flatten(1, 2), 16), ["cat"],
    ),
    "each channel again": (lambda: Between(lambda p, x: x.repeat_interleave(2, 1), 16), ["cat", "shuffle"]),
    "shuffled channels beside others": (
        lambda: Between(lambda p, x: torch.cat([x, _grouped(p, x)], 1), 16), ["shuffle", "cat"],
    ),
    "shuffled channels on others": (
        lambda: Between(lambda p, x: torch.stack([x, _grouped(p, x)], 1).flatten(1, 2), 16), ["shuffle", "cat"],
    ),
    "shuffled channels moved on": (lambda: Between(lambda p, x: _grouped(p, x).roll(1, 1)), ["shuffle", "roll"]),
    "shuffled channels by a list": (
        lambda: Between(lambda p, x: _grouped(p, x)[:, [1, 7, 2]], 3), ["shuffle", "index"],
    ),
    "shuffled channels, normalised as they stand last": (
        lambda: Between(lambda p, x: p["norm"](_grouped(p, x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2),
                        norm=nn.LayerNorm(8)),
        ["shuffle", "channel_norm"],
    ),
    "over their root, channels last": (
        lambda: Between(lambda p, x: p["norm"](x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), norm=nn.RMSNorm(8)),
        ["channel_rms_norm"],
    ),
    "shrinking": (
        lambda: Between(lambda p, x: functional.softshrink(functional.hardshrink(x - 0.3, 0.4), 0.2)),
        ["sub", "hardshrink", "softshrink"],
    ),
    "rows and columns exchanged": (lambda: Between(lambda p, x: x.transpose(2, 3)), ["rearrange"]),
    "more channels than rows, exchanged": (
        lambda: Between(lambda p, x: functional.avg_pool2d(x, 2).transpose(1, 2), 4), ["avg_pool2d", "rearrange"],
    ),
    "repeated channels last": (lambda: Between(_repeated), ["upsample_nearest2d"]),
    "a gate that is spread": (
        lambda: Between(
            lambda p, x: x * p["a"](x.mean((2, 3))).view(x.shape[0], 8, 1, 1).expand_as(x), a=nn.Linear(8, 8)
        ),
        ["mean", "linear", "flatten", "gate"],
    ),
    "transposed at stride 1": (
        lambda: Between(lambda p, x: p["a"](x), 6, a=nn.ConvTranspose2d(8, 6, 3, padding=1, groups=2)), ["conv2d"],
    ),
    "unpooling": (
        lambda: Between(lambda p, x: functional.max_unpool2d(*functional.max_pool2d(x, 2, return_indices=True), 2)),
        ["max_pool2d", "max_unpool2d"],
    ),
    "batch norm as arithmetic, channels last": (
        lambda: Between(
            lambda p, x: (
                (x.permute(0, 2, 3, 1) - p["n"].bias) * (torch.rsqrt(p["n"].weight.abs() + 0.1) * p["n"].weight) + 0.5
                * p["n"].bias
            ).permute(0, 3, 1, 2),
            n=nn.BatchNorm2d(8),
        ),
        ["batch_norm"],
    ),
    "batch norm whose root is a number": (
        lambda: Between(
            lambda p, x: (
                (p["a"](x) - p["n"].bias.view(8, 1, 1)) * p["n"].weight.view(8, 1, 1) + p["m"].bias.view(8, 1, 1)
            ),
            a=nn.Conv2d(8, 8, 1), n=nn.BatchNorm2d(8), m=nn.BatchNorm2d(8),
        ),
        ["conv2d", "batch_norm"],
    ),
    "the same of no layer": (
        lambda: Between(
            lambda p, x: x * p["n"].weight.view(8, 1, 1) + p["n"].bias.view(8, 1, 1), n=nn.BatchNorm2d(8)
        ),
        ["mul", "add"],
    ),
    "a bias of its own": (
        lambda: Between(lambda p, x: p["a"](x).permute(0, 2, 3, 1).add(p["n"].weight).permute(0, 3, 1, 2),
                        a=nn.Conv2d(8, 8, 1, bias=False), n=nn.BatchNorm2d(8)),
        ["conv2d"],
    ),
}  # fmt: skip


def _made(kind: str) -> nn.Module:
    torch.manual_seed(0)
    model = CASES[kind][0]().double().eval()
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.5)
    return model


@pytest.mark.parametrize("kind", swept(CASES, 4))
@pytest.mark.thin(4)
def test_the_graph_is_channels_first(kind: str) -> None:
    """It has just these calls, of maps, single channels and dense layers only, and gives the network's own numbers."""
    model, x = _made(kind), torch.randn(2, *SHAPE, dtype=torch.float64)
    traced = trace_module(model, SHAPE)
    nodes = traced.graph.nodes
    assert [node.op for node in nodes] == ["input", "conv2d", "relu", *CASES[kind][1], "conv2d", "relu"]
    assert not any(node.refused for node in nodes)
    assert all(len(node.shape) in ((2,) if node.op == "select" else (1, 3)) for node in nodes)
    last = nodes[-1].id
    with torch.no_grad():
        torch.testing.assert_close(Program(traced.graph, traced.weights).run(x, {last})[last], model(x))


@pytest.mark.parametrize("kind", MEASURES)
@pytest.mark.thin(2)
def test_what_is_measured_of_a_map_whose_channels_stand_last_is_carried_back(kind: str) -> None:
    """Norms, variances, deviations: nothing is refused, and the gradient is autograd's."""
    torch.manual_seed(0)
    model = Between(_measured(MEASURES[kind])).double().eval()
    net = ls.trace(model, Input(height=8, width=8))
    assert not any(layer.scan_only for layer in net.layers)
    x = torch.randn(1, *SHAPE, dtype=torch.float64, requires_grad=True)
    value = model.first(x).relu()
    value = model.last(model.call(model.parts, value))
    (expected,) = torch.autograd.grad(value[0, 2, 4, 3] ** 2 / 2, x)
    picture = x.detach().numpy()
    signals = net.project(picture, "last", image=[0], unit=[2], row=[4], col=[3], method="gradient")
    torch.testing.assert_close(torch.from_numpy(signals.full()[0]), expected[0], rtol=1e-9, atol=1e-12)


def test_modules_that_are_channels_last_are_compared_in_their_own_order() -> None:
    """Their nodes bear their names, are layers of as many units as channels, and the replay finds no fault."""
    found = read(_made("ConvNeXt's block").float(), Input(channels=3, height=8, width=8))
    layers = {layer.path: (layer.units, layer.map) for layer in found.layers}
    assert layers["parts.norm"] == (8, (8, 8)) and layers["parts.a"] == (6, (8, 8))
    assert not found.replay.fault and found.replay.layers == 5


def test_a_wrong_order_of_axes_is_found() -> None:
    """A module's output that is channels last is not taken for another order of the same numbers."""

    class Turned(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.permute(0, 2, 3, 1)

    found = read(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), Turned()), Input(channels=3, height=8, width=8))
    node = found.traced.graph.nodes[found.traced.graph.outputs[0]]
    assert node.lies and not found.replay.fault
    assert found.traced.graph.nodes[1].shape == (8, 8, 8)


def test_rows_and_columns_of_a_wide_map_are_exchanged() -> None:
    """Of a map that is wider than it is high as well."""
    model, x = nn.Sequential(nn.Conv2d(3, 4, 3), Exchanged()).double().eval(), torch.rand(2, 3, 8, 11).double()
    traced = trace_module(model, (3, 8, 11))
    turned, last = traced.graph.nodes[-2:]
    assert (turned.op, turned.shape) == ("rearrange", (4, 9, 6))
    with torch.no_grad():
        torch.testing.assert_close(Program(traced.graph, traced.weights).run(x, {last.id})[last.id], model(x))


def test_flattening_channels_last_turns_the_dense_layers_weights() -> None:
    """No number is moved: the weights of the dense layer come in the order of the map."""

    class Head(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.dense = nn.Conv2d(3, 4, 3), nn.Linear(4 * 36, 5)

        def forward(self, x: Tensor) -> Tensor:
            return self.dense(self.conv(x).relu().permute(0, 2, 3, 1).flatten(1))

    model, x = Head().double().eval(), torch.randn(2, *SHAPE, dtype=torch.float64)
    traced = trace_module(model, SHAPE)
    assert [node.op for node in traced.graph.nodes] == ["input", "conv2d", "relu", "flatten", "linear"]
    with torch.no_grad():
        torch.testing.assert_close(Program(traced.graph, traced.weights).run(x, {4})[4], model(x))
