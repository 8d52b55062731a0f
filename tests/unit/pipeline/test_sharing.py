"""From what each peak is made of to what a unit is made of: means, spreads, the strongest, and where."""

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.core.shares import NEGATIVE, POSITIVE
from layerscope.pipeline.sharing import LayerSharing, layer_sharing
from layerscope.project.shares import Shares

K = 3


@pytest.fixture(scope="module")
def shared() -> LayerSharing:
    """A layer of 2 units behind one of 20, on maps of 4 x 6."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 20, 3, padding=1), nn.ReLU(), nn.Conv2d(20, 2, 3, padding=1), nn.ReLU())
    net = ls.trace(model.eval(), ls.Input(height=4, width=6))
    first, last = (layer for layer in net.layers if layer.auto)
    return layer_sharing(net.program, last, [first])


def packed(shared: LayerSharing, values: list[float], amounts: np.ndarray, constants: list[float]) -> np.ndarray:
    places = np.arange(20) + np.zeros((K, 1), np.int64)
    found = Shares(amounts, places, np.array(constants), np.zeros(K))
    return shared.packed(np.array(values), {shared.earlier[0].node: found})


def test_a_unit_is_the_mean_of_its_peaks(shared: LayerSharing) -> None:
    """Shares are amounts over values, peak by peak; the highest come first, then the lowest; places are the first
    peak's."""
    values, random = [4.0, 2.0, 1.0], np.random.default_rng(0)
    amounts = random.standard_normal((K, 20)).astype(np.float32)
    constants = [v - a for v, a in zip(values, amounts.sum(1), strict=True)]
    (one,) = shared.unit(1, packed(shared, values, amounts, constants), np.ones(K, bool)).values()
    shares = amounts / np.array(values)[:, None]
    mean = shares.mean(0)
    ordered = np.argsort(mean)
    assert [part.unit for part in one.strongest] == [*ordered[::-1][:POSITIVE], *ordered[:NEGATIVE]]
    for part in one.strongest:
        assert part.share == pytest.approx(mean[part.unit]) and part.spread == pytest.approx(shares[:, part.unit].std())
        assert (part.row, part.col) == divmod(part.unit, 6)
    assert (one.layer, one.unit, one.earlier, one.peaks) == (shared.layer.name, 1, shared.earlier[0].name, K)
    assert one.units + one.constants == pytest.approx(1, abs=1e-5) and one.rest < 1e-5 and one.past == 0


def test_empty_places_and_zeros_have_no_share(shared: LayerSharing) -> None:
    """A place without a peak and a peak of zero are left out; where nothing is left nothing is said; a unit that sends
    nothing is no part."""
    amounts = np.zeros((K, 20), np.float32)
    amounts[:, 7] = 1.5
    raw = packed(shared, [3.0, 0.0, 9.0], amounts, [1.5, 0.0, 7.5])
    (one,) = shared.unit(0, raw, np.array([True, True, False])).values()
    assert one.peaks == 1 and [(part.unit, part.share) for part in one.strongest] == [(7, 0.5)]
    assert shared.unit(0, raw, np.array([False, True, False])) == {}
