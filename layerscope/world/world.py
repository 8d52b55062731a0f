"""The world as a map-style data set: pictures are drawn when they are asked for."""

import operator

import numpy as np
from jaxtyping import Bool
from PIL import Image

from layerscope.core.errors import UsageError
from layerscope.world.again import FIXED, SceneAgain
from layerscope.world.concepts import CLASSES, CONCEPTS, Concept
from layerscope.world.scene import Scene, draw_pixels, draw_scene, label_of, scene_again

SMALLEST, LARGEST = 16, 1024


class World:
    """`count` pictures of a seed; world[i] is (Pillow image, class name). size: of their sides, 16 to 1024 px.

    The first pictures do not depend on how many follow. Raises UsageError for a count, seed or size that cannot be.
    """

    classes = CLASSES
    concepts: tuple[Concept, ...] = CONCEPTS

    def __init__(self, count: int, seed: int = 0, size: int = 64) -> None:
        if count < 1:
            raise UsageError(f"a world needs at least one picture, not {count}")
        if seed < 0:
            raise UsageError(f"the seed of a world is 0 or more, not {seed}")
        if not SMALLEST <= size <= LARGEST:
            raise UsageError(f"the pictures of a world have sides of {SMALLEST} to {LARGEST} px, not {size}")
        self.count, self.seed, self.size = count, seed, size

    @property
    def targets(self) -> list[int]:
        """The class of every picture, as a place in `classes`."""
        return [label_of(self.seed, index) for index in range(self.count)]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Image.Image, str]:
        place = self._place(index)
        pixels = draw_pixels(self.seed, place, self.size)
        return Image.fromarray(pixels), CLASSES[label_of(self.seed, place)]

    def scene(self, index: int) -> Scene:
        """A picture with its label and masks."""
        return draw_scene(self.seed, self._place(index), self.size)

    def masks(self, index: int) -> Bool[np.ndarray, "concepts size size"]:
        """Where each of `concepts` is seen in a picture."""
        return self.scene(index).masks

    @property
    def fixed(self) -> dict[str, str]:
        """Why edges and corners cannot be taken out, by concept."""
        return dict(FIXED)

    def again(self, index: int) -> SceneAgain:
        """A picture ready to be drawn again: without a concept, or with one alone."""
        return scene_again(self.seed, self._place(index), self.size)

    def _place(self, index: int) -> int:
        place = operator.index(index)
        if not -self.count <= place < self.count:
            raise IndexError(f"the world has {self.count} pictures; there is no picture {place}")
        return place % self.count
