"""Small random networks and their inputs, drawn from everything the operation table covers."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from hypothesis import Phase, settings
from hypothesis import strategies as st
from jaxtyping import Float64
from torch import nn

from tests.helpers.networks import randomise
from tests.laws.modules import Called, Join, Skip, Sum
from tests.laws.parts import PARTS, RECTIFIERS, SMOOTH, Part

# Tracing takes a good part of a second: a fifth of the examples that the profile gives to cheaper laws, and no
# shrinking, which would trace some hundred networks more; what is drawn is small enough to be read.
FEW = settings(max_examples=max(1, settings().max_examples // 5), phases=(Phase.explicit, Phase.generate))
# By default fewer still, where each example builds or compares a lot; in the wide profile as many.
FEWER = FEW if settings().max_examples > 100 else settings(FEW, max_examples=max(1, settings().max_examples // 12))
# A map of more numbers than this is made smaller before anything else is drawn.
LARGE = 24 * 32 * 32


@st.composite
def rectifiers(draw: st.DrawFn, channels: int, monotone: bool = True) -> nn.Module:
    """A rectifier, or where larger numbers may give smaller ones too a smooth activation."""
    chosen = draw(st.sampled_from(RECTIFIERS if monotone else (*RECTIFIERS, *SMOOTH)))
    return chosen.make(channels, 1, 1)


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
    return nn.Sequential(first, draw(rectifiers(outputs)), second)


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
def skips(draw: st.DrawFn, shape: torch.Size, monotone: bool) -> nn.Module:
    """A step of a U-Net: down by two, a convolution, up again by one of the ways up, beside what went around."""
    channels, outputs = shape[1], draw(st.integers(1, 3))
    if min(shape[2:]) < 4:
        return draw(convolutions(shape, monotone))
    small = nn.Sequential(
        draw(st.sampled_from([nn.MaxPool2d(2), nn.AvgPool2d(2), nn.Conv2d(channels, channels, 2, 2)])),
        *(nn.Conv2d(channels, outputs, 3, padding=1), draw(rectifiers(outputs, monotone))),
    )
    up = draw(
        st.sampled_from([
            nn.Upsample(scale_factor=2), nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
            nn.ConvTranspose2d(outputs, outputs, 2, 2), nn.ConvTranspose2d(outputs, outputs, 3, 2, 1, 1),
            nn.Sequential(nn.Conv2d(outputs, 4 * outputs, 1), nn.PixelShuffle(2)),
        ])
    )  # fmt: skip
    return Skip(small, up, draw(st.sampled_from([1, -1])))


@st.composite
def pointwise(draw: st.DrawFn, shape: torch.Size, monotone: bool) -> nn.Module:
    """One of the table's parts that fits the map, a constant factor, or nothing."""
    factor = 0.5 if monotone else -0.5
    plain = (
        Part("times", frozenset(["mul"]), lambda *_: Called(lambda x: x * factor, f"times {factor}")),
        *(Part(kind.__name__, frozenset(), lambda *_, kind=kind: kind()) for kind in (nn.Identity, nn.Dropout)),
    )
    fitting = [part for part in PARTS if part.fits(*shape[1:]) and (part.rises or not monotone)]
    return draw(st.sampled_from([*plain, *fitting])).make(*shape[1:])


@st.composite
def heads(draw: st.DrawFn, shape: torch.Size) -> list[nn.Module]:
    """Nothing, a smaller map by even averages, or dense layers behind a global average or maximum."""
    rows, cols = (max(d for d in (1, 2, 3) if n % d == 0) for n in shape[2:])
    means = Called(lambda x: x.mean((2, 3), keepdim=True), "mean")
    average = draw(st.sampled_from([nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1), means, None]))
    if average is None:
        return draw(st.sampled_from([[], [nn.AdaptiveAvgPool2d((rows, cols))]]))
    dense = [nn.Linear(shape[1], 5), draw(rectifiers(5)), nn.Linear(5, 3)]
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
    after = partial(_after, steps, channels, height, width)
    for _ in range(draw(st.integers(1, 4))):
        if after().numel() > LARGE:
            steps.append(nn.AvgPool2d(2))
        stage = draw(st.sampled_from([convolutions, sums, joins] if monotone else [convolutions, sums, joins, skips]))
        steps.append(draw(stage(after(), monotone)))
        steps.append(draw(pointwise(after(), monotone)))
        steps.append(draw(rectifiers(after()[1], monotone)))
        if draw(st.booleans()):
            steps.append(draw(pools(after())))
    steps.extend(draw(heads(after())))
    seed = draw(st.integers(0, 2**16))
    return Drawn(randomise(steps.double(), seed), channels, height, width, seed)


def _after(steps: nn.Sequential, channels: int, height: int, width: int) -> torch.Size:
    with torch.no_grad():
        return steps.double().eval()(torch.zeros(1, channels, height, width, dtype=torch.float64)).shape
