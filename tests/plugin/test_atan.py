"""The guest's operation, the arc tangent: right in `auto`, ranges and projections, and unknown without the package."""

import json

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.cli import main
from layerscope.graph.ops import OPERATIONS
from layerscope.testing import ops
from tests.helpers.guests import installed

INPUT = ls.Input(height=14, width=12)


class Atan(nn.Module):
    """The arc tangent as a module."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.atan(x)


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(
        *(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), Atan()),
        *(nn.MaxPool2d(2), nn.Conv2d(4, 5, 3), Atan(), nn.Conv2d(5, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    ).double()  # fmt: skip


@pytest.fixture
def net() -> ls.Network:
    with installed():
        return ls.trace(network(), INPUT)


def test_it_keeps_the_laws_of_operations() -> None:
    """All that hold our own rows, with every method that is installed."""
    with installed():
        ops.laws(OPERATIONS["atan"])


def test_auto_means_what_leaves_it(net: ls.Network) -> None:
    """A convolution counts past its normalisation and its activation; no such layer is rectified, and its values lie
    between the function's own limits."""
    with installed():
        assert [layer.name.split(".")[0] for layer in net.layers if layer.auto] == ["2", "5"]
        assert not any(layer.rectified for layer in net.layers)
        low, high = net.program.graph.ranges[net["2"].node]
        assert (low, high) == (-np.pi / 2, np.pi / 2)


def test_the_gradient_from_it_is_the_gradient(net: ls.Network) -> None:
    """From it, whose derivative is not 1, the projection is the activation times its derivative by every pixel."""
    x = torch.from_numpy(np.random.default_rng(2).standard_normal((1, *INPUT.shape))).requires_grad_()
    values = network().eval()[:6](x)
    unit, row, col = np.unravel_index(int(values[0].argmax()), values.shape[1:])
    (slope,) = torch.autograd.grad(values[0, unit, row, col], x)
    at = {"image": [0], "unit": [int(unit)], "row": [int(row)], "col": [int(col)]}
    with installed():
        (signal,) = net.project(x.detach(), "5", **at, method="gradient").full()
    np.testing.assert_allclose(signal, (values[0, unit, row, col] * slope[0]).detach().numpy(), atol=1e-12)


def test_it_is_unknown_where_the_package_is_not(capsys) -> None:
    """`ops` lists it where it is installed; a network read without it is only scanned behind it."""
    names, declined = {}, {}
    for there in (True, False):
        if there:
            with installed():
                assert main(["ops", "--json"]) == 0
        else:
            assert main(["ops", "--json"]) == 0
        data = json.loads(capsys.readouterr().out)
        names[there] = {row["name"] for row in data["rows"]}
        declined[there] = {entry["target"] for entry in data["declined"]}
    assert names[True] - names[False] == {"atan"} and declined[False] == declined[True]
    assert [layer.name for layer in ls.trace(network(), INPUT).layers if not layer.scan_only] == ["0", "1"]
