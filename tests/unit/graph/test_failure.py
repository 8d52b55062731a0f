"""A model that cannot be exported is told by the user's own line, the layer, and the cause in words."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from layerscope.core.errors import TraceError
from layerscope.graph import trace_module
from tests.helpers.sweep import swept

SHAPE = (3, 12, 14)


class Cannot(nn.Module):
    """A convolution, and a line that cannot be exported; it ends with the word HERE."""

    def __init__(self, line: Callable[[nn.Module, Any], Any]) -> None:
        super().__init__()
        self.conv, self.line = nn.Conv2d(3, 4, 3), line

    def forward(self, x: Any) -> Any:
        return self.line(self.conv, x)


def branches(conv: nn.Module, x: Tensor) -> Tensor:
    if x.max() > 1:  # HERE
        x = x / 255
    return conv(x)


def asserts(conv: nn.Module, x: Tensor) -> Tensor:
    x = conv(x)
    assert bool((x >= 0).all()), "want positive maps"  # HERE
    return x


def counts_positives(conv: nn.Module, x: Tensor) -> Tensor:
    return conv(x) * int((x > 0).sum())  # HERE


def leaves(conv: nn.Module, x: Tensor) -> Tensor:
    return torch.from_numpy(conv(x).detach().numpy().clip(0))  # HERE


def loops(conv: nn.Module, x: Tensor) -> Tensor:
    return torch.cat([conv(one[None]) for one in x])  # HERE


def unpacks(conv: nn.Module, x: Any) -> Tensor:
    left, right = x  # HERE
    return conv(left) - conv(right)


def looks_up(conv: nn.Module, x: Any) -> Tensor:
    return conv(x["image"])  # HERE


def takes_the_first(conv: nn.Module, x: Any) -> Tensor:
    return conv(x[0]["image"])  # HERE


def seven(conv: nn.Module, x: Tensor) -> Tensor:
    return conv(x).view(7, -1)  # HERE


def a_whole_number(conv: nn.Module, x: Tensor) -> Tensor:
    return conv(x).view(int(x.shape[0]), -1)  # HERE


def small_batches(conv: nn.Module, x: Tensor) -> Tensor:
    if x.shape[0] > 64:  # HERE
        return conv(x[:64])
    return conv(x)


def complains(conv: nn.Module, x: Tensor) -> Tensor:
    raise ValueError("want pictures of 32 x 32 px")  # HERE


LINES: dict[Callable[[nn.Module, Any], Any], str] = {
    branches: "decides by the values",
    asserts: "decides by the values",
    counts_positives: "makes a Python number of them",
    leaves: "leaves torch for NumPy",
    loops: "works picture by picture",
    unpacks: "wants a list of tensors",
    looks_up: "takes its input for a dictionary or a list",
    takes_the_first: "takes its input for a dictionary or a list",
    seven: "holds for one number of pictures only",
    a_whole_number: "holds for one number of pictures only",
    small_batches: "holds for one number of pictures only",
    complains: "ValueError: want pictures of 32 x 32 px",
}


def message(model: nn.Module) -> str:
    with pytest.raises(TraceError) as error:
        trace_module(model, SHAPE)
    return str(error.value)


@pytest.mark.parametrize("function", swept(LINES, 2), ids=lambda function: function.__name__)
def test_the_users_line_and_the_cause_are_named(function: Callable[[nn.Module, Any], Any]) -> None:
    """File, number and text of the line, in one sentence, and none of torch's symbols."""
    said = message(Cannot(function))
    lines, first = inspect.getsourcelines(function)
    place = next(index for index, text in enumerate(lines) if "HERE" in text)
    assert said.startswith("Cannot cannot be exported for an input of [3, 12, 14]: ")
    assert f"line {first + place} of " in said and "test_failure.py" in said and lines[place].strip() in said
    assert LINES[function] in said
    assert "\n" not in said and not re.search(r"\bs\d+\b|\bu\d+\b|TORCH_LOGS|\x1b|FakeTensor|torch\.export", said)


LAYERS: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "another number of channels": (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(5, 2, 3)),
        r'layer "1" \(Conv2d\): .*another number of channels',
    ),
    "another size": (
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(100, 2)),
        r'layer "1" \(Linear\): .*another number of values than an input of this height and width',
    ),
    "too small": (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 13)), 'layer "1".*too small'),
    "signals": (lambda: nn.Sequential(nn.Conv1d(3, 4, 3)), 'layer "0".*one- and three-dimensional networks'),
    "volumes": (lambda: nn.Sequential(nn.ReLU(), nn.Conv3d(1, 4, 3)), 'layer "1".*one- and three-dimensional networks'),
    "two types": (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 3).double()), 'layer "1".*types are mixed'),
}


@pytest.mark.parametrize("kind", swept(LAYERS, 2))
def test_where_no_line_is_the_users_the_layer_is_named(kind: str) -> None:
    """A network of torch's own modules has no line of the user's: the layer's path and class are said."""
    build, said = LAYERS[kind]
    assert re.search(said, message(build())), message(build())


def test_values_of_the_code_may_decide() -> None:
    """A branch on numbers that the code itself writes is the same for every picture: it opens."""

    class Normalises(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            std = torch.tensor([0.5, 0.25, 2.0])
            if (std == 0).any():
                raise ValueError("std is zero")
            return x / std.view(3, 1, 1)

    assert [node.op for node in trace_module(Normalises(), SHAPE).graph.nodes] == ["input", "div"]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("[enforce fail at alloc.cpp] can't allocate memory")])
def test_short_memory_is_no_fault_of_the_network(error: Exception) -> None:
    """Copying or exporting a module, at the first way or a further one: what to do is said, not what to write."""

    class Short(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            raise error

    class ShortLater(Short):
        def forward(self, x: Tensor) -> Tensor:
            if torch.is_grad_enabled():
                raise error
            raise RuntimeError("element 0 does not require gradient")

    class ShortBefore(Short):
        def __deepcopy__(self, memo: object) -> nn.Module:
            raise error

    advice = "free some, or ask for less, and run the same command again"
    for model, doing in ((Short(), "exporting"), (ShortLater(), "exporting"), (ShortBefore(), "copying")):
        with pytest.raises(TraceError) as caught:
            trace_module(model, (3, 12, 14))
        assert str(caught.value) == f"out of memory ({doing} {type(model).__name__}): {advice}"
