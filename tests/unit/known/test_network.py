"""By construction, every unit of the known network detects what its name says."""

from typing import NamedTuple

import numpy as np
import pytest
import torch

from layerscope.known.network import INPUT, UNIT_NAMES, known_network
from layerscope.known.pictures import planted

# px from a map's position to the next, and how far from a pattern's centre its peak may lie.
STEPS = {"strokes": 1, "shapes": 2, "things": 4}
SLACK = {"strokes": 2.5, "shapes": 4, "things": 6}


class Maxima(NamedTuple):
    value: np.ndarray
    row: np.ndarray
    col: np.ndarray


@pytest.fixture(scope="module")
def pictures():
    return planted(seed=0, count=288)


@pytest.fixture(scope="module")
def maxima(pictures):
    """Per layer, the highest value of every unit in every picture and where it is, in px: [pictures, units]."""
    pixels = torch.from_numpy(np.stack([drawn.pixels for drawn in pictures])).permute(0, 3, 1, 2)
    chain = known_network()
    found = {layer: [] for layer in UNIT_NAMES}
    for part in pixels.split(32):
        maps = part / 127.5 - 1
        for name, module in chain.named_children():
            with torch.no_grad():
                maps = module(maps)
            if name in found:
                value, index = maps.flatten(2).max(2)
                row, col = index // maps.shape[3] * STEPS[name], index % maps.shape[3] * STEPS[name]
                found[name].append(torch.stack([value, row, col]))
    return {layer: Maxima(*torch.cat(parts, 1).numpy()) for layer, parts in found.items()}


@pytest.mark.parametrize(
    ("layer", "unit", "name"),
    [(layer, unit, name) for layer, names in UNIT_NAMES.items() for unit, name in enumerate(names)],
)
def test_the_nine_strongest_pictures_show_the_pattern_at_the_peak(layer, unit, name, pictures, maxima):
    """In each of a unit's nine strongest pictures its pattern is planted where the peak is."""
    value, row, col = (part[:, unit] for part in maxima[layer])
    strongest = np.argsort(-value, kind="stable")[:9]
    assert value[strongest[-1]] > 0
    for image in strongest:
        plants = [plant for plant in pictures[image].plants if plant.name == name]
        assert any(plant.holds(float(row[image]), float(col[image]), SLACK[layer]) for plant in plants)


def test_a_flat_picture_excites_nothing_but_at_the_border():
    """Away from the border, a gray picture of any lightness leaves every unit at zero."""
    chain = known_network()
    with torch.no_grad():
        for level in (-0.1, 0.0, 0.1):
            strokes = chain.strokes(chain.conv1(torch.full((1, 3, 96, 96), level)))
            assert strokes[..., 3:-3, 3:-3].max() == 0


def test_the_network_takes_its_own_input():
    """The Input record fits the network."""
    assert known_network()(torch.zeros(2, *INPUT.shape)).shape == (2, 8, 24, 24)
