"""Patches are compared by what they share (a direction) and how far apart they lie (colour, brightness, texture)."""

import numpy as np
import pytest

from layerscope.facts.patches import likeness, patch_sight, reduced

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


def test_reduced_patches_are_means() -> None:
    """Squares of px in place of px, what is left over cut off; small patches stay as they are."""
    patch = np.arange(7 * 6 * 3, dtype=np.uint8).reshape(1, 7, 6, 3)
    small = reduced(patch, 3)
    assert small.shape == (1, 3, 3, 3)
    assert (small[0, 1, 2] == np.rint(patch[0, 2:4, 4:6].mean((0, 1)))).all()
    assert reduced(patch, 7) is patch and reduced(patch[:, :1], 2).shape == (1, 1, 6, 3)
    sight = patch_sight(reduced(np.repeat(np.repeat(stripes(-45, (0, 0, 0), (9, 9, 240))[None], 4, 1), 4, 2), SIDE))
    assert abs(sight.angle + 45) < 3
