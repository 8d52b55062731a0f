"""Why an engine that proposes declines a network: what is said of an operation is true of it."""

import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.pipeline.measuring import Unsuited, _require_continuous


class Summed(nn.Module):
    """An operation without a row, though it does not jump."""

    def forward(self, x):
        return torch.cumsum(x, 2)


@pytest.mark.parametrize(
    ("between", "said"),
    [
        (nn.Hardshrink(), r"\(hardshrink\) jumps at some values, so that its error has no bound"),
        (Summed(), r"\(aten\.cumsum[^)]*\) has no row, so that nothing is known of how an error grows in it"),
    ],
)
def test_what_jumps_and_what_has_no_row_are_told_apart(between, said):
    """A row may say that its operation jumps; of an operation without one nothing is claimed."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3), between, nn.Conv2d(4, 4, 3), nn.ReLU()).eval()
    net = ls.trace(model, ls.Input(channels=3, height=16, width=16))
    with pytest.raises(Unsuited, match=said):
        _require_continuous(net.program, tuple(net.layers[-1:]))
