"""Baselines are seeded, and are what they say."""

import numpy as np
import pytest
import torch

from layerscope.dissect.baselines import derangement, rotation


@pytest.mark.parametrize("count", [2, 3, 10, 101])
def test_no_image_keeps_its_masks(count):
    """A derangement is a permutation without a fixed place, the same for the same seed."""
    order = derangement(count, 7)
    assert sorted(order) == list(range(count))
    assert (order != np.arange(count)).all()
    assert order.tolist() == derangement(count, 7).tolist()


def test_mixtures_keep_lengths():
    """A rotation changes no distance, and mixes every unit with others."""
    turned = rotation(12, 0)
    torch.testing.assert_close(turned @ turned.T, torch.eye(12), atol=1e-5, rtol=0)
    assert turned.abs().max() < 0.95
    assert not torch.equal(turned, rotation(12, 1))
