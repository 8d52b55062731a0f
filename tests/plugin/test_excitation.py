"""The guest's method, excitation backprop, gives the paper's probabilities, worked out neuron by neuron in NumPy.

What a layer computes comes from plain torch calls on the same weights; nothing here knows how layerscope projects.
"""

import itertools
import json
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

import layerscope as ls
from layerscope.cli import main
from layerscope.core.errors import UsageError
from layerscope.core.methods import METHODS, recovering
from layerscope.testing import methods
from tests.helpers.guests import installed
from tests.helpers.viewing import viewing

Map = np.ndarray


@pytest.fixture
def guests():
    with installed():
        yield


@pytest.mark.parametrize("law", methods.LAWS, ids=lambda law: law.__name__)
@pytest.mark.thin(3)
def test_it_keeps_the_laws_of_methods(guests, law) -> None:
    """Those that ours keep: words, rules at every operation, and cones that equal whole maps."""
    law(METHODS["excitation"])


def weighed(p: Map, a: Map, layer: Callable[[Tensor], Tensor]) -> Map:
    """Back through a layer without its bias: p(j) = a_j * sum over i of p(i) w+_ij / (sum over k of w+_ik a_k)."""
    basis = torch.eye(a.size, dtype=torch.float64).reshape(a.size, *a.shape)
    weights = np.clip(layer(basis).reshape(a.size, -1).numpy().T, 0, None)
    back = np.zeros(a.size)
    for i, probability in enumerate(p.ravel()):
        total = weights[i] @ a.ravel()
        if probability and total > 0:
            back += probability * weights[i] * a.ravel() / total
    return back.reshape(a.shape)


def pooled(p: Map, a: Map, size: int, step: int, padding: int = 0) -> Map:
    """Back through a max pool: all to the largest of each window."""
    back = np.zeros_like(a)
    for channel, row, col in np.ndindex(*p.shape):
        rows, cols = (
            [i for i in range(at * step - padding, at * step - padding + size) if 0 <= i < length]
            for at, length in zip((row, col), a.shape[1:], strict=True)
        )
        winner = max(itertools.product(rows, cols), key=lambda place: a[(channel, *place)])
        back[(channel, *winner)] += p[channel, row, col]
    return back


class Chain(nn.Module):
    """A first convolution, a max pool, grouped filters, an average, and dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 6, 3, 1, 1), nn.Conv2d(6, 4, 3, groups=2)
        self.three, self.four = nn.Linear(4, 5), nn.Linear(5, 3)

    def maps(self, x: Tensor) -> list[Tensor]:
        found = [self.one(x).relu()]
        found.append(F.max_pool2d(found[-1], 3, 2))
        found.append(self.two(found[-1]).relu())
        found.append(F.avg_pool2d(found[-1], (1, 2), (1, 1)).mean((2, 3)))
        found.append(self.three(found[-1]).relu())
        return found

    def forward(self, x: Tensor) -> Tensor:
        return self.four(self.maps(x)[-1]).relu()


class Branches(nn.Module):
    """A residual sum, and a concatenation of a convolution and a max pool, under one more convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.three, self.four = nn.Conv2d(4, 3, 1), nn.Conv2d(7, 3, 2)

    def maps(self, x: Tensor) -> list[Tensor]:
        stem = self.one(x).relu()
        body = self.two(stem).relu()
        sums = stem + body
        left = self.three(sums).relu()
        right = F.max_pool2d(sums, 3, 1, 1)
        return [stem, body, sums, left, right, torch.cat([left, right], 1)]

    def forward(self, x: Tensor) -> Tensor:
        return self.four(self.maps(x)[-1]).relu()


def conv(layer: nn.Conv2d) -> Callable[[Tensor], Tensor]:
    return lambda x: F.conv2d(x, layer.weight, None, layer.stride, layer.padding, layer.dilation, layer.groups)


def chain_back(net: Chain, x: Map, maps: list[Map], p: Map) -> Map:
    p = weighed(p, maps[4], lambda v: F.linear(v, net.four.weight))
    p = weighed(p, maps[3], lambda v: F.linear(v, net.three.weight))
    averaged = F.avg_pool2d(torch.from_numpy(maps[2])[None], (1, 2), (1, 1))[0].numpy()
    p = weighed(p, averaged, lambda v: v.mean((2, 3)))
    p = weighed(p, maps[2], lambda v: F.avg_pool2d(v, (1, 2), (1, 1)))
    p = weighed(p, maps[1], conv(net.two))
    p = pooled(p, maps[0], 3, 2)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    return weighed(p, np.clip(x, 0, None), conv(net.one))


def branches_back(net: Branches, x: Map, maps: list[Map], p: Map) -> Map:
    stem, body, sums, _, _, joined = maps
    p = weighed(p, joined, conv(net.four))
    left, right = p[:3], p[3:]
    p = weighed(left, sums, conv(net.three)) + pooled(right, sums, 3, 1, 1)
    share = np.divide(p, sums, out=np.zeros_like(p), where=sums > 0)
    p = share * stem + weighed(share * body, stem, conv(net.two))
    assert p.sum() == pytest.approx(1, abs=1e-12)
    return weighed(p, np.clip(x, 0, None), conv(net.one))


NETWORKS = {"chain": (Chain, chain_back), "branches": (Branches, branches_back)}


@pytest.mark.parametrize("shift", [0.0, 2.5], ids=["of both signs", "of light"])
@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_the_probability_of_winning(guests, name: str, shift: float) -> None:
    """From the unit's 1 every neuron hands on all that it has, so that the sum is 1 down to the first maps, and on to
    the pixels of a picture of light; a pixel below zero wins nothing, nor does a chance that meets only such ones."""
    build, back = NETWORKS[name]
    torch.manual_seed(4)
    model = build().double()
    x = np.random.default_rng(7).uniform(-1, 1, (1, 3, 9, 10)) + shift
    with torch.no_grad():
        maps = [value[0].numpy() for value in model.maps(torch.from_numpy(x))]
        top = model(torch.from_numpy(x))[0].numpy()
    net = ls.trace(model, ls.Input(height=9, width=10))
    last = max(net.layers, key=lambda layer: layer.node)
    places = [place for place in np.ndindex(*top.shape) if top[place] > 0][:4]
    assert places
    at = {axis: [(*place, 0, 0)[i] for place in places] for i, axis in enumerate(("unit", "row", "col"))}
    found = net.project(x, last.name, image=[0] * len(places), **at, method="excitation").full()
    for place, signal in zip(places, found, strict=True):
        start = np.zeros_like(top)
        start[place] = 1
        with torch.no_grad():
            expected = back(model, x[0], maps, start)
        np.testing.assert_allclose(signal, expected, atol=1e-13)
        assert signal.min() >= 0 and not signal[x[0] < 0].any() and 0.5 < signal.sum() < 1 + 1e-12
        assert not shift or signal.sum() == pytest.approx(1, abs=1e-12)


def test_a_case_by_hand(guests) -> None:
    """Weights 2, 3 and -1 on activations 1, 2 and 5: the winning probabilities are 2/8, 6/8 and 0."""
    model = nn.Conv2d(1, 1, (1, 3)).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[[[2.0, 3.0, -1.0]]]]))
        model.bias.copy_(torch.tensor([4.0]))
    net = ls.trace(nn.Sequential(model, nn.ReLU()), ls.Input(channels=1, height=1, width=3))
    x = np.array([[[[1.0, 2.0, 5.0]]]])
    (signal,) = net.project(x, "1", image=[0], unit=[0], row=[0], col=[0], method="excitation").full()
    np.testing.assert_allclose(signal, [[[0.25, 0.75, 0.0]]], atol=1e-15)


class Difference(nn.Module):
    """Of a picture of two pixels the first, less alpha times the second, and a constant more."""

    def __init__(self, alpha: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.one, self.two = (nn.Conv2d(1, 1, (1, 2), bias=False) for _ in range(2))
        with torch.no_grad():
            self.one.weight.copy_(torch.tensor([[[[1.0, 0.0]]]]))
            self.two.weight.copy_(torch.tensor([[[[0.0, 1.0]]]]))

    def forward(self, x: Tensor) -> Tensor:
        return (torch.sub(self.one(x).relu(), self.two(x).relu(), alpha=self.alpha) + 10.0).relu()


@pytest.mark.parametrize(("alpha", "expected"), [(1.0, [1.0, 0.0]), (-0.5, [0.8, 0.2])])
def test_a_difference_is_won_by_what_counts_for_it(guests, alpha: float, expected: list[float]) -> None:
    """Of 4 and 2: what is taken away has no positive weight; a constant is a bias and wins nothing."""
    net = ls.trace(Difference(alpha).double(), ls.Input(channels=1, height=1, width=2))
    last = max(net.layers, key=lambda layer: layer.node)
    x = np.array([[[[4.0, 2.0]]]])
    (signal,) = net.project(x, last.name, image=[0], unit=[0], row=[0], col=[0], method="excitation").full()
    np.testing.assert_allclose(signal[0, 0], expected, atol=1e-15)


def test_it_stands_among_the_others(guests, capsys) -> None:
    """`ops` has its column; who misspells it is told so, with all names."""
    assert main(["ops", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert rows["conv2d"]["excitation"] == "own" and rows["flatten"]["excitation"] == "gradient"
    with pytest.raises(UsageError, match="deconvnet, guided, gradient, excitation; did you mean excitation"):
        METHODS["exitation"]


def test_an_atlas_of_it_opens_without_it(tmp_path) -> None:
    """Built with the package, looked at without: its projections are there, and the about page says what is missing."""
    pictures = [Image.fromarray(one) for one in np.random.default_rng(0).integers(0, 255, (4, 24, 24, 3), np.uint8)]
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 3), nn.ReLU())
    path = tmp_path / "a.atlas"
    with installed():
        net = ls.trace(model, ls.Input(height=24, width=24))
        made = ls.build(net, pictures, path, methods=("excitation",), k=2, progress=False)
        unit = next(unit for unit in made["3"] if unit.peaks)
        expected = unit.projection(0, "excitation")
        assert expected.std() > 0
    assert "excitation" not in METHODS
    made = ls.open(path)
    assert np.array_equal(made["3"][unit.number].projection(0, "excitation"), expected)
    with viewing(path) as client:
        about, page = client.get("/a/about"), client.get(f"/a/layer/3/{unit.number}")
        assert about.status_code == 200 and "which is not installed here" in about.text
        assert client.get("/a/").status_code == 200, page
    assert main(["info", str(path)]) == 0
    assert main(["export", str(path), str(tmp_path / "site"), "--no-photographs"]) == 0


def test_it_is_shared_as_it_says(capsys, tmp_path) -> None:
    """It does not recover the picture, so that an export without photographs holds it without a warning, while the
    package is there; without it nobody knows, and the warning comes."""
    said = {}
    for there in (True, False):
        with installed() if there else nullcontext():
            said[there] = recovering(["excitation", "gradient"])
    assert said == {True: [], False: ["excitation"]}
