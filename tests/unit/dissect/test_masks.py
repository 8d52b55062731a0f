"""Masks for several networks: the same, whether they are drawn once or each time."""

import numpy as np

from layerscope.dissect import DrawnOnce
from layerscope.testing.slow import slow_paths
from layerscope.world import World


class Counting:
    """A world that counts how often its masks are drawn."""

    def __init__(self) -> None:
        self.world, self.drawn = World(3, seed=5, size=32), 0
        self.concepts = self.world.concepts

    def masks(self, image: int) -> np.ndarray:
        self.drawn += 1
        return self.world.masks(image)


def test_masks_are_drawn_once():
    """Kept masks are those that are drawn, bit for bit; with the fast path off they are drawn each time."""
    counting = Counting()
    kept = DrawnOnce(counting)
    for image in (1, 0, 1, 2, 1):
        found = kept.masks(image)
        assert found.dtype == bool and found.any()
        np.testing.assert_array_equal(found, counting.world.masks(image))
    assert counting.drawn == 3 and kept.concepts == counting.concepts
    with slow_paths("masks drawn once"):
        np.testing.assert_array_equal(kept.masks(1), counting.world.masks(1))
    assert counting.drawn == 4
