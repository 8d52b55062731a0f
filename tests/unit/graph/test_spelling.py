"""However a program spells its operations, it is the same network; what is another operation is left alone."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram, export
from torch.nn import functional

import layerscope as ls
from layerscope.core.errors import TraceError
from layerscope.graph import Program, read_program, trace_module
from tests.helpers.sweep import swept

SHAPE = (3, 18, 20)


def network() -> nn.Sequential:
    torch.manual_seed(2)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, 2), nn.BatchNorm2d(4), nn.ReLU6(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, padding="same"),
        nn.LeakyReLU(), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(6, 5),
        nn.ReLU(), nn.Linear(5, 2, bias=False),
    )  # fmt: skip
    return model.double().eval()


def program(**free: Dim) -> ExportedProgram:
    example = torch.zeros(2, *SHAPE, dtype=torch.float64)
    shapes = {0: Dim("batch", min=1)} | {{"height": 2, "width": 3}[name]: dim for name, dim in free.items()}
    return export(network(), (example,), dynamic_shapes=(shapes,))


def test_a_program_in_core_aten_is_the_same_network() -> None:
    """Names, kinds, fields and values are those of the module, though every layer is spelt otherwise."""
    model, x = network(), torch.randn(3, *SHAPE, dtype=torch.float64)
    traced, direct = read_program(program().run_decompositions()), trace_module(model, SHAPE)
    spelt = [(n.name, n.module, n.shape, n.refused) for n in traced.graph.nodes]
    assert spelt == [(n.name, n.module, n.shape, "") for n in direct.graph.nodes]
    assert set(traced.weights) == set(direct.weights)
    (last,) = traced.graph.outputs
    with torch.no_grad():
        torch.testing.assert_close(Program(traced.graph, traced.weights).run(x, {last})[last], model(x))


def test_a_program_of_free_height_and_width_takes_the_inputs_of_the_network() -> None:
    """A size that was left free is the Input's; one beyond what the program was exported for is refused."""
    free = program(height=Dim("height", min=18, max=40), width=Dim("width", min=18, max=40))
    net = ls.trace(free, ls.Input(channels=3, height=26, width=22))
    assert net.program.graph.nodes[0].shape == (3, 26, 22) and net["12"].units == 2
    with pytest.raises(TraceError, match=r"cannot be used for an input of \[3, 50, 22\].*it takes \[3, 'any', 'any'\]"):
        ls.trace(free, ls.Input(channels=3, height=50, width=22))


class One(nn.Module):
    """A convolution and one function."""

    def __init__(self, call: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.call = nn.Conv2d(3, 4, 3), call

    def forward(self, x: Tensor) -> Tensor:
        return self.call(self.conv(x))


SPELT: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "clamp(min=0)": (lambda x: x.clamp(min=0), "relu"),
    "clamp_min(0)": (lambda x: x.clamp_min(0), "relu"),
    "clip(0, 6)": (lambda x: x.clip(0, 6), "hardtanh"),
    "clip(-1, 6)": (lambda x: x.clip(-1, 6), "clamp"),
    "clamp(0, 0)": (lambda x: x.clamp(0, 0), "clamp"),
    "hardtanh": (lambda x: functional.hardtanh(x), "clamp"),
    "rrelu in evaluation": (lambda x: functional.rrelu(x), "leaky_relu"),
    "negative": (lambda x: -x, "mul"),
    "square": (lambda x: torch.square(x), "pow"),
    "x * sigmoid(x)": (lambda x: x * torch.sigmoid(x), "silu"),
    "hardsigmoid(x) * x": (lambda x: functional.hardsigmoid(x) * x, "hardswish"),
    "relu6(x + 3) / 6": (lambda x: functional.relu6(x + 3) / 6, "hardsigmoid"),
    "x * relu6(x + 3) / 6": (lambda x: x * functional.relu6(x + 3) / 6, "hardswish"),
    "x * (relu6(x + 3) / 6)": (lambda x: x * (functional.relu6(x + 3) / 6), "hardswish"),
    "x * tanh(softplus(x))": (lambda x: x * torch.tanh(functional.softplus(x)), "mish"),
    "softsign": (lambda x: functional.softsign(x), "softsign"),
    "x * (x > 0)": (lambda x: x * (x > 0), "relu"),
    "where(x > 0, x, 0)": (lambda x: torch.where(x > 0, x, torch.zeros_like(x)), "relu"),
    "where(x > 0, x, 0.0)": (lambda x: torch.where(x > 0, x, 0.0), "relu"),
    "where(x > 0, x, x / 10)": (lambda x: torch.where(x > 0, x, 0.1 * x), "leaky_relu"),
    "x * x": (lambda x: x * x, "product"),
    "constant pad": (lambda x: functional.pad(x, (1, 2, 0, 1), value=0.5), "pad"),
    "maximum(x, 0)": (lambda x: torch.maximum(x, torch.zeros_like(x)), "relu"),
    "maximum(0, x)": (lambda x: torch.maximum(torch.zeros_like(x), x), "relu"),
    "concat": (lambda x: torch.concat([x, x], 1), "cat"),
    "multiply": (lambda x: torch.multiply(x, 2.5), "mul"),
    "subtract": (lambda x: torch.subtract(x, 2, alpha=3), "sub"),
    "divide": (lambda x: torch.divide(x, 4), "div"),
    "float() of float": (lambda x: x.double().relu(), "relu"),
    "max pool with its places unread": (
        lambda x: functional.max_pool2d(x, 2, return_indices=True)[0],
        "max_pool2d",
    ),
}


@pytest.mark.parametrize("spelling", swept(SPELT, 6))
def test_other_spellings_of_known_operations_open(spelling: str) -> None:
    """Each is its row, and gives the number that torch gives."""
    call, row = SPELT[spelling]
    torch.manual_seed(0)
    model, x = One(call).double(), torch.randn(2, *SHAPE, dtype=torch.float64) * 9
    traced = trace_module(model, SHAPE)
    assert [node.op for node in traced.graph.nodes] == ["input", "conv2d", row]
    with torch.no_grad():
        torch.testing.assert_close(Program(traced.graph, traced.weights).run(x, {2})[2], model(x))


def _written(over: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda x: over(torch.cat([x, x.relu()], 1))


def _whole(x: Tensor) -> Tensor:
    """As GhostNet adds its shortcut: to a slice that is all of the map."""
    x = x[:, :8]
    x += 1.5
    return x


def _some(x: Tensor) -> Tensor:
    """Python writes twice: what is multiplied in place, and once more what that gave."""
    x[:, 2:-3] *= 2
    return x


def _first_and_last(x: Tensor) -> Tensor:
    x[:, 0] = x[:, 0] / 2
    x[:, -1] = x[:, 1]
    return x


def _nothing(x: Tensor) -> Tensor:
    x[:, 2:2] = x[:, 3:3] + 1
    return x.relu()


WRITTEN = {
    "the whole": (_whole, 0),
    "some channels": (_some, 2),
    "first and last channel": (_first_and_last, 2),
    "none": (_nothing, 0),
}


@pytest.mark.parametrize("kind", swept(WRITTEN, 2))
def test_channels_that_are_written_over_are_joined_to_the_others(kind: str) -> None:
    """A map of which some was written over is what was left and what was written, side by side."""
    over, joined = WRITTEN[kind]
    torch.manual_seed(0)
    model, x = One(_written(over)).double(), torch.randn(2, *SHAPE, dtype=torch.float64)
    traced = trace_module(model, SHAPE)
    (last,) = traced.graph.outputs
    assert not any(node.refused for node in traced.graph.nodes)
    assert [node.op for node in traced.graph.nodes].count("cat") == 1 + joined
    with torch.no_grad():
        torch.testing.assert_close(Program(traced.graph, traced.weights).run(x, {last})[last], model(x))


PILES: dict[str, tuple[Callable[[Tensor], Tensor], list[str]]] = {
    "the sum": (lambda x: torch.stack([x, x.relu(), 2 * x]).sum(dim=0), ["add", "add"]),
    "the mean": (lambda x: torch.stack([x, x.relu(), 2 * x]).mean(0), ["add", "add", "div"]),
    "the largest": (lambda x: torch.stack((x, x.relu() - 0.3), dim=-5).amax(-5), ["maximum"]),
}


@pytest.mark.parametrize("kind", PILES)
def test_maps_that_are_piled_up_to_be_merged_are_merged_one_by_one(kind: str) -> None:
    """As feature pyramids sum their levels; a pile that is read otherwise, too, stays one."""
    merge, ops = PILES[kind]
    torch.manual_seed(0)
    model, x = One(merge).double(), torch.randn(2, *SHAPE, dtype=torch.float64)
    traced = trace_module(model, SHAPE)
    (last,) = traced.graph.outputs
    assert not any(node.refused for node in traced.graph.nodes)
    assert [node.op for node in traced.graph.nodes if node.op in ("add", "div", "maximum")] == ops
    with torch.no_grad():
        torch.testing.assert_close(Program(traced.graph, traced.weights).run(x, {last})[last], model(x))
    twice = trace_module(One(lambda x: torch.stack([x, -x]).sum(0) + torch.stack([x, x], 0)[1:].sum(0)), SHAPE)
    assert any(node.refused for node in twice.graph.nodes)


OTHER: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "clamp by a map": (lambda x: x.clamp(min=x / 2), "aten.clamp"),
    "places of the maxima": (
        lambda x: x + functional.max_pool2d(x, 3, 1, 1, return_indices=True)[1],
        "max_pool2d_with",
    ),
    "a change of type": (lambda x: x.half().relu(), "aten._to_copy"),
    "the middle of an axis": (lambda x: x.median(1, keepdim=True)[0], "aten.median"),
}


@pytest.mark.parametrize("kind", swept(OTHER, 3))
def test_what_is_another_operation_is_refused_by_its_own_name(kind: str) -> None:
    """Calls with several outputs are told by the call; no private word of torch or Python is shown."""
    call, name = OTHER[kind]
    graph = trace_module(One(call), SHAPE).graph
    refused = [node for node in graph.nodes if node.refused]
    assert any(name in node.op for node in refused) and graph.behind[graph.outputs[-1]]
    assert not any(word in f"{n.op} {n.name} {n.refused}" for n in refused for word in ("getitem", "<built-in", "None"))


REASONS: dict[str, tuple[nn.Module, str]] = {
    "batch norm without statistics": (nn.BatchNorm2d(4, track_running_stats=False), "mean and variance of the very"),
    "dropout that is on": (nn.Dropout2d().train(), "dropout that is on in evaluation too"),
}


@pytest.mark.parametrize("kind", swept(REASONS, 2))
def test_the_true_reason_is_said(kind: str) -> None:
    """What a known operation does, and not that a row is missing."""
    module, reason = REASONS[kind]
    call = (lambda x: functional.dropout2d(x)) if "dropout" in kind else module
    refused = [node.refused for node in trace_module(One(call), SHAPE).graph.nodes if node.refused]
    assert any(reason in why for why in refused), refused


def test_a_normalisation_over_other_windows_is_not_taken_for_the_known_one() -> None:
    """Uneven padding, a step, or pictures folded together make another operation than local response norm."""

    class Windowed(nn.Module):
        def __init__(self, pad: tuple[int, ...], fold: bool = False) -> None:
            super().__init__()
            self.pad, self.fold = pad, fold

        def forward(self, x: Tensor) -> Tensor:
            shape = (1, x.shape[0] * x.shape[1]) if self.fold else (x.shape[0], 1, x.shape[1])
            square = (x * x).view(*shape[:1], 1, shape[-1], *x.shape[2:])
            mean = functional.avg_pool3d(functional.pad(square, self.pad), (3, 1, 1), stride=1).squeeze(1)
            return x / (mean.view(x.shape) * 0.1 + 1.0) ** 0.75

    def ops(*arguments: object) -> list[str]:
        return [node.op for node in trace_module(Windowed(*arguments), SHAPE).graph.nodes]  # type: ignore[arg-type]

    assert ops((0, 0, 0, 0, 1, 1)) == ["input", "local_response_norm"]
    assert "local_response_norm" not in ops((0, 0, 0, 0, 2, 0))
    assert "local_response_norm" not in ops((0, 0, 0, 0, 1, 1), True)
