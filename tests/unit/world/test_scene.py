"""Pictures follow from seed and index alone, and neither colour nor layout tells what is in them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerscope.world import CLASSES, draw_pixels, draw_scene
from layerscope.world.scene import label_of

MANY = 336


@pytest.fixture(scope="module")
def crowd() -> tuple[np.ndarray, np.ndarray]:
    """Pictures and labels of one world."""
    pixels = np.stack([draw_pixels(3, index) for index in range(MANY)])
    return pixels, np.array([label_of(3, index) for index in range(MANY)])


def nearest_mean(features: np.ndarray, labels: np.ndarray) -> float:
    """How often the nearest class mean, learnt on the first two thirds, is right on the rest; 1 is chance."""
    cut = 2 * len(labels) // 3
    means = np.stack([features[:cut][labels[:cut] == label].mean(0) for label in range(len(CLASSES))])
    found = ((features[cut:, None] - means) ** 2).sum(2).argmin(1)
    return float((found == labels[cut:]).mean() * len(CLASSES))


@settings(max_examples=12)
@given(st.integers(0, 99), st.integers(0, 9999), st.sampled_from([32, 64]))
def test_a_picture_follows_from_seed_and_index(seed, index, size):
    """It is the same whatever was drawn before, with masks and without."""
    first = draw_pixels(seed, index, size)
    draw_pixels(seed, index + 1, 16)
    scene = draw_scene(seed, index, size)
    assert np.array_equal(first, scene.pixels)
    assert scene.label == label_of(seed, index)


def test_masks_follow_from_seed_and_index():
    """Masks drawn in another order are the same."""
    forth = [draw_scene(1, index).masks for index in range(4)]
    back = [draw_scene(1, index).masks for index in reversed(range(4))][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forth, back, strict=True))


def test_another_seed_is_another_world():
    """No picture of one seed is one of another."""
    assert not np.array_equal(draw_pixels(0, 5), draw_pixels(1, 5))


@pytest.mark.parametrize("seed", range(3))
def test_labels_are_balanced(seed):
    """Every run of as many pictures as there are classes holds each class once, in an order of its own."""
    runs = [[label_of(seed, run * len(CLASSES) + place) for place in range(len(CLASSES))] for run in range(8)]
    assert all(sorted(run) == list(range(len(CLASSES))) for run in runs)
    assert len({tuple(run) for run in runs}) > 1


@pytest.mark.wide
def test_colours_do_not_tell_the_class(crowd):
    """Histograms of 8 x 8 x 8 colours do not do twice as well as chance."""
    pixels, labels = crowd
    red, green, blue = np.moveaxis(pixels.astype(int) // 32, 3, 0).reshape(3, MANY, -1)
    cells = red * 64 + green * 8 + blue
    histograms = np.stack([np.bincount(row, minlength=512) for row in cells]) / cells.shape[1]
    assert nearest_mean(histograms, labels) < 2


def test_thumbnails_do_not_tell_the_class(crowd):
    """Pictures of 4 x 4 px do not do three times as well as chance."""
    pixels, labels = crowd
    thumbnails = pixels.reshape(MANY, 4, 16, 4, 16, 3).mean((2, 4)).reshape(MANY, -1) / 255
    assert nearest_mean(thumbnails, labels) < 3


def test_no_class_has_its_own_brightness(crowd):
    """The mean brightness of a class lies within the spread of brightness in all of them."""
    pixels, labels = crowd
    brightness = pixels.mean((1, 2, 3))
    means = [brightness[labels == label].mean() for label in range(len(CLASSES))]
    assert np.ptp(means) < 1.2 * brightness.std()
