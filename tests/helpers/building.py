"""Small builds, and processes that end in the middle of one."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.known.pictures import write_pictures
from layerscope.testing.watching import Hook, Log, die, dies_at_call, in_a_child
from tests.helpers.networks import randomise

__all__ = [
    "INPUT", "LAYERS", "Hook", "K", "Log", "Small", "die", "dies_at_call", "in_a_child", "pictures_as_files",
    "small_network",
]  # fmt: skip

INPUT = ls.Input(height=40, width=48, mean=(0.5,) * 3, std=(0.25,) * 3)


class Small(nn.Module):
    """A chain, a residual sum and a dense layer: a few milliseconds a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.relu1, self.pool = nn.Conv2d(3, 6, 5, 2), nn.ReLU(), nn.MaxPool2d(3, 2)
        self.conv2, self.relu2 = nn.Conv2d(6, 8, 3, padding=1), nn.ReLU()
        self.conv3, self.relu3 = nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()
        self.dense, self.relu4, self.classes = nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu2(self.conv2(self.pool(self.relu1(self.conv1(x)))))
        x = self.relu3(self.conv3(x) + x)
        return self.classes(self.relu4(self.dense(x.mean((2, 3)))))


LAYERS = ["relu1", "relu2", "relu3", "relu4"]
K = 5
# The first pictures do not depend on how many follow: of those that fill more than a shard the same serve all.
FEW, SEVERAL = 50, 150


def small_network(seed: int = 0) -> ls.Network:
    """The network with seeded random weights."""
    example = torch.randn(4, *INPUT.shape, generator=torch.Generator().manual_seed(seed))
    return ls.trace(randomise(Small(), seed, example), INPUT)


def pictures_as_files(folder: Path, count: int) -> Path:
    """Drawn pictures in one folder of files for each class."""
    for name, content in list(_drawn(count if count < FEW else max(count, SEVERAL)).items())[:count]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@cache
def _drawn(count: int) -> dict[str, bytes]:
    """The files by their path, in the order in which they are drawn: that takes as long as a build over them."""
    with TemporaryDirectory(prefix="layerscope-") as folder:
        write_pictures(folder, count)
        found = sorted(Path(folder).glob("*/*"), key=lambda path: path.name)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
