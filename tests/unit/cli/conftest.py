"""What the tests of the command line share: a small atlas, a small network, and a way to run one command."""

from collections.abc import Callable
from pathlib import Path

import pytest

from layerscope.cli import main
from layerscope.core.records import Input
from tests.helpers.atlases import small_atlas

NETWORK = """
from torch import nn

import torch

import layerscope


class Even(nn.Module):
    __module__ = "torch.nn"

    def forward(self, x):
        return torch.rand_like(x)


class Normal(Even):
    __module__ = "torch.nn"

    def forward(self, x):
        return torch.randn_like(x)


def plain():
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, (5, 3)), nn.ReLU())


def gated():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), Normal(), nn.Conv2d(4, 2, 3), Even(), Normal())


def opaque():
    return nn.Sequential(Even(), nn.Conv2d(3, 2, 3))


class Forked(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.pool = nn.Conv2d(3, 4, 3), nn.MaxPool2d(2)

    def forward(self, x):
        x = self.conv(x).relu()
        return x, self.pool(x)


def forked():
    return nn.Sequential(Forked())
"""


@pytest.fixture(scope="session")
def atlas(tmp_path_factory) -> str:
    """The path of a small atlas."""
    return str(small_atlas(tmp_path_factory.mktemp("cli") / "small.atlas", units=6))


@pytest.fixture(scope="session")
def network_file(tmp_path_factory) -> Path:
    """A file with networks, none of which says what it expects."""
    path = tmp_path_factory.mktemp("networks") / "net.py"
    path.write_text(NETWORK)
    return path


@pytest.fixture(scope="session")
def traced(network_file):
    """The plain network of that file, traced once for all tests that only hand it on."""
    from layerscope.api.verbs import trace

    return trace(f"{network_file}:plain", Input(height=16, width=20))


@pytest.fixture
def command(capsys) -> Callable[..., tuple[int, str, str]]:
    """Run one command: its status, stdout and stderr."""

    def run(*words: object) -> tuple[int, str, str]:
        status = main([str(word) for word in words])
        return status, *capsys.readouterr()

    return run
