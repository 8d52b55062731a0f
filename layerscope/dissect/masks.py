"""Where concepts are: what a set of images with masks must offer, and its masks kept small on the evaluation grid."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from layerscope.core.errors import ImageError
from layerscope.core.records import Placement
from layerscope.dissect.grid import EvaluationGrid, masks_on
from layerscope.dissect.score import ConceptLike
from layerscope.sources import Source


@runtime_checkable
class MaskedImages(Protocol):
    """Images whose content is known. concepts: what is looked for, the same for all images."""

    @property
    def concepts(self) -> Sequence[ConceptLike]: ...

    def masks(self, image: int, /) -> Bool[np.ndarray, "concepts h w"]:
        """Where each concept occurs in the image of this number, in px of the source picture."""
        ...


class Masks:
    """The masks of all images looked at, in their order, one bit per concept and px of the grid."""

    def __init__(self, masked: MaskedImages, grid: EvaluationGrid) -> None:
        self.masked, self.grid = masked, grid
        self.concepts = tuple(masked.concepts)
        self.area = np.zeros(len(self.concepts), np.int64)
        self._packed: list[UInt8[np.ndarray, "c bytes"]] = []

    def __len__(self) -> int:
        return len(self._packed)

    def add(self, image: int, placement: Placement) -> None:
        """Take the next image's masks. Raises ImageError where they do not fit the picture."""
        masks = self.masked.masks(image)
        wanted = (len(self.concepts), placement.height, placement.width)
        if masks.shape != wanted:
            raise ImageError(
                f"the masks of image {image} are {list(masks.shape)}; expected one for each of the {wanted[0]} "
                f"concepts, of the picture's size: {list(wanted)}"
            )
        on_grid = masks_on(self.grid, masks, placement)
        self.area += on_grid.sum(1)
        self._packed.append(np.packbits(on_grid, axis=1))

    def of(self, places: Int64[np.ndarray, " n"]) -> Bool[np.ndarray, "n c px"]:
        """The masks of the images at these places of the order."""
        packed = np.stack([self._packed[place] for place in places])
        return np.unpackbits(packed, axis=2, count=self.grid.px).astype(bool)


@runtime_checkable
class KeyedMasks(Protocol):
    """Masks by the name of the image's file, without its ending."""

    @property
    def concepts(self) -> Sequence[ConceptLike]: ...

    def masks(self, key: str, /) -> Bool[np.ndarray, "concepts h w"]: ...


class Keyed:
    """Masks that are known by the images' file names, as masks by number in a source."""

    def __init__(self, folder: "KeyedMasks", source: Source) -> None:
        self.concepts = folder.concepts
        self._folder = folder
        self._keys = [PurePosixPath(identity).stem for identity, _ in source.listing()]

    def masks(self, image: int, /) -> Bool[np.ndarray, "concepts h w"]:
        return self._folder.masks(self._keys[image])
