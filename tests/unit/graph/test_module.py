"""Whatever a user's module has been through, the network in it opens; what cannot be opened is said in one sentence."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from layerscope.core.errors import TraceError
from layerscope.graph import Program, Traced, trace_module

SHAPE = (3, 9, 8)


def plain() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3)).double().eval()


def names(traced: Traced) -> list[str]:
    return [node.name for node in traced.graph.nodes]


def output(traced: Traced, x: Tensor) -> Tensor:
    (last,) = traced.graph.outputs
    return Program(traced.graph, traced.weights).run(x, {last})[last]


class Around(nn.Module):
    """A wrapper of one's own, called with whatever comes."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner


class Starred(Around):
    def forward(self, *inputs: Tensor, **options: Any) -> Tensor:
        return self.inner(*inputs, **options)


class ByKeyword(Around):
    def forward(self, *, picture: Tensor) -> Tensor:
        return self.inner(picture)


class WithFlags(Around):
    def forward(self, x: Tensor, targets: Any = None, *others: Any, deep: bool = True, **unused: Any) -> Tensor:
        return self.inner(x) if deep and targets is None and not others else x


class Called(Around):
    """As Keras writes its layers: forward takes anything, and hands it to a method of its own."""

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        return self.call(*args, **kwargs)

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return self.inner(inputs)


OUTER: tuple[Callable[[nn.Module], nn.Module], ...] = (
    nn.DataParallel,
    AveragedModel,
    lambda model: torch.compile(model, backend="eager"),
    lambda model: nn.DataParallel(AveragedModel(model)),
)


@pytest.mark.parametrize("place", range(len(OUTER)))
def test_a_wrapper_for_devices_averages_or_compiling_is_taken_off(place: int) -> None:
    """The network inside is what opens: its names and numbers are those that it has alone."""
    x, alone = torch.randn(2, *SHAPE, dtype=torch.float64), trace_module(plain(), SHAPE)
    traced = trace_module(OUTER[place](plain()), SHAPE)
    assert traced.graph == alone.graph
    torch.testing.assert_close(output(traced, x), output(alone, x))


@pytest.mark.parametrize("kind", [Starred, ByKeyword, WithFlags, Called])
def test_a_forward_may_take_its_picture_in_any_way(kind: type[Around]) -> None:
    """Stars, keywords and defaults: the first argument is the batch, all others have their defaults."""
    x, inner = torch.randn(2, *SHAPE, dtype=torch.float64), plain()
    traced = trace_module(kind(inner), SHAPE)
    assert names(traced) == ["input", "inner.0", "inner.1", "inner.2"]
    with torch.no_grad():
        torch.testing.assert_close(output(traced, x), inner(x))


def test_wrappers_inside_keep_their_names() -> None:
    """A part that is wrapped by itself opens where it is."""
    model = nn.Sequential(nn.DataParallel(plain()), nn.ReLU())
    assert names(trace_module(model, SHAPE)) == ["input", "0.module.0", "0.module.1", "0.module.2", "1"]


class Keeps(nn.Module):
    """A network that keeps what it saw: in an attribute, a dictionary, an object and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 3)
        self.seen: Any = None
        self.cache: dict[str, list[Tensor]] = {}
        self.state = SimpleNamespace(maps=None)
        self.register_buffer("activity", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        self.seen = x = self.conv(x).relu()
        self.cache["maps"] = [x]
        self.state.maps = (x, x * 2)
        return self.last(x)


def test_a_network_that_was_trained_first_opens_as_before() -> None:
    """Results of an earlier run, leaves of no graph, are no part of the network and stay as they are."""
    model, x = Keeps().double(), torch.randn(2, *SHAPE, dtype=torch.float64)
    fresh = trace_module(model, SHAPE)
    model(x).sum().backward()
    model.activity = model.seen.mean((0, 2, 3))
    held, cached = model.seen, model.cache["maps"][0]
    traced = trace_module(model, SHAPE)
    assert traced.graph == fresh.graph
    assert model.seen is held and model.cache["maps"][0] is cached and held.grad_fn is not None
    torch.testing.assert_close(output(traced, x), model.eval()(x).detach())


def test_what_cannot_be_copied_is_named() -> None:
    """The attribute that holds a lock, say, is named with what to do; the model stays as it was."""
    model = plain()
    model[2].guard = threading.Lock()
    with pytest.raises(TraceError, match=r'its attribute "2\.guard" \(lock\) cannot .*del model\.2\.guard'):
        trace_module(model, SHAPE)


def test_hooks_of_other_tools_are_left_out_and_told() -> None:
    """They are not called while tracing; torch's own, which make weights, stay, and so do hooks before a module."""
    seen: list[Any] = []

    def collect(module: nn.Module, inputs: Any, out: Tensor) -> None:
        seen.append(out.detach().numpy())

    def halve(module: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        return (inputs[0] / 2,)

    model = plain()
    model[0].register_forward_hook(collect)
    model[1].register_full_backward_hook(lambda *_: seen.append(1))
    model[2].register_forward_pre_hook(halve)
    traced = trace_module(model, SHAPE)
    assert not seen and len(model[0]._forward_hooks) == len(model[1]._backward_hooks) == 1
    (remark,) = traced.left_out
    assert remark.startswith("0: ") and "collect" in remark and "test_module.py" in remark
    with torch.no_grad():
        x = torch.randn(2, *SHAPE, dtype=torch.float64)
        torch.testing.assert_close(output(traced, x), model(x))


def test_a_forward_that_asks_for_gradients_opens() -> None:
    """A hook on a tensor, or a gradient kept, does nothing to the values."""

    class Saves(Around):
        def forward(self, x: Tensor) -> Tensor:
            x = self.inner(x)
            x.register_hook(lambda gradient: None)
            x.retain_grad()
            return x * 2

    x, model = torch.randn(2, *SHAPE, dtype=torch.float64), Saves(plain())
    traced = trace_module(model, SHAPE)
    assert [node.op for node in traced.graph.nodes] == ["input", "conv2d", "relu", "conv2d", "mul"]
    torch.testing.assert_close(output(traced, x), model(x).detach())


class Left(Around):
    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.inner(left) - self.inner(right)


class Nothing(nn.Module):
    def forward(self) -> Tensor:
        return torch.zeros(1)


class Elsewhere(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2, 5))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * 2


REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "two inputs": (lambda: Left(plain()), r'takes 2 inputs \(left, right\).*such as its "inner"'),
    "no input": (Nothing, "takes no picture"),
    "no forward": (lambda: nn.ModuleList([plain()]), "has no forward"),
    "scripted": (lambda: torch.jit.script(plain()), "is TorchScript.*give the Python module"),
    "a scripted part": (lambda: nn.Sequential(torch.jit.script(plain())), 'its part "0" is TorchScript'),
    "an output without the picture": (Elsewhere, "nothing that the model returns depends on the picture"),
}


@pytest.mark.filterwarnings("ignore:.*torch.jit.*")
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_network_of_one_picture_is_one_sentence(kind: str) -> None:
    """It says what was given and what to give instead."""
    build, said = REFUSED[kind]
    with pytest.raises(TraceError, match=said) as error:
        trace_module(build(), SHAPE)
    assert "\n" not in str(error.value)
