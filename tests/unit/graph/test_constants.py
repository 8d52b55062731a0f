"""What has no path from the input is one weight: the numbers of the user's own module, made anew by a recipe."""

import pickle
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, parametrize, prune

from layerscope.graph import Program, Traced, trace_module
from tests.helpers.sweep import swept

SHAPE = (3, 9, 8)


class Turned(nn.Module):
    """A kernel kept as rows, columns, inputs, outputs, and turned in every run."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(3, 3, 3, 4))

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.kernel.permute(3, 2, 0, 1)).relu()


class Standardised(nn.Conv2d):
    """The kernel is normalised in every run."""

    def forward(self, x: Tensor) -> Tensor:
        deviation, mean = torch.std_mean(self.weight, (1, 2, 3), keepdim=True)
        return functional.conv2d(x, (self.weight - mean) / (deviation + 1e-5), self.bias).relu()


class Frozen(nn.Module):
    """A batch norm whose scale and shift are worked out from buffers in every run."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        for name, values in (("mean", torch.randn(4)), ("var", torch.rand(4) + 0.5), ("gain", torch.randn(4))):
            self.register_buffer(name, values)

    def forward(self, x: Tensor) -> Tensor:
        scale = (self.gain * (self.var + 1e-5).rsqrt()).reshape(1, -1, 1, 1)
        return (self.conv(x) * scale - self.mean.view(1, -1, 1, 1) * scale).relu()


class Prepared(nn.Module):
    """Pictures are normalised inside, with numbers that stand in the code and a buffer that no state dict holds."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.register_buffer("std", torch.tensor([0.5, 0.25, 2.0]), persistent=False)
        self.scale = nn.Parameter(torch.randn(4))

    def forward(self, x: Tensor) -> Tensor:
        x = (x - torch.tensor([0.1, 0.2, 0.3])[:, None, None]) / self.std[:, None, None]
        steps = torch.arange(4, dtype=x.dtype).reshape(4, 1, 1) + torch.ones(1, dtype=x.dtype)
        return self.conv(x).relu() * (self.scale[:, None, None] * steps)


def normed(norm: Callable[[nn.Module], nn.Module]) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch itself calls the older ones old
        return nn.Sequential(norm(nn.Conv2d(3, 4, 3)), nn.ReLU())


class Doubled(nn.Module):
    """A parametrization of a user's own."""

    def forward(self, weight: Tensor) -> Tensor:
        return weight * 2 + torch.eye(3, dtype=weight.dtype)


def own(conv: nn.Module) -> nn.Module:
    parametrize.register_parametrization(conv, "weight", Doubled())
    return conv


def masked(conv: nn.Module) -> nn.Module:
    return prune.l1_unstructured(conv, "weight", amount=0.5)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "weight norm": lambda: normed(parametrizations.weight_norm),
    "the older weight norm": lambda: normed(torch.nn.utils.weight_norm),
    "spectral norm": lambda: normed(parametrizations.spectral_norm),
    "the older spectral norm": lambda: normed(torch.nn.utils.spectral_norm),
    "a pruning mask": lambda: normed(masked),
    "a parametrization of one's own": lambda: normed(own),
    "a turned kernel": Turned,
    "a standardised kernel": lambda: Standardised(3, 4, 3),
    "frozen statistics": Frozen,
    "numbers of the code": Prepared,
}


@pytest.fixture(scope="module", params=swept(NETWORKS, 2))
def case(request: pytest.FixtureRequest) -> tuple[nn.Module, Traced]:
    """A network that makes constants in every run, and what tracing reads."""
    torch.manual_seed(3)
    model = NETWORKS[request.param]().double().eval()
    return model, trace_module(model, SHAPE)


def assert_same(model: nn.Module, traced: Traced, weights: dict[str, Tensor]) -> None:
    x = torch.randn(3, *SHAPE, dtype=torch.float64)
    with torch.no_grad():
        expected = model(x)
    (output,) = traced.graph.outputs
    torch.testing.assert_close(
        Program(traced.graph, weights).run(x, {output})[output], expected, rtol=1e-12, atol=1e-12
    )


def test_a_constant_is_a_weight(case: tuple[nn.Module, Traced]) -> None:
    """Nothing is refused, every node has a path from the input, and the output is the user's own."""
    model, traced = case
    assert not any(node.refused for node in traced.graph.nodes)
    assert all(node.sources for node in traced.graph.nodes[1:])
    assert_same(model, traced, traced.weights)


def test_a_recipe_makes_the_weights_of_other_numbers(case: tuple[nn.Module, Traced]) -> None:
    """A graph and its recipe, put away as bytes, are the same network with another state dict."""
    model, traced = case
    state = {name: value.clone() for name, value in model.state_dict().items()}
    graph, recipe = pickle.loads(pickle.dumps((traced.graph, traced.recipe)))
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point() and tensor is not getattr(model, "std", None):
                tensor.mul_(0.75)
    assert_same(model, Traced(graph, {}, recipe), recipe.weights(model.state_dict()))
    model.load_state_dict(state)


def test_a_constant_has_the_name_of_what_reads_it() -> None:
    """A made kernel is the layer's weight; where the state dict has that name already, it is told apart by number."""
    made, standardised = (trace_module(NETWORKS[name](), SHAPE) for name in ("weight norm", "a standardised kernel"))
    assert sorted(made.weights) == ["0.bias", "0.weight"]
    assert sorted(standardised.weights) == ["bias", "conv2d_1.weight"]

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = Standardised(3, 4, 3)
            self.again = nn.Conv2d(4, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.again(self.conv(x))

    assert set(trace_module(Both(), SHAPE).weights) == {
        *("conv.bias", "conv.conv2d_1.weight", "again.weight", "again.bias"),
    }


class Odd(nn.Module):
    """A convolution, then what a test gives it."""

    def __init__(self, call: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.last, self.call = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1), call
        self.register_buffer("runs", torch.zeros(1, 4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.call(self, self.conv(x).relu()))


def counted(self: nn.Module, x: Tensor) -> Tensor:
    self.runs += 1
    return x * self.runs


NO_CONSTANTS = {
    "drawn at random": (lambda self, x: x * torch.rand(1, 4, 1, 1), "draws random numbers"),
    "random for each number": (lambda self, x: functional.dropout(x, 0.5), "draws random numbers"),
    "changed by every run": (counted, 'reads "runs", which every run of the network changes'),
    "as long as the batch": (
        lambda self, x: x + torch.full((x.shape[0], 1, 1, 1), 2.0),
        "while the number of pictures",
    ),
    "a bias from the picture": (
        lambda self, x: functional.conv2d(x, self.last.weight, x.mean((0, 2, 3))),
        "first axis is not the batch",
    ),
    "a norm by a map": (
        lambda self, x: functional.batch_norm(x, self.runs.flatten(), x.relu()[0, :, 0, 0]),
        "first axis",
    ),
}


@pytest.mark.parametrize("kind", swept(NO_CONSTANTS, 2))
def test_what_is_no_constant_is_refused_with_the_reason(kind: str) -> None:
    """What a run may change is never folded: what lies before can be had, what lies behind cannot."""
    call, reason = NO_CONSTANTS[kind]
    graph = trace_module(Odd(call), SHAPE).graph
    names = {node.name: node for node in graph.nodes}
    assert not graph.behind[names["relu_1"].id] and graph.behind[names["last"].id]
    assert any(reason in node.refused for node in graph.nodes), [n.refused for n in graph.nodes]


def test_a_row_that_meets_a_map_in_a_weights_place_declines() -> None:
    """Whatever argument it is: a map stands only where one stands in a sample of the row."""

    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4, 3))

        def forward(self, x: Tensor) -> Tensor:
            return functional.linear(x.mean((2, 3)), self.weight, x.mean((2, 3)) @ self.weight.t())

    graph = trace_module(Shifted(), SHAPE).graph
    assert graph.nodes[-1].refused == 'it takes a map as its "bias", where only a constant is known'
