"""What makes a network good to look into is measured as it is defined."""

import numpy as np
import pytest
import torch
from torch import nn

from layerscope.core.records import Input
from layerscope.models.zfnet import ZFNet64
from layerscope.training.pictures import Pictures
from layerscope.training.quality import dead_units, filter_energy, high_share, unit_high_shares


def test_a_point_has_energy_at_every_frequency():
    """Its share is that of the plane beyond a radius of 0.3: 1 - pi 0.09, to the grid of the transform."""
    filters = np.zeros((2, 3, 7, 7), np.float32)
    filters[0, 1, 3, 3] = 2.0
    assert high_share(filters) == pytest.approx(1 - np.pi * 0.09, abs=0.01)
    assert unit_high_shares(filters) == pytest.approx([1 - np.pi * 0.09, 0], abs=0.01)


def test_smooth_filters_have_little_and_checkerboards_all():
    """A Gaussian lies below 0.3 cycles per px, the finest checkerboard above."""
    rows, cols = np.mgrid[-3:4, -3:4]
    smooth, fine = np.exp(-(rows**2 + cols**2) / 6.0), (-1.0) ** (rows + cols)
    shares = unit_high_shares(np.stack([smooth, fine])[:, None])
    assert shares[0] < 0.01 and shares[1] > 0.9


def test_units_are_pooled_by_their_energy():
    """Parseval: the energy in all is the sum of the squares; the pooled share lies between the units' own."""
    filters = np.random.default_rng(0).normal(0, [[[[1]]], [[[5]]]], (2, 3, 7, 7))
    high, whole = filter_energy(filters)
    np.testing.assert_allclose(whole, 64**2 * (filters**2).sum(axis=(1, 2, 3)))
    assert high_share(filters) == pytest.approx(high.sum() / whole.sum())
    assert high_share(np.zeros((1, 3, 7, 7))) == 0


def test_dead_units_are_counted_by_layer():
    """A unit whose bias is far below zero is never above; all others of these are."""
    torch.manual_seed(0)
    network = ZFNet64(3, (4, 4, 4, 4, 4), (5,)).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.ones_(module.bias)
            nn.init.uniform_(module.weight, 0, 0.1)
    with torch.no_grad():
        network.layer2.conv.bias[:3] = -1e9
        network.layer6.dense.bias[0] = -1e9
    pixels = np.random.default_rng(0).integers(0, 256, (300, 16, 16, 3)).astype(np.uint8)
    found = dead_units(network, Pictures(pixels, np.zeros(300, np.int64), ("a", "b")), Input(height=16, width=16), 16)
    assert found == {**{f"layer{n}": (0, 4) for n in (1, 3, 4, 5)}, "layer2": (3, 4), "layer6": (1, 5)}
