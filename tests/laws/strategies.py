"""Small random networks and their inputs, drawn from everything the operation table covers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from hypothesis import Phase, settings
from hypothesis import strategies as st
from jaxtyping import Float64
from torch import Tensor, nn
from torch.nn import functional

from tests.helpers.networks import randomise

# Tracing takes a good part of a second: a fifth of the examples that the profile gives to cheaper laws, and no
# shrinking, which would trace some hundred networks more; what is drawn is small enough to be read.
FEW = settings(max_examples=max(1, settings().max_examples // 5), phases=(Phase.explicit, Phase.generate))


class Called(nn.Module):
    """A function in the place of a module; `label` is what a failing example prints."""

    def __init__(self, function: Callable[[Tensor], Tensor], label: str) -> None:
        super().__init__()
        self.function, self.label = function, label

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)

    def extra_repr(self) -> str:
        return self.label


class Sum(nn.Module):
    """body(x) + shortcut(x), or their difference."""

    def __init__(self, body: nn.Module, shortcut: nn.Module, sign: str) -> None:
        super().__init__()
        self.body, self.shortcut, self.sign = body, shortcut, sign

    def forward(self, x: Tensor) -> Tensor:
        out = self.body(x)
        if self.sign == "+=":
            out += self.shortcut(x)
            return out
        return out + self.shortcut(x) if self.sign == "+" else out - self.shortcut(x)

    def extra_repr(self) -> str:
        return f"sign={self.sign!r}"


class Join(nn.Module):
    """Branches concatenated along the channels."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


RECTIFIERS: tuple[Callable[[], nn.Module], ...] = (
    nn.ReLU,
    partial(nn.ReLU, inplace=True),
    lambda: Called(functional.relu, "relu"),
    lambda: Called(torch.relu_, "relu_"),
    lambda: Called(Tensor.relu, "Tensor.relu"),
    nn.ReLU6,
    lambda: Called(partial(functional.relu6, inplace=True), "relu6, in place"),
    lambda: Called(partial(functional.hardtanh, min_val=0.0, max_val=6.0), "hardtanh 0..6"),
    partial(nn.LeakyReLU, 0.1),
    partial(nn.LeakyReLU, 0.3, inplace=True),
    lambda: Called(partial(functional.leaky_relu, negative_slope=0.2), "leaky_relu 0.2"),
)


SMOOTH: tuple[Callable[[], nn.Module], ...] = (
    *(nn.SiLU, nn.GELU, partial(nn.GELU, "tanh"), nn.Hardswish, nn.Mish, nn.ELU, nn.SELU, partial(nn.CELU, 0.5)),
    *(nn.Softplus, nn.Sigmoid, nn.Tanh, nn.Hardsigmoid, nn.Softsign, nn.LogSigmoid),
    partial(nn.SiLU, inplace=True),
    lambda: Called(lambda x: x * torch.sigmoid(x), "x * sigmoid(x)"),
    lambda: Called(lambda x: x * functional.hardsigmoid(x), "x * hardsigmoid(x)"),
    lambda: Called(lambda x: x * x, "x * x"),
    lambda: Called(torch.abs, "abs"),
)


class Gate(nn.Module):
    """A map times what one of its own branches says of each channel, each place or both; or over its own norm."""

    def __init__(self, channels: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.conv = nn.Conv2d(channels, 1 if kind == "place" else channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        if self.kind == "norm":
            return x / (x.norm(dim=1, keepdim=True) + 0.1)
        if self.kind == "sum":
            return x + self.conv(functional.adaptive_avg_pool2d(x, 1))
        if self.kind == "product":
            return x * self.conv(x)
        seen = functional.adaptive_avg_pool2d(x, 1) if self.kind == "channel" else x
        return torch.sigmoid(self.conv(seen)) * x

    def extra_repr(self) -> str:
        return self.kind


@st.composite
def rectifiers(draw: st.DrawFn, monotone: bool = True) -> nn.Module:
    """A rectifier, or where larger numbers may give smaller ones too a smooth activation."""
    return draw(st.sampled_from(RECTIFIERS if monotone else (*RECTIFIERS, *SMOOTH)))()


def _pair(values: Iterable[int]) -> tuple[int, int]:
    rows, cols = values
    return rows, cols


def _pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def convolutions(draw: st.DrawFn, shape: torch.Size, monotone: bool) -> nn.Module:
    """Any kernel, stride, padding, dilation and number of groups that fit the map.

    Where fields must be tight (`monotone`) no position may see padding only: no field can say that it sees nothing.
    """
    _, channels, *size = shape
    padding = draw(_pairs(0, 2))
    room = [n if monotone else n + 2 * p for n, p in zip(size, padding, strict=True)]
    kernel = _pair(draw(st.integers(1, min(5, r))) for r in room)
    dilation = _pair(draw(st.integers(1, 2 if 2 * (k - 1) < r else 1)) for k, r in zip(kernel, room, strict=True))
    if monotone:
        padding = _pair(min(p, d * (k - 1) // 2) for p, d, k in zip(padding, dilation, kernel, strict=True))
    groups = draw(st.sampled_from([g for g in (1, 2, 3, channels) if channels % g == 0]))
    return nn.Conv2d(
        *(channels, groups * draw(st.integers(1, max(1, 6 // groups)))),
        kernel_size=kernel,
        stride=draw(_pairs(1, 3)),
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=draw(st.booleans()),
    )


@st.composite
def pools(draw: st.DrawFn, shape: torch.Size) -> nn.Module:
    """Maximum or mean over windows that may overlap, leave gaps, overhang or reach into the padding."""
    kernel = _pair(draw(st.integers(1, min(3, n))) for n in shape[2:])
    padding = _pair(draw(st.integers(0, k // 2)) for k in kernel)
    common: dict[str, Any] = {"stride": draw(_pairs(1, 3)), "padding": padding, "ceil_mode": draw(st.booleans())}
    if draw(st.booleans()):
        return nn.MaxPool2d(kernel, **common)
    divisor = draw(st.sampled_from([None, 7]))
    return nn.AvgPool2d(kernel, **common, count_include_pad=draw(st.booleans()), divisor_override=divisor)


@st.composite
def branches(draw: st.DrawFn, channels: int, outputs: int, stride: int) -> nn.Module:
    """A branch whose map has the size that every other branch of this stride has."""
    dilation = draw(st.integers(1, 2))
    reach = draw(st.sampled_from([0, 1, 2]))
    first = nn.Conv2d(channels, outputs, 2 * reach + 1, stride, reach * dilation, dilation)
    if not draw(st.booleans()):
        return first
    second = nn.Conv2d(outputs, outputs, (1, 3), padding=(0, 1))
    return nn.Sequential(first, draw(rectifiers()), second)


@st.composite
def sums(draw: st.DrawFn, shape: torch.Size, monotone: bool) -> nn.Module:
    stride = draw(st.integers(1, 2))
    channels = shape[1]
    shortcut = nn.Identity() if stride == 1 else nn.Conv2d(channels, channels, 1, stride)
    sign = draw(st.sampled_from(["+", "+="] if monotone else ["+", "+=", "-"]))
    return Sum(draw(branches(channels, channels, stride)), shortcut, sign)


@st.composite
def joins(draw: st.DrawFn, shape: torch.Size, monotone: bool) -> nn.Module:
    stride = draw(st.integers(1, 2))
    parts = [draw(branches(shape[1], draw(st.integers(1, 3)), stride)) for _ in range(draw(st.integers(1, 2)))]
    return Join(*parts, draw(st.sampled_from([nn.MaxPool2d, nn.AvgPool2d]))(3, stride, 1))


@st.composite
def joined(draw: st.DrawFn, shape: torch.Size) -> nn.Module:
    """What a map's own numbers decide about it: a gate, or a normalisation by its statistics; or a padding."""
    _, channels, rows, cols = shape
    small = min(rows, cols) > 1
    choices = (
        *(partial(Gate, channels, kind) for kind in ("channel", "place", "both", "product", "sum")),
        *((partial(nn.GroupNorm, 1, channels), partial(nn.LayerNorm, [channels, rows, cols])) if channels > 1 else ()),
        *((partial(nn.InstanceNorm2d, channels, affine=True),) if small else ()),
        *((partial(Gate, channels, "norm"),) if channels > 1 else ()),
        *(partial(nn.ZeroPad2d, (0, 1, 0, 1)), partial(nn.ConstantPad2d, (1, 2, 0, 1), 0.5)),
        *((partial(nn.ReflectionPad2d, 1), partial(nn.ReplicationPad2d, (1, 0, 2, 1))) if small else ()),
    )
    return draw(st.sampled_from(choices))()


@st.composite
def pointwise(draw: st.DrawFn, shape: torch.Size, monotone: bool) -> nn.Module:
    """Batch norm, local response normalisation, a constant factor, or nothing."""
    if not monotone and draw(st.booleans()):
        return draw(joined(shape))
    factor = 0.5 if monotone else -0.5
    choices = (
        lambda: nn.BatchNorm2d(shape[1]),
        lambda: nn.LocalResponseNorm(3, alpha=0.5, k=2.0),
        lambda: Called(lambda x: x * factor, f"times {factor}"),
        lambda: Called(lambda x: x / 2 + 0.0, "half"),
        nn.Identity,
        nn.Dropout,
    )
    return draw(st.sampled_from(choices))()


@st.composite
def heads(draw: st.DrawFn, shape: torch.Size) -> list[nn.Module]:
    """Nothing, a smaller map by even averages, or dense layers behind a global average."""
    rows, cols = (max(d for d in (1, 2, 3) if n % d == 0) for n in shape[2:])
    average = draw(
        st.sampled_from([nn.AdaptiveAvgPool2d(1), Called(lambda x: x.mean((2, 3), keepdim=True), "mean"), None])
    )
    if average is None:
        return draw(st.sampled_from([[], [nn.AdaptiveAvgPool2d((rows, cols))]]))
    dense = [nn.Linear(shape[1], 5), draw(rectifiers()), nn.Linear(5, 3)]
    return [average, nn.Flatten(), *dense[: draw(st.sampled_from([1, 3]))]]


@dataclass(frozen=True)
class Drawn:
    """A network in float64 and the shape of its input."""

    model: nn.Module
    channels: int
    height: int
    width: int
    seed: int

    def images(self, count: int) -> Float64[np.ndarray, "n c h w"]:
        shape = (count, self.channels, self.height, self.width)
        return 2 * np.random.default_rng(self.seed).standard_normal(shape)


@st.composite
def networks(draw: st.DrawFn, monotone: bool = False) -> Drawn:
    """A network of up to four stages with random weights; `monotone` ones have no way for a larger px to lower an
    activation, once their weights are positive."""
    channels, height, width = draw(st.integers(1, 12)), draw(st.integers(8, 24)), draw(st.integers(8, 24))
    steps = nn.Sequential()
    shape = torch.Size((1, channels, height, width))
    for _ in range(draw(st.integers(1, 4))):
        stage = draw(st.sampled_from([convolutions, sums, joins]))
        steps.append(draw(stage(shape, monotone)))
        steps.append(draw(pointwise(_after(steps, channels, height, width), monotone)))
        steps.append(draw(rectifiers(monotone)))
        shape = _after(steps, channels, height, width)
        if draw(st.booleans()):
            steps.append(draw(pools(shape)))
            shape = _after(steps, channels, height, width)
    steps.extend(draw(heads(shape)))
    seed = draw(st.integers(0, 2**16))
    return Drawn(randomise(steps.double(), seed), channels, height, width, seed)


def _after(steps: nn.Sequential, channels: int, height: int, width: int) -> torch.Size:
    with torch.no_grad():
        return steps.eval()(torch.zeros(1, channels, height, width)).shape


class Box(nn.Module):
    """A block of two convolutions that gives two maps, a later one of a head of its own; who calls it may drop one."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.head = (nn.Conv2d(3, 3, size, padding=size // 2) for size in (3, 3, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = functional.relu(self.two(functional.relu(self.one(x))) + x)
        return x, self.head(x)


class Stage(nn.Module):
    """A convolution with its rectifier."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.rectifier = nn.Conv2d(3, 3, 3, padding=1), nn.ReLU()

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.rectifier(self.conv(x)),)


class Total(nn.Module):
    """The sum of two maps."""

    def forward(self, one: Tensor, other: Tensor) -> tuple[Tensor]:
        return (one + other,)


class Unknown(nn.Module):
    """What is drawn anew in every run: it cannot be run for what lies behind it."""

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (x * torch.rand_like(x),)


@dataclass(frozen=True)
class Step:
    """One call of a drawn graph. module: which module. sources: the values it reads. kept: which of its outputs are
    values that later steps may read; the network returns those that none does."""

    module: int
    sources: tuple[int, ...]
    kept: tuple[int, ...]


class Drawing(nn.Module):
    """A graph of modules: value 0 is the picture, every step adds the values that it keeps."""

    def __init__(self, modules: list[nn.Module], steps: list[Step], head: nn.Module | None = None) -> None:
        super().__init__()
        self.parts, self.steps, self.head = nn.ModuleList(modules), steps, head

    def values(self, x: Tensor) -> list[Tensor]:
        """What every step keeps, in order."""
        found = [x]
        for step in self.steps:
            given = self.parts[step.module](*(found[source] for source in step.sources))
            found += [given[kept] for kept in step.kept]
        return found

    def forward(self, x: Tensor) -> list[Tensor]:
        found = self.values(x)
        read = {source for step in self.steps for source in step.sources}
        returned = [value for index, value in enumerate(found) if index not in read and index]
        return returned if self.head is None else [*returned, self.head(found[-1])]


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    """Up to eight calls of up to eight modules, side by side, behind one another and around each other."""
    modules: list[nn.Module] = []
    steps: list[Step] = []
    values = 1
    for _ in range(draw(st.integers(2, 8))):
        kind = draw(st.sampled_from([Box, Box, Stage, Stage, Total, Unknown]))
        again = [number for number, module in enumerate(modules) if isinstance(module, kind)]
        if again and draw(st.integers(0, 3)) == 0:
            number = draw(st.sampled_from(again))
        else:
            number = len(modules)
            modules.append(kind())
        # Mostly the newest value, so that networks are deep.
        source = st.one_of(st.just(values - 1), st.integers(0, values - 1))
        sources = (draw(source), draw(source)) if kind is Total else (draw(source),)
        kept = draw(st.sampled_from([(0,), (1,), (0, 1)])) if kind is Box else (0,)
        steps.append(Step(number, sources, kept))
        values += len(kept)
    return Drawing(modules, steps)
