"""Behind what makes maps larger or smaller by a ratio a field holds all that is seen, and little more."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.helpers.sweep import swept
from tests.laws.checks import traced
from tests.laws.parts import RESAMPLING
from tests.laws.test_fields import make_monotone, places_of

HEIGHT, WIDTH = 22, 20


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", swept([part.name for part in RESAMPLING if part.name != "unpooled"], 5))
def test_a_field_is_as_wide_as_what_is_seen_to_two_steps(name: str, stride: int) -> None:
    """Along each axis it holds every px that has a slope at a position, and is wider by at most twice the step of the
    map that was resized, which is what fractions of a place cost."""
    (part,) = (part for part in RESAMPLING if part.name == name)
    first = nn.Conv2d(1, 2, 3, stride, 1)
    resized = part.make(2, HEIGHT // stride, WIDTH // stride)
    model = make_monotone(nn.Sequential(first, resized, nn.Conv2d(2, 2, 3, padding=1)).double())
    layer = traced(model, 1, HEIGHT, WIDTH)["2"]
    picture = torch.rand(1, 1, HEIGHT, WIDTH, dtype=torch.float64).requires_grad_()
    given = model(picture)
    assert not layer.field.note and layer.map == tuple(given.shape[2:])
    for row, col in places_of(layer):
        (slope,) = torch.autograd.grad(given[0, :, row, col].sum(), picture, retain_graph=True)
        box = layer.field.box(row=row, col=col).clipped(HEIGHT, WIDTH)
        for axis, low, high in ((1, box.top, box.bottom), (0, box.left, box.right)):
            seen = np.flatnonzero(slope[0, 0].abs().sum(axis).numpy())
            assert low <= seen[0] and seen[-1] < high, f"({row}, {col}) sees {seen} beyond {low} to {high}"
            assert high - low - (seen[-1] + 1 - seen[0]) <= 2 * stride, f"({row}, {col}) of {low} to {high} sees {seen}"
