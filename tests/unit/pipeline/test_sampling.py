"""Specificity: 0 where any unit's projection is every unit's, 1 where two have nothing in common."""

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.core.errors import ImageError
from layerscope.core.methods import METHODS
from layerscope.core.records import Peaks
from layerscope.pipeline.sampling import sample_layer

SIDE, UNITS = 12, 6
INPUT = ls.Input(height=SIDE, width=SIDE)


def sampled(filters: torch.Tensor, images: list[np.ndarray], methods=METHODS.names, hashes=None):
    """What is measured of one layer of these filters, with peaks as a scan would find them."""
    convolution = nn.Conv2d(3, len(filters), filters.shape[-1])
    with torch.no_grad():
        convolution.weight.copy_(filters)
        convolution.bias.zero_()
    net, source = ls.trace(nn.Sequential(convolution, nn.ReLU()), INPUT), ls.images(images)
    batch = source.load(range(len(images)), INPUT)
    found = net.activations(batch.pixels, "1").reshape(len(images), len(filters), -1)
    peaks = Peaks.empty(len(filters), 1)
    for unit in range(len(filters)):
        image, place = np.unravel_index(found[:, unit].argmax(), found[:, unit].shape)
        if found[image, unit, place] > 0:
            peaks.value[unit], peaks.image[unit] = found[image, unit, place], image
            peaks.row[unit], peaks.col[unit] = divmod(int(place), net["1"].map[1])
    known = {record.id: record.sha256 for record in batch.records}
    return sample_layer(
        net.program, source, INPUT, net["1"], peaks, methods, hashes=known if hashes is None else hashes, seed=0
    )


def pictures(count: int) -> list[np.ndarray]:
    return [np.random.default_rng(i).integers(40, 256, (SIDE, SIDE, 3), dtype=np.uint8) for i in range(count)]


def test_identical_units_say_nothing_of_their_own() -> None:
    """Units with the same filter: at one place all projections are one; the specificity is 0 by every method."""
    found = sampled(torch.ones(1, 3, 3, 3).repeat(UNITS, 1, 1, 1), pictures(3)).specificity
    for method in METHODS.names:
        assert found[method]["n"] == UNITS
        assert found[method]["median"] == pytest.approx(0, abs=1e-6)


def test_units_with_nothing_in_common_are_their_own() -> None:
    """Units that each see another px: no two projections overlap; the specificity is 1."""
    filters = torch.zeros(UNITS, 3, 3, 3)
    for unit in range(UNITS):
        filters[unit, unit % 3, unit // 3, unit % 3] = 1
    found = sampled(filters, pictures(3)).specificity
    for method in METHODS.names:
        assert found[method]["median"] == found[method]["q25"] == found[method]["q75"] == 1
    one_of_each = sampled(filters, pictures(3))
    assert one_of_each.specificity == found


def test_a_unit_without_company_has_no_partner() -> None:
    """Where no other unit is above zero there is no pair: n is 0 and nothing else is claimed."""
    found = sampled(torch.cat([torch.ones(1, 3, 3, 3), -torch.ones(1, 3, 3, 3)]), pictures(2)).specificity
    assert found["guided"] == {"n": 0}


def test_a_layer_that_no_image_wakes_has_the_smallest_tiles() -> None:
    """Without any peak there is nothing to measure, and that is no error."""
    found = sampled(-torch.ones(UNITS, 3, 3, 3), pictures(2))
    assert found.side == 8
    for of in (found.specificity, found.retention):
        assert set(of) == set(METHODS.names) and all(measured == {"n": 0} for measured in of.values())


def test_the_side_holds_the_signal_of_the_first_method() -> None:
    """Filters of 9 px make signals of 9 px."""
    filters = torch.ones(UNITS, 3, 9, 9)
    assert sampled(filters, pictures(2)).side == 9


def test_images_are_those_that_were_scanned() -> None:
    """An image whose bytes are others by now is refused."""
    with pytest.raises(ImageError, match="has changed since it was scanned"):
        sampled(torch.ones(UNITS, 3, 3, 3), pictures(2), hashes={0: "0" * 64, 1: "1" * 64})
