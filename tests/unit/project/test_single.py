"""One peak alone has the projection that it has among others: some kernels are others for a batch of one."""

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from tests.helpers.networks import randomise

NORMS = {
    "instance": lambda: nn.InstanceNorm2d(4, affine=True),
    "group": lambda: nn.GroupNorm(2, 4),
    "layer": lambda: nn.LayerNorm([4, 10, 12]),
    "batch": lambda: nn.BatchNorm2d(4),
}


@pytest.mark.parametrize("norm", NORMS)
def test_the_gradient_of_one_peak_is_the_networks_own(norm: str) -> None:
    """Times the activation, by autograd on the module, on maps in PyTorch's own order."""
    model = randomise(nn.Sequential(nn.Conv2d(3, 4, 3), NORMS[norm](), nn.Conv2d(4, 2, 1)).double(), 1).eval()
    net = ls.trace(model, ls.Input(channels=3, height=12, width=14))
    picture = torch.randn((1, 3, 12, 14), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    given = picture.clone().requires_grad_()
    peak = model(given)[0, 1, 4, 5]
    (expected,) = torch.autograd.grad(peak, given, peak.detach())
    found = net.project(picture.numpy(), "2", image=[0], unit=[1], row=[4], col=[5], method="gradient").full()
    np.testing.assert_allclose(found, expected, atol=1e-12 * float(expected.abs().max()))
