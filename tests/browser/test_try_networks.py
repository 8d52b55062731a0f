"""Networks of many kinds in the reader's browser: what runs them there knows all that is written, and answers alike."""

from pathlib import Path

import torch
from playwright.sync_api import expect
from torch import Tensor, nn
from torch.nn import functional

import layerscope as ls
from layerscope.atlas.read import AtlasFile
from layerscope.world import World
from tests.browser.conftest import Opened, exported
from tests.browser.places import Folder
from tests.browser.test_try import (
    Answer,
    encoded,
    hosted,
    photograph,
    pictures_tried,
    runtime,
    same_answers,
    same_pixels,
    tried,
)  # fmt: skip
from tests.helpers.networks import randomise

__all__ = ["runtime"]


def names_in(path: Path) -> list[str]:
    with AtlasFile(path) as file:
        return [layer.name for layer in file.layers]


def test_zfnet64_answers_alike(opened: Opened, runtime: Path, tmp_path: Path) -> None:
    """The larger of the named networks with weights: dense layers and 200 classes; on the world's pictures and on
    photographs, from a folder and from a host, the library's answers."""
    net, path = ls.trace("zfnet64"), tmp_path / "zf.atlas"
    layers = ("layer1.relu", "layer5.relu", "layer7.relu")
    ls.build(net, World(4, seed=1), path, layers=layers, k=1, units=1, methods=("deconvnet",), progress=False).close()
    folder = exported(path, tmp_path / "site", "--with-network", "zfnet64", "--runtime", str(runtime))
    answers: list[Answer] = []
    with hosted(folder) as host:
        for venue in (folder, host):
            page = opened(venue.page("try"))
            answers += pictures_tried(page, net)
            expect(page.locator(".try-classes li")).to_have_count(5)
    same_answers(answers, net, names_in(path))


class Many(nn.Module):
    """A step of many kinds of networks after another: each layer is compared."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm, self.mix = nn.Conv2d(3, 8, 4, 4), nn.LayerNorm(8), nn.Conv2d(8, 8, 3, padding=1)
        self.squeeze, self.excite = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)
        self.groups, self.up, self.shares = nn.GroupNorm(2, 8), nn.ConvTranspose2d(8, 8, 3, 2, 1, 1), nn.Conv2d(8, 8, 1)
        self.pad, self.down, self.last = nn.ReflectionPad2d(1), nn.Conv2d(8, 8, 3, 2), nn.Conv2d(8, 6, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.stem(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        x = functional.gelu(self.mix(x)) + functional.gelu(x, approximate="tanh")
        seen = functional.hardswish(self.squeeze(x.mean((2, 3), keepdim=True)))
        x = functional.hardswish(x * functional.hardsigmoid(self.excite(seen)))
        small = functional.mish(self.groups(self.down(self.pad(x))))
        sizes = [functional.interpolate(small, x.shape[-2:], mode=mode) for mode in ("nearest", "bilinear", "bicubic")]
        corners = functional.interpolate(small, x.shape[-2:], mode="bilinear", align_corners=True)
        x = x + sum(sizes) + corners + self.up(small)
        x = functional.channel_shuffle(functional.elu(self.shares(x)), 2)
        x = x * self.shares(x).softmax(1)
        return self.last(functional.pixel_unshuffle(functional.softplus(x)[:, :2], 2))


def test_what_runs_it_knows_every_kind(opened: Opened, runtime: Path, tmp_path: Path) -> None:
    """GELU, hardswish, gates, resizing, softmax, transposed convolutions, norms, borders: as in the library."""
    model = randomise(Many().double(), 0, torch.randn(2, 3, 48, 48, dtype=torch.float64)).float()
    net = ls.trace(model, ls.Input(height=48, width=48, mean=(0.5,) * 3, std=(0.25,) * 3))
    path = tmp_path / "many.atlas"
    names = [layer.name for layer in net.layers if layer.map]
    ls.build(net, World(4, seed=1), path, layers=names, k=1, units=1, methods=("gradient",), progress=False).close()
    ls.export(path, tmp_path / "site", network=net, runtime=runtime, progress=False)
    page, content = opened(Folder(origin=(tmp_path / "site").as_uri()).page("try")), encoded(photograph(6, 500, 375))
    answer = tried(page, content)
    same_pixels(answer, content, net)
    same_answers([answer], net, names_in(path))
