"""The smallest subject that goes through every stage: two convolutions and a dense layer over fourteen pictures.

One picture is the copy of another and one is no picture, so that a build that loses sight of either differs.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

import layerscope as ls
from tests.helpers.networks import randomise

SIDE = 16
INPUT = ls.Input(height=SIDE, width=SIDE, mean=(0.5,) * 3, std=(0.25,) * 3)
LAYERS = ("relu1", "relu2")
ALL_LAYERS = (*LAYERS, "relu3")
OPTIONS: dict[str, Any] = {"k": 2, "tile": 8, "methods": ("deconvnet",), "workers": 1, "progress": False}


class Tiny(nn.Module):
    """A chain of two maps and a dense layer, of four units each."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.relu1 = nn.Conv2d(3, 4, 3, 2, padding=1), nn.ReLU()
        self.conv2, self.relu2 = nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()
        self.dense, self.relu3, self.classes = nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu2(self.conv2(self.relu1(self.conv1(x))))
        return self.classes(self.relu3(self.dense(x.mean((2, 3)))))


def tiny_network() -> ls.Network:
    """The network with seeded random weights."""
    example = torch.randn(4, *INPUT.shape, generator=torch.Generator().manual_seed(0))
    return ls.trace(randomise(Tiny(), 0, example), INPUT)


def pictures(folder: Path, each: int = 6) -> Path:
    """Noise of two kinds, a folder for each; the last file of the second repeats one of the first, and one is text."""
    draws = np.random.default_rng(0)
    for name, low in (("dark", 0), ("light", 90)):
        (folder / name).mkdir(parents=True)
        for number in range(each):
            pixels = draws.integers(low, low + 160, (SIDE + 4, SIDE + 2, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    shutil.copy(folder / "dark" / "1.png", folder / "light" / "z.png")
    (folder / "light" / "broken.png").write_bytes(b"no picture")
    return folder


def build(net: ls.Network, images: Path, out: Path, **options: Any) -> None:
    """Make the atlas, or make it complete."""
    ls.build(net, images, out, **{"layers": LAYERS, **OPTIONS, **options}).close()
