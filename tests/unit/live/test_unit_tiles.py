"""Tiles that are made on request are those that a build would have kept."""

import numpy as np
import pytest

import layerscope as ls
from layerscope.core.errors import UsageError
from tests.helpers.building import LAYERS


@pytest.mark.parametrize("layer", LAYERS[:3])
def test_made_tiles_are_those_of_the_build(made, layer, decoded):
    """Of a unit whose tiles the atlas keeps exactly: patch and projection of each peak, within a gray level."""
    with ls.open(made.atlas) as atlas:
        method = atlas[layer].method
        unit = next(one for one in atlas[layer] if one.peaks)
        found = made.engine.unit_tiles(layer, unit.number)
        assert [one.rank for one in found] == [peak.rank for peak in unit.peaks]
        for one, peak in zip(found, unit.peaks, strict=True):
            assert (one.image, one.row, one.col, one.original) == (peak.image, peak.row, peak.col, True)
            assert one.value == pytest.approx(one.scanned, rel=1e-5) == pytest.approx(peak.value, rel=1e-5)
            assert np.abs(decoded(one.tiles[method]).astype(int) - unit.projection(one.rank, method)).max() <= 1
            assert np.array_equal(decoded(one.patch), unit.patch(one.rank))


def test_a_unit_that_does_not_exist_is_refused(made):
    """And so is a layer, by name."""
    with pytest.raises(UsageError, match="no unit 99"):
        made.engine.unit_tiles(LAYERS[0], 99)
    with pytest.raises(UsageError, match='no layer "x"'):
        made.engine.unit_tiles("x", 0)
