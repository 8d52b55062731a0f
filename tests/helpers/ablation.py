"""Networks with classes, drawn images, and what a forward hook on the user's module makes of them: plain PyTorch."""

import copy
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.sources import Source, open_source
from tests.helpers.networks import Concat, Residual
from tests.helpers.weights import randomise

INPUT = ls.Input(height=24, width=20)
CLASSES = ("ant", "bee", "cat", "dog", "eel")
COUNT = 24


class Drawn:
    """A map-style data set: noise with a bright square, of random classes."""

    def __init__(self, count: int = COUNT) -> None:
        self.classes, draws = CLASSES, np.random.default_rng(5)
        self.pictures = draws.integers(0, 120, (count, INPUT.height, INPUT.width, 3)).astype(np.uint8)
        self.targets = draws.integers(0, len(CLASSES), count).tolist()
        for picture, (row, col) in zip(self.pictures, draws.integers(0, 10, (count, 2)), strict=True):
            picture[row : row + 8, col : col + 8] += 120

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, image: int) -> tuple[np.ndarray, int]:
        return self.pictures[image], self.targets[image]


def headed(body: nn.Module, maps: int, *end: nn.Module) -> nn.Sequential:
    """Five classes behind a body, by a pool over its maps and two dense layers."""
    head = (nn.Flatten(), nn.Linear(maps, 7), nn.ReLU(inplace=True), nn.Linear(7, len(CLASSES)), *end)
    return nn.Sequential(body, nn.AdaptiveAvgPool2d(1), *head)


def pooled() -> nn.Sequential:
    """Classes are the means of maps, as in SqueezeNet; a rectifier in place, a pool between."""
    chain = (nn.Conv2d(3, 6, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(6, len(CLASSES), 3))
    return nn.Sequential(*chain, nn.AdaptiveAvgPool2d(1), nn.Flatten())


class Growing(nn.Module):
    """Dense in the sense of Huang et al. 2017: each convolution reads all maps before it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2)
        self.first, self.second = nn.Conv2d(4, 3, 3, padding=1), nn.Conv2d(7, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).relu()
        x = torch.cat([x, self.first(x).relu()], 1)
        return torch.cat([x, self.second(x).relu()], 1)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "residual": lambda: headed(Residual(), 9),
    "branches": lambda: headed(Concat(), 10),
    "growing": lambda: headed(Growing(), 10),
    "pooled": pooled,
    "softmax": lambda: headed(Growing(), 10, nn.Softmax(1)),
}


@cache
def model(name: str) -> nn.Module:
    example = torch.randn(4, *INPUT.shape, generator=torch.Generator().manual_seed(1))
    return randomise(NETWORKS[name](), 3, example).double()


@cache
def traced(name: str) -> ls.Network:
    """In float64."""
    return ls.trace(copy.deepcopy(model(name)), INPUT)


@cache
def source() -> Source:
    return open_source(Drawn())


@cache
def pixels() -> Tensor:
    return torch.from_numpy(source().load(range(COUNT), INPUT).pixels).double()


@torch.no_grad()
def hooked(name: str, module: str, change: Callable[[Tensor], None]) -> np.ndarray:
    """The outputs of the user's own module, with the output of one of its modules changed."""
    net = model(name)
    handle = net.get_submodule(module).register_forward_hook(lambda _, given, output: change(output))
    rows = net(pixels()).numpy()
    handle.remove()
    return rows


def share_losses(rows: np.ndarray, name: str, targets: list[int]) -> np.ndarray:
    """Minus the logarithm of each target's share, in nats."""
    shares = rows if name == "softmax" else np.exp(rows) / np.exp(rows).sum(1, keepdims=True)
    return np.array([-np.log(row[target]) for row, target in zip(shares, targets, strict=True)])


def nothing(output: Tensor) -> None:
    """The whole network."""


def changing(units: tuple[int, ...], way: str, means: np.ndarray) -> Callable[[Tensor], None]:
    """Changes units of an output in place, unit by unit."""

    def change(output: Tensor) -> None:
        for unit in units:
            output[:, unit] = {"zero": 0, "mean": float(means[unit]), "scale": output[:, unit] * 1.5}[way]

    return change
