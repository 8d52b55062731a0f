"""Patches are compared by what they share (a direction) and how far apart they lie (colour, brightness, texture)."""

import numpy as np
import pytest

from layerscope.facts.patches import likeness, patch_sight

SIDE = 15


def stripes(angle: float, low: tuple[int, int, int], high: tuple[int, int, int]) -> np.ndarray:
    """Stripes at an angle, degrees counter-clockwise from the right, between two colours."""
    rows, cols = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    across = rows * np.cos(np.radians(angle)) + cols * np.sin(np.radians(angle))
    share = (0.5 + 0.5 * np.cos(2 * np.pi * across / 6))[..., None]
    return np.rint(np.array(low) * (1 - share) + np.array(high) * share).astype(np.uint8)


@pytest.mark.parametrize("angle", [-45, 0, 30, 90])
def test_a_shared_direction(angle):
    """Patches of one direction in many colours: the angle comes back, and they differ in colour."""
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]
    sight = patch_sight(np.stack([stripes(angle, (0, 0, 0), colour) for colour in colours]))
    assert abs(np.degrees(np.angle(np.exp(2j * np.radians(sight.angle - angle)))) / 2) < 2
    assert sight.oriented > 0.8 and sight.colour > 25


def test_all_directions_are_none():
    """Patches of four directions share none; being equally striped, they differ in nothing else."""
    sight = patch_sight(np.stack([stripes(angle, (50, 50, 50), (200, 200, 200)) for angle in (0, 45, 90, 135)]))
    assert sight.oriented < 0.1
    assert max(sight.colour, sight.brightness, sight.texture) < 6


def test_brightness_and_texture():
    """Flat gray patches of two tones lie apart in brightness alone; flat beside striped ones, in texture."""
    flat = [np.full((SIDE, SIDE, 3), tone, np.uint8) for tone in (50, 150)]
    sight = patch_sight(np.stack(flat))
    assert (sight.brightness, sight.colour, sight.texture, sight.oriented) == (50, 0, 0, 0)
    striped = stripes(0, (0, 0, 0), (200, 200, 200))
    assert patch_sight(np.stack([flat[0], striped])).texture > 25


def test_patches_too_small_for_a_gradient():
    """Patches of one px have colours but no direction."""
    sight = patch_sight(np.array([[[[255, 0, 0]]], [[[0, 255, 0]]]], np.uint8))
    assert sight.oriented == 0 and sight.colour > 100


def test_copies_are_alike_whatever_their_colour():
    """1 for the same stripes in four colours, and -1 for a patch and its negative; flat patches say nothing."""
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]
    assert likeness(np.stack([stripes(30, (0, 0, 0), colour) for colour in colours])) == pytest.approx(1, abs=0.01)
    one = stripes(0, (0, 0, 0), (200, 200, 200))
    assert likeness(np.stack([one, 200 - one])) == pytest.approx(-1, abs=0.01)
    assert likeness(np.full((2, SIDE, SIDE, 3), 90, np.uint8)) == 0


def test_unlike_patches_are_not_alike():
    """Noise of many seeds: the mean correlation lies about 0; a patch smaller than the coarse grid is no exception."""
    rng = np.random.default_rng(0)
    assert abs(likeness(rng.integers(0, 256, (60, SIDE, SIDE, 3), np.uint8))) < 0.05
    assert -1 <= likeness(rng.integers(0, 256, (3, 2, 5, 3), np.uint8)) <= 1
