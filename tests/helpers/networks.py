"""Small networks, one for each thing that can go wrong."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor, nn
from torch.nn import functional

from tests.helpers.weights import randomise


class Sine(nn.Module):
    """What has no row; named like a module of PyTorch's own, so that its call bears the module's name."""

    __module__ = "torch.nn"

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x)


class Cosine(Sine):
    """Another without a row."""

    __module__ = "torch.nn"

    def forward(self, x: Tensor) -> Tensor:
        return torch.cos(x)


class Plain(nn.Module):
    """A chain of three convolutions in one of the `FORMS` that a ReLU can be written in."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5, stride=2, padding=1)
        self.conv2 = nn.Conv2d(6, 8, 3, padding=1)
        self.conv3 = nn.Conv2d(8, 5, 3)
        self.pool = nn.MaxPool2d(3, 2)
        self.rectify = FORMS[form](self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.rectify[0](self.conv1(x)))
        x = self.rectify[1](self.conv2(x))
        return self.rectify[2](self.conv3(x))


def _modules(net: nn.Module, inplace: bool) -> list[nn.Module]:
    net.relu1, net.relu2, net.relu3 = (nn.ReLU(inplace) for _ in range(3))
    return [net.relu1, net.relu2, net.relu3]


def _reused(net: nn.Module, inplace: bool) -> list[nn.Module]:
    net.relu = nn.ReLU(inplace)
    return [net.relu] * 3


# A ModuleList would give the modules a second path, hence plain lists of callables.
FORMS: dict[str, Callable[[nn.Module], list]] = {
    "module": lambda net: _modules(net, inplace=False),
    "module in place": lambda net: _modules(net, inplace=True),
    "reused module": lambda net: _reused(net, inplace=False),
    "reused module in place": lambda net: _reused(net, inplace=True),
    "functional": lambda net: [functional.relu] * 3,
    "functional in place": lambda net: [lambda x: functional.relu(x, inplace=True)] * 3,
    "torch.relu": lambda net: [torch.relu] * 3,
    "torch.relu_": lambda net: [torch.relu_] * 3,
    "method": lambda net: [Tensor.relu] * 3,
    "method in place": lambda net: [Tensor.relu_] * 3,
}


class Concat(nn.Module):
    """Two inception-like blocks: branches of different reach and one pooled, joined along the channels."""

    class Block(nn.Module):
        def __init__(self, inputs: int) -> None:
            super().__init__()
            self.narrow = nn.Conv2d(inputs, 3, 1)
            self.wide = nn.Sequential(nn.Conv2d(inputs, 4, 1), nn.ReLU(), nn.Conv2d(4, 5, 5, padding=2))
            self.pooled = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(inputs, 2, 1))

        def forward(self, x: Tensor) -> Tensor:
            parts = [functional.relu(self.narrow(x)), functional.relu(self.wide(x)), functional.relu(self.pooled(x))]
            return torch.cat(parts, 1)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2)
        self.block1, self.block2 = Concat.Block(4), Concat.Block(10)

    def forward(self, x: Tensor) -> Tensor:
        return self.block2(self.block1(functional.relu(self.stem(x))))


class Residual(nn.Module):
    """Two basic blocks with batch norm, one reused in-place ReLU each, the second one with a strided shortcut."""

    class Block(nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.relu = nn.ReLU(inplace=True)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.shortcut = None
            if stride > 1:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                )

        def forward(self, x: Tensor) -> Tensor:
            out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            out += x if self.shortcut is None else self.shortcut(x)
            return self.relu(out)

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(6)
        self.block1, self.block2 = Residual.Block(6, 6, 1), Residual.Block(6, 9, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.block2(self.block1(functional.relu(self.bn(self.conv(x)))))


class Overwritten(nn.Module):
    """An in-place ReLU that also rectifies what the shortcut adds: what eager PyTorch computes is the truth."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 5, 3, padding=1)
        self.conv2 = nn.Conv2d(5, 5, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        return self.conv2(self.relu(x)) + x


class Inverted(nn.Module):
    """An inverted residual with ReLU6: expand, depthwise, project without a nonlinearity, add."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU6(inplace=True))
        self.expand = nn.Sequential(nn.Conv2d(4, 12, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU6())
        self.depthwise = nn.Conv2d(12, 12, 3, 1, 1, groups=12, bias=False)
        self.bn = nn.BatchNorm2d(12)
        self.project = nn.Conv2d(12, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return x + self.project(functional.relu6(self.bn(self.depthwise(self.expand(x)))))


class Averages(nn.Module):
    """Average pools side by side that differ only in what they divide by."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.counted = nn.AvgPool2d(3, 2, 1, count_include_pad=True)
        self.uncounted = nn.AvgPool2d(3, 2, 1, count_include_pad=False)
        self.fixed = nn.AvgPool2d(3, 2, 1, divisor_override=5)
        self.mix = nn.Conv2d(12, 5, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.conv(x))
        return functional.relu(self.mix(torch.cat([self.counted(x), self.uncounted(x), self.fixed(x)], 1)))


def _chain(*modules: nn.Module) -> nn.Sequential:
    return nn.Sequential(*modules)


def _dense() -> nn.Sequential:
    features = _chain(nn.Conv2d(3, 6, 3, 2), nn.ReLU(True), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d((2, 3)))
    hidden = _chain(nn.Dropout(), nn.Linear(36, 10), nn.ReLU(True), nn.Dropout(), nn.Linear(10, 7), nn.Identity())
    return _chain(features, nn.Flatten(), hidden)


@dataclass(frozen=True)
class Case:
    """A small network with its input's shape.

    scale: the standard deviation of its input px; the random statistics suit 1, so more than that fills ReLU6.
    """

    name: str
    build: Callable[[], nn.Module]
    channels: int
    height: int
    width: int
    scale: float = 1.0

    def model(self) -> nn.Module:
        """The network in float64, in eval mode, with random weights that are the same every time."""
        example = torch.from_numpy(self.images(4) / self.scale)
        return randomise(self.build().double(), seed=len(self.name), example=example)

    def images(self, count: int, seed: int = 0) -> Float64[np.ndarray, "n c h w"]:
        shape = (count, self.channels, self.height, self.width)
        return self.scale * np.random.default_rng(seed).standard_normal(shape)


CASES = (
    Case("plain", lambda: Plain("module"), 3, 27, 33),
    Case("in place", lambda: Plain("module in place"), 3, 30, 25),
    Case("functional", lambda: Plain("functional"), 3, 25, 31),
    Case("reused", lambda: Plain("reused module"), 3, 27, 27),
    Case("concat", Concat, 3, 21, 17),
    Case("residual", Residual, 3, 14, 19),
    Case("overwritten", Overwritten, 2, 11, 12),
    Case("relu6", Inverted, 3, 18, 15, scale=6.0),
    Case("averages", Averages, 3, 14, 17),
    Case(
        "ceil mode",
        lambda: _chain(
            *(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1, ceil_mode=True)),
            *(nn.Conv2d(5, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 3, ceil_mode=True)),
            *(nn.Conv2d(6, 6, 1), nn.ReLU(), nn.AvgPool2d(2, 2, ceil_mode=True)),
        ),
        *(3, 21, 26),
    ),
    Case(
        "dilation and groups",
        lambda: _chain(
            *(nn.Conv2d(4, 8, 3, dilation=2, groups=2), nn.LeakyReLU(0.1)),
            *(nn.Conv2d(8, 8, 3, padding=2, dilation=(2, 1), groups=8), nn.LeakyReLU(0.2, inplace=True)),
            *(nn.Conv2d(8, 6, 3, stride=2), nn.ReLU()),
        ),
        *(4, 19, 16),
    ),
    Case(
        "asymmetric",
        lambda: _chain(
            *(nn.Conv2d(1, 4, (1, 5), stride=(1, 2), padding=(0, 2)), nn.ReLU()),
            *(nn.Conv2d(4, 6, (3, 2), padding=(2, 1)), nn.BatchNorm2d(6), nn.ReLU()),
            *(nn.MaxPool2d((2, 3), (1, 2), (1, 0)), nn.Conv2d(6, 4, (4, 1), (3, 1)), nn.ReLU()),
        ),
        *(1, 13, 22),
    ),
    Case(
        "response normalisation",
        lambda: _chain(
            *(nn.Conv2d(3, 8, 5, 2), nn.ReLU(), nn.LocalResponseNorm(5, alpha=0.5, k=2.0), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(8, 7, 3, padding=1), nn.ReLU(), nn.LocalResponseNorm(3, alpha=0.3)),
            *(nn.Conv2d(7, 5, 2), nn.ReLU()),
        ),
        *(3, 25, 29),
    ),
    Case("twelve channels", lambda: _chain(nn.Conv2d(12, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.ReLU()), 12, 9, 11),
    Case("dense", _dense, 3, 18, 26),
    Case(
        "global pool",
        lambda: _chain(
            *(nn.Conv2d(3, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 9, 3), nn.ReLU6()),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(9, 6)),
        ),
        *(3, 15, 12),
    ),
)
