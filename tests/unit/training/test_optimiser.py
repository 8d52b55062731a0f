"""Decay on weights only, filters kept in bounds, first weights from the seed, a rate that falls at plateaus."""

import pytest
import torch
from torch import nn

from layerscope.models.zfnet import ZFNet64
from layerscope.training.optimiser import Plateau, blur, optimiser_of, renormalise, start
from layerscope.training.quality import high_share
from layerscope.training.recipe import Phase, Recipe

RECIPE = Recipe(phases=(Phase(side=32, epochs=1),))


def small() -> ZFNet64:
    """A narrow network with batch norm."""
    torch.manual_seed(0)
    return ZFNet64(3, (4, 4, 4, 4, 4), (5,), norm=True)


def test_decay_pulls_at_weights_alone():
    """Every parameter is in one group; what decays are the weights of convolutions and dense layers."""
    network = small()
    decaying, others = optimiser_of(network, RECIPE).param_groups
    assert (decaying["weight_decay"], others["weight_decay"]) == (RECIPE.decay, 0)
    weighted = [m.weight for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert {id(p) for p in decaying["params"]} == {id(p) for p in weighted}
    assert len(decaying["params"]) + len(others["params"]) == len(list(network.parameters()))


def test_filters_above_the_bound_are_scaled_to_it():
    """Only convolutions, only those above, only by a factor."""
    network = small()
    with torch.no_grad():
        network.layer1.conv.weight[0] = 3.0
        network.layer1.conv.weight[1] = 0.01
    before = {name: p.clone() for name, p in network.named_parameters()}
    renormalise(network, 0.1)
    after = dict(network.named_parameters())
    filters = after["layer1.conv.weight"]
    torch.testing.assert_close(filters[0], torch.full_like(filters[0], 0.1))
    assert torch.equal(filters[1], before["layer1.conv.weight"][1])
    assert torch.equal(after["layer6.dense.weight"], before["layer6.dense.weight"])
    assert all(m.weight.pow(2).mean((1, 2, 3)).sqrt().max() < 0.1001 for m in network.modules() if hasattr(m, "stride")
               and isinstance(m, nn.Conv2d))  # fmt: skip


def test_first_weights_are_as_wide_as_asked_for():
    """Standard deviation 0.01, biases 0; without a width they stay PyTorch's own."""
    network, own = small(), small()
    start(own, RECIPE)
    assert torch.equal(own.layer2.conv.weight, network.layer2.conv.weight)
    start(network, Recipe(phases=RECIPE.phases, start_std=0.01))
    assert float(network.layer6.dense.weight.detach().std()) == pytest.approx(0.01, rel=0.1)
    assert not network.classes.bias.any()


def test_blurred_filters_are_smooth_and_as_strong():
    """The root mean square stays, the energy above 0.3 cycles per px goes."""
    filters = torch.randn(64, 3, 7, 7, generator=torch.Generator().manual_seed(0))
    strength, noise = filters.pow(2).mean(), high_share(filters.numpy())
    blur(filters, 1.0)
    assert float(filters.pow(2).mean()) == pytest.approx(float(strength), rel=1e-4)
    assert high_share(filters.numpy()) < 0.2 * noise


def test_the_rate_falls_at_a_plateau():
    """To a tenth when `patience` epochs in a row brought nothing better; a better one starts the count anew."""
    plateau = Plateau(1.0, patience=2)
    rates = []
    for top1 in (0.1, 0.2, 0.2, 0.3, 0.3, 0.1, 0.1, 0.1):
        plateau.after(top1)
        rates.append(plateau.state["rate"])
    assert rates == pytest.approx([1, 1, 1, 1, 1, 0.1, 0.1, 0.01])
