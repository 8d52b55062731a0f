"""A model becomes a graph, or one sentence says why not; the user's model stays as it was."""

import re
import warnings

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import layerscope as ls
from layerscope.core.errors import TraceError, UnknownOp, UsageError
from layerscope.graph import Program, trace_module
from tests.helpers.building import Log
from tests.helpers.networks import CASES

INPUT = ls.Input(channels=3, height=12, width=14)
SHAPE = (3, 12, 14)


class Late(nn.Module):
    """Two operations without a row behind two convolutions that can be had."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3)
        for conv in (self.conv1, self.conv2, self.conv3):
            nn.init.uniform_(conv.weight, -0.1, 0.1, generator=torch.Generator().manual_seed(1))
            nn.init.zeros_(conv.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv2(self.conv1(x).relu()).relu()
        return self.conv3(torch.cumsum(torch.erfinv(x / 99), 2)).relu()


def test_unknown_operations_are_marked_and_listed_all_at_once() -> None:
    """Tracing goes on; what lies before has projections; a layer behind is scanned, and says what stands in the way."""
    net = ls.trace(Late(), INPUT)
    assert [layer.name for layer in net.layers if not layer.scan_only] == [
        "conv1",
        "relu_1",
        "conv2",
        "relu_2",
        "div_1",
    ]
    refused = {node.name: node.refused for node in net.program.graph.nodes if node.refused}
    assert list(refused) == ["erfinv_1", "cumsum_1"] and "no row" in refused["erfinv_1"]
    behind = net["conv3"]
    assert '"erfinv_1" calls aten.erfinv' in behind.scan_only and behind.field.note
    x = np.random.default_rng(0).standard_normal((2, *INPUT.shape)).astype(np.float32)
    with torch.no_grad():
        expected = Late()(torch.from_numpy(x))
    np.testing.assert_allclose(np.maximum(net.activations(x, "conv3"), 0), expected, rtol=1e-4, atol=1e-6)
    with pytest.raises(UnknownOp, match=r'layer "conv3" has no projections: "erfinv_1" calls aten\.erfinv'):
        net.project(x, "conv3", image=[0], unit=[0], row=[0], col=[0])


def test_a_build_says_what_cannot_be_had(tmp_path) -> None:
    """`auto` takes all layers, those behind the unknown operations without projections; one sentence says so."""
    log = Log()
    with ls.build(ls.trace(Late(), INPUT), tmp_images(tmp_path), out=tmp_path / "a.atlas", progress=log) as atlas:
        assert [layer.name for layer in atlas.layers] == ["relu_1", "relu_2", "relu_3"]
        assert ["erfinv" in layer.scan_only for layer in atlas.layers] == [False, False, True]
    assert [("erfinv" in said, "1 of the 3 layers" in said) for said in log.said][:1] == [(True, True)]


def tmp_images(folder) -> list:
    from PIL import Image

    Image.new("RGB", (20, 20), (90, 20, 30)).save(folder / "a.png")
    return [folder / "a.png"]


class Shapes(nn.Module):
    """One call of a known operation in a form that its row declines."""

    def __init__(self, call) -> None:
        super().__init__()
        self.conv, self.call = nn.Conv2d(3, 4, 3), call

    def forward(self, x: Tensor) -> Tensor:
        return self.call(self.conv(x)).relu()


DECLINED = {
    "only flattening is known": lambda x: x.reshape(x.shape[0], 8, 5, 12),
    "moves numbers from one picture of a batch to another": lambda x: x.flip(0),
}


@pytest.mark.parametrize("reason", DECLINED)
def test_calls_that_a_row_cannot_speak_for_are_refused_with_the_reason(reason: str) -> None:
    """Better no picture than a wrong one: a known operation in an unknown form is marked too."""
    net = ls.trace(Shapes(DECLINED[reason]), INPUT)
    refused = [node.refused for node in net.program.graph.nodes if node.refused]
    assert any(reason in why for why in refused), refused
    assert [layer.name for layer in net.layers][:1] == ["conv"]


def test_two_inputs_are_refused() -> None:
    """More than one input is refused, and they are named, of a module and of an exported program."""

    class Two(nn.Module):
        def forward(self, picture: Tensor, mask: Tensor) -> Tensor:
            return picture * mask

    with pytest.raises(TraceError, match=r"Two takes 2 inputs \(picture, mask\)"):
        ls.trace(Two(), INPUT)
    example = torch.zeros(2, *SHAPE)
    with pytest.raises(TraceError, match=r"takes 2 inputs \(picture, mask\)"):
        ls.trace(torch.export.export(Two(), (example, example)), INPUT)


def test_a_model_that_cannot_be_exported_is_one_sentence() -> None:
    """A branch on a value: the class, the input and what torch.export needs, without a traceback in the message."""

    class Branches(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(TraceError) as error:
        ls.trace(Branches(), INPUT)
    said = str(error.value)
    assert said.startswith("Branches cannot be exported for an input of [3, 12, 14]: ")
    assert "\n" not in said and "decides by the values in a tensor" in said


def test_an_input_of_another_shape_is_refused() -> None:
    """A model whose layers do not fit the Input fails to export; an exported program's own shape is named."""
    with pytest.raises(TraceError, match="cannot be exported"):
        ls.trace(nn.Conv2d(1, 2, 3), INPUT)
    program = torch.export.export(nn.Conv2d(3, 2, 3), (torch.zeros(2, 3, 9, 9),))
    with pytest.raises(UsageError, match=re.escape("takes [3, 9, 9], but the Input says [3, 12, 14]")):
        ls.trace(program, INPUT)
    with pytest.raises(UsageError, match=re.escape("Conv2d does not say what it expects: input=ls.Input(")):
        ls.trace(nn.Conv2d(3, 2, 3))


class Normalised(nn.Module):
    """Local response normalisation as a module and as a function."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 3), nn.LocalResponseNorm(5, alpha=0.01, k=2.0)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x).relu())
        return functional.local_response_norm(x, 3, beta=0.5)


def test_local_response_normalisation_is_one_node() -> None:
    """Both forms are put together again with their own numbers, and compute what they did."""
    torch.manual_seed(0)
    model = Normalised().double()
    net = ls.trace(model, INPUT)
    nodes = [node for node in net.program.graph.nodes if node.op == "local_response_norm"]
    assert [node.name for node in nodes] == ["norm", "local_response_norm_1"]
    assert [node.args[key] for node in nodes for key in ("size", "alpha", "beta", "k")] == [
        *(5, 0.01, 0.75, 2.0),
        *(3, 1e-4, 0.5, 1.0),
    ]
    x = torch.randn(2, *SHAPE, dtype=torch.float64)
    last = net.layers[-1].name
    np.testing.assert_allclose(net.activations(x, last), model(x).detach().numpy(), rtol=1e-12)


def test_a_chain_that_only_looks_like_it_is_left_alone() -> None:
    """Of different values squared and divided, nothing is recognised: it is refused as what it is."""

    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = x.relu()
            mean = functional.avg_pool3d((y * y).unsqueeze(1), (3, 1, 1), 1, (1, 0, 0)).squeeze(1)
            return x / (mean * 0.1 + 1.0) ** 0.75

    graph = ls.trace(Odd(), INPUT).program.graph
    assert not any(node.op == "local_response_norm" for node in graph.nodes)
    assert graph.nodes[-1].refused or graph.behind[graph.nodes[-1].id]


@pytest.mark.parametrize("case", CASES[::5], ids=lambda case: case.name)
def test_the_users_model_is_left_as_it_was(case) -> None:
    """Its mode, weights, gradients and hooks stay, whatever is run afterwards; no warning is shown."""
    model = case.model().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced = trace_module(model, (case.channels, case.height, case.width))
    program = Program(traced.graph, traced.weights)
    program.run(torch.from_numpy(case.images(2)), {len(traced.graph.nodes) - 1})
    assert all(module.training for module in model.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks or module._backward_hooks for module in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_constants_before_a_map_are_constants() -> None:
    """`bias + x`, `bias - x` and `scale * x` are what they are the other way round, and no weight is written over."""
    torch.manual_seed(1)
    bias = torch.randn(1, 4, 1, 1)
    for call in (lambda x: bias + x, lambda x: bias - x, lambda x: bias * x):
        model = Shapes(call)
        net = ls.trace(model, INPUT)
        x = torch.randn(2, *SHAPE)
        for _ in range(2):
            np.testing.assert_allclose(
                net.activations(x, net.layers[-1].name), model(x).detach().numpy(), rtol=1e-5, atol=1e-6
            )


def test_a_model_in_any_precision_is_traced_in_its_own() -> None:
    """Half, single and double weights give activations of the same type."""
    for dtype in (torch.float16, torch.float32, torch.float64):
        net = ls.trace(nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU()).to(dtype), INPUT)
        assert net.activations(np.zeros((1, *SHAPE), np.float32), "1").dtype == str(dtype).removeprefix("torch.")
