"""Networks in 16 and 64 bits are built, checked and projected like any other, with the figures of their own numbers."""

import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.api.verbs import check, forecast
from layerscope.core.errors import TraceError
from tests.helpers.building import INPUT, Log
from tests.helpers.networks import randomise
from tests.helpers.sweep import swept

COUNT = 40
TYPES = {"half": torch.float16, "bfloat16": torch.bfloat16, "double": torch.float64}


class Normed(nn.Module):
    """A chain with local response normalisation, which PyTorch cannot compute in 16 bits on the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.relu1, self.norm = nn.Conv2d(3, 6, 5, 2), nn.ReLU(), nn.LocalResponseNorm(3, alpha=0.5)
        self.conv2, self.relu2 = nn.Conv2d(6, 8, 3, padding=1), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu2(self.conv2(self.norm(self.relu1(self.conv1(x)))))


def network(name: str, scale: float = 1.0) -> ls.Network:
    """The network in a number type, its first activations this much larger."""
    model = randomise(Normed(), 0)
    with torch.no_grad():
        for parameter in model.conv1.parameters():
            parameter *= scale
    return ls.trace(getattr(model, name)(), INPUT)


def statistic(path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT value FROM statistic WHERE name = ?", (name,)).fetchone()
    return None if found is None else json.loads(found[0])


@pytest.mark.parametrize("name", swept(TYPES, 3))
def test_networks_of_any_precision_are_built(name: str, pictures, tmp_path) -> None:
    """Mean, deviation and peaks are those of the network's own activations in float64; `check` finds them again."""
    net, out, log = network(name, scale=100.0), tmp_path / "a.atlas", Log()
    methods = ("deconvnet", "guided", "gradient")
    with ls.build(
        net, pictures, out=out, layers=["relu1", "relu2"], limit=COUNT, methods=methods, progress=log
    ) as atlas:
        source = ls.images(pictures, limit=COUNT)
        pixels = source.load(range(COUNT), INPUT).pixels
        eps = max(torch.finfo(TYPES[name]).eps, 1.2e-7)  # statistics are kept in float32
        for layer in ("relu1", "relu2"):
            found = net.activations(pixels, layer).astype(np.float64).transpose(1, 0, 2, 3)
            largest = found.max()
            assert layer != "relu1" or largest > 265, "what overflows float16 when it is squared"
            # A batch of 32 in four is summed up: here the first.
            summed = found[:, :32].reshape(len(found), -1)
            for unit in range(len(found)):
                stored = atlas[layer][unit].statistics
                assert stored.mean == pytest.approx(summed[unit].mean(), abs=eps * largest)
                assert stored.std == pytest.approx(summed[unit].std(), abs=eps * largest)
                assert stored.maximum == pytest.approx(found[unit].max(), abs=8 * eps * largest)
    assert not check(ls.open(out), net, ls.images(pictures, limit=COUNT)).failed
    narrow = name != "double"
    assert statistic(out, "precision") == (name.replace("half", "float16") if narrow else None)
    assert any("holds its maximum more than once" in said for said in log.said) == narrow


METHODS = ("deconvnet", "guided", "gradient")


@pytest.mark.parametrize(
    ("name", "method"),
    [
        pytest.param(name, method, marks=() if place == METHODS.index(method) else pytest.mark.wide)
        for place, name in enumerate(TYPES)
        for method in METHODS
    ],
)
@pytest.mark.thin(3)
def test_projections_are_carried_in_32_bits_or_more(name: str, method: str, pictures) -> None:
    """As NumPy arrays of float32 or float64, equal to those of the same weights in float64 to the type's precision."""
    net = network(name)
    exact = ls.trace(wide_model(name), INPUT)
    x = ls.images(pictures, limit=2).load([0, 1], INPUT).pixels
    place = {"image": [0, 1], "unit": [0, 1], "row": [3, 5], "col": [4, 4]}
    found = net.project(x, "relu2", **place, method=method)
    expected = exact.project(x, "relu2", **place, method=method)
    assert found.signal.dtype == (np.float64 if name == "double" else np.float32)
    scale = np.abs(expected.signal).max()
    assert scale > 0
    np.testing.assert_allclose(found.signal, expected.signal, atol=40 * torch.finfo(TYPES[name]).eps * scale)
    assert net.activations(x, "relu2").dtype == {"bfloat16": np.float32, "half": np.float16}.get(name, np.float64)
    assert net.program.weights["conv1.weight"].dtype == TYPES[name], "the network itself stays as it is"


def wide_model(name: str) -> nn.Module:
    """The network with its weights rounded to a type, in float64."""
    return getattr(randomise(Normed(), 0), name)().double()


@pytest.mark.parametrize(
    ("name", "number"), [("half", "65504"), pytest.param("float", "3.4e38", marks=pytest.mark.wide)]
)
def test_overflow_is_said_at_the_first_batch(name: str, number: str, pictures, tmp_path) -> None:
    """By image and layer, before a shard is written; the same command says it again."""
    net = network(name, scale=1e4 if name == "half" else 1e38)
    for _ in range(2):
        with pytest.raises(TraceError, match=rf"image [0-9] gives infinity at layer relu1: .*{number}"):
            ls.build(net, pictures, out=tmp_path / "a.atlas", layers=["relu1", "relu2"], progress=False)
    with pytest.raises(TraceError, match=r"image [0-9] gives infinity at layer relu1"):
        forecast(net, pictures, layers=["relu1", "relu2"])
