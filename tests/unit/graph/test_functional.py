"""Our own short way to a program without side effects, held to torch's: the same calls, the same weights."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

import layerscope as ls
from layerscope.graph.export import exported
from layerscope.graph.functional import SHARING, functional
from layerscope.graph.graph import Graph
from layerscope.graph.ops import OPERATIONS
from layerscope.graph.ops.calls import BatchSize, NodeInput, Sample
from layerscope.graph.trace import Traced, read_functional, read_program
from layerscope.testing.slow import slow_paths
from tests.helpers.networks import CASES, Case
from tests.helpers.sweep import swept

SHAPE = (3, 12, 14)
# Of the table's operations torch itself takes these apart; the table reads them whole.
READ_WHOLE = {"aten.hardshrink.default", "aten.softshrink.default"}


def both_ways(model: nn.Module, shape: tuple[int, int, int]) -> tuple[Traced, Traced]:
    program = exported(model.eval(), shape)
    theirs = read_program(program)
    assert functional(program), "a call of it is not known"
    return theirs, read_functional(program)


def assert_same(theirs: Traced, ours: Traced) -> None:
    assert _nameless(ours.graph) == _nameless(theirs.graph)
    assert ours.graph.outputs == theirs.graph.outputs and ours.returned == theirs.returned
    assert list(ours.weights) == list(theirs.weights)
    for name, weight in theirs.weights.items():
        assert torch.equal(ours.weights[name], weight)


def _nameless(graph: Graph) -> list[Any]:
    """torch's way names a view after the module that reads it, ours after the one that makes it."""
    return [replace(node, name="", module="", classes=(), calls=()) for node in graph.nodes]


class Calls(nn.Module):
    """A convolution, and what a function makes of it."""

    def __init__(self, call: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.conv, self.call = nn.Conv2d(3, 4, 3), call
        nn.init.normal_(self.conv.weight, generator=torch.Generator().manual_seed(3))

    def forward(self, x: Tensor) -> Any:
        return self.call(self.conv(x))


def in_turn(x: Tensor) -> Tensor:
    """In place after in place, and read between."""
    y = x.relu_()
    z = y + x.mul_(2)
    return torch.cat([z, x, F.hardtanh_(y, 0.0, 3.0)], 1)


def added(x: Tensor) -> Tensor:
    y = x * 2
    y += x
    y -= 0.5
    return y.sigmoid_() + x


KNOWN: dict[str, Callable[[Tensor], Any]] = {
    "in turn": in_turn,
    "added": added,
    "dropout": lambda x: F.dropout(x, 0.5, training=False).relu(),
    "dropout in place": lambda x: F.dropout(x, 0.5, training=False, inplace=True).abs(),
    "flattened": lambda x: x.flatten(1).relu(),
    "flattened twice": lambda x: x.flatten(1).flatten(1).relu(),
    "flattened in part": lambda x: x.flatten(2).mean(2).relu(),
    "reshaped": lambda x: x.permute(0, 2, 3, 1).reshape(x.shape[0], -1).relu(),
    "shuffled": lambda x: (
        x.view(x.shape[0], 2, 2, 10, 12).transpose(1, 2).contiguous().view(x.shape[0], 4, 10, 12).relu()
    ),
    "chunks": lambda x: torch.cat([part.relu() for part in x.chunk(3, 1)], 1),
    "stacked": lambda x: torch.stack([x, x.relu()], 1).sum(1),
    "as large as": lambda x: x * x.mean((2, 3), keepdim=True).sigmoid().expand_as(x),
    "spelt otherwise": lambda x: (1 - x).clamp(-1, 2).clamp_min(-0.5) - F.pad(-x, [1, 1, 1, 1])[:, :, 1:-1, 1:-1],
    "two results": lambda x: {"a": x.relu_(), "b": [x + 1]},
}


@pytest.mark.parametrize("name", swept(KNOWN, 4))
def test_a_call_is_what_torch_makes_of_it(name: str) -> None:
    """Operations, order, arguments, shapes, outputs and weights."""
    assert_same(*both_ways(Calls(KNOWN[name]), SHAPE))


def written_beside_a_view(x: Tensor) -> Tensor:
    seen = x[:, :2]
    x.mul_(2)
    return seen.relu()


def written_through_a_view(x: Tensor) -> Tensor:
    x[:, :2].mul_(2)
    return x.relu()


def written_behind_dropout(x: Tensor) -> Tensor:
    y = F.dropout(x, 0.5, training=False)
    y.mul_(2)
    return x.relu()


def written_beside_a_view_of_what_was_written(x: Tensor) -> Tensor:
    seen = x.relu_()[:, :, 1:]
    x.mul_(2)
    return seen.abs()


def by_the_number_of_pictures(x: Tensor) -> Tensor:
    y = x * 2
    y.mul_(x.shape[0])
    return y / x.shape[0]


UNKNOWN = [
    written_beside_a_view, written_through_a_view, written_behind_dropout, written_beside_a_view_of_what_was_written,
    lambda x: torch.erfinv(x.sigmoid()),
]  # fmt: skip


@pytest.mark.parametrize("call", UNKNOWN, ids=lambda call: call.__name__)
@pytest.mark.thin(2)
def test_where_memory_is_shared_torch_s_own_way_is_gone(call: Callable[[Tensor], Tensor]) -> None:
    """The program is left as it was, and what is read of it gives the numbers of the network."""
    model = Calls(call).eval()
    program = exported(model, SHAPE)
    before = str(program.graph)
    assert not functional(program) and str(program.graph) == before
    net = ls.trace(model, ls.Input(channels=3, height=12, width=14))
    x = np.random.default_rng(0).standard_normal((2, *SHAPE)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(x)).numpy()
    with slow_paths("joined calls"):  # erfinv near 1 makes a hundredth of the last digit
        found = net.activations(x, net.layers[-1].name)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


class Samples(nn.Module):
    """Calls the samples of the table, each on tensors that depend on the picture."""

    def __init__(self, samples: list[Sample]) -> None:
        super().__init__()
        self.samples = samples
        for place, sample in enumerate(samples):
            for index, tensor in enumerate(sample.inputs):
                self.register_buffer(f"given_{place}_{index}", tensor)

    def forward(self, x: Tensor) -> list[Any]:
        def filled(value: Any, place: int) -> Any:
            if isinstance(value, NodeInput):
                return self.get_buffer(f"given_{place}_{value.index}") + x.mean()
            if isinstance(value, BatchSize):
                return value.times * 2
            return [filled(one, place) for one in value] if isinstance(value, tuple | list) else value

        return [_called(s.target, [filled(a, place) for a in s.args]) for place, s in enumerate(self.samples)]


def _called(target: Any, values: list[Any]) -> Any:
    arguments = target._schema.arguments
    plain = [value for value, argument in zip(values, arguments, strict=False) if not argument.kwarg_only]
    named = {a.name: value for value, a in zip(values, arguments, strict=False) if a.kwarg_only}
    return target(*plain, **named)


@pytest.mark.wide
def test_torch_leaves_the_calls_of_the_table_whole() -> None:
    """What our way takes as it is, torch's way leaves as it is: every sample of every row."""
    samples = [s for row in OPERATIONS for s in row.samples() if str(s.target) not in READ_WHOLE]
    program = torch.export.export(Samples(samples), (torch.zeros(2, 3, 4, 4, dtype=torch.float64),))
    theirs = {str(fx.target) for fx in program.run_decompositions({}).graph.nodes if fx.op == "call_function"}
    wanted = {str(s.target) for s in samples} - {"aten.reshape.default"}
    assert wanted <= theirs


# Local response normalisation is many calls, which torch takes apart.
SMALL = [case for case in CASES if case.name != "response normalisation"]


def test_a_size_in_a_call_in_place_is_no_tensor() -> None:
    """It is torch's own way that is gone there, not a traceback."""
    program = exported(Calls(by_the_number_of_pictures).eval(), SHAPE)
    assert not functional(program)


def test_what_shares_memory_is_known() -> None:
    """No call of the table gives back memory that it was given, but those that are named for it."""
    for row in OPERATIONS:
        for sample in row.samples():
            if not str(sample.target).startswith("aten."):
                continue  # ours: no exported program calls it
            filled = [sample.inputs[a.index] if isinstance(a, NodeInput) else a for a in sample.args]
            if any(isinstance(value, tuple | list | BatchSize) and "NodeInput" in repr(value) for value in filled):
                continue  # joined maps are new ones
            filled = [_sized(value) for value in filled]
            made = _called(sample.target, filled)
            first = made[0] if isinstance(made, tuple | list) else made
            shared = {t.untyped_storage().data_ptr() for t in sample.inputs} & {first.untyped_storage().data_ptr()}
            viewed = any(result.alias_info is not None for result in sample.target._schema.returns)
            assert not shared or viewed or sample.target in SHARING, sample.target


def _sized(value: Any) -> Any:
    if isinstance(value, BatchSize):
        return value.times * 2
    return [_sized(one) for one in value] if isinstance(value, tuple | list) else value


@pytest.mark.wide
@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_small_networks_read_both_ways_are_the_same(case: Case) -> None:
    """All of the small networks of the laws, but one."""
    assert_same(*both_ways(case.model(), (case.channels, case.height, case.width)))


@pytest.mark.wide
@pytest.mark.parametrize(
    "name", ["resnet18", "shufflenet_v2_x0_5", "mobilenet_v3_small", "efficientnet_b0", "densenet121", "googlenet"]
)
def test_networks_read_both_ways_are_the_same(name: str) -> None:
    """Networks of torchvision."""
    assert_same(*both_ways(models.get_model(name, weights=None), (3, 64, 64)))
