"""Masks that are known by the names of the images' files, such as those of a world on disk."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool

from layerscope.core.errors import ImageError
from layerscope.core.progress import Progress
from layerscope.dissect.score import ConceptLike
from layerscope.sources import Source, open_source
from layerscope.world import MaskFolder


@runtime_checkable
class KeyedMasks(Protocol):
    """Masks by the name of the image's file, without its ending."""

    @property
    def concepts(self) -> Sequence[ConceptLike]: ...

    def masks(self, key: str, /) -> Bool[np.ndarray, "concepts h w"]: ...


class Keyed:
    """Masks that are known by the images' file names, as masks by number in a source."""

    said: tuple[str, ...] = ()

    def __init__(self, folder: "KeyedMasks", source: Source) -> None:
        self.concepts, self.source = folder.concepts, source
        self._folder = folder
        self._keys = [PurePosixPath(identity).stem for identity, _ in source.listing()]

    def masks(self, image: int, /) -> Bool[np.ndarray, "concepts h w"]:
        return self._folder.masks(self._keys[image])


def open_world(path: Path, data: None, limit: int | None, progress: Progress | None = None) -> Keyed:
    """What `layerscope world` wrote to a folder. Raises ImageError for what is none of its, or lacks pictures."""
    masks = MaskFolder(path)
    images = path / "images"
    if not images.is_dir() and not any(path.glob("*.tar")):
        raise ImageError(f'"{path}" holds masks but no pictures; write the world anew')
    return Keyed(masks, open_source(images if images.is_dir() else sorted(path.glob("*.tar")), limit=limit))
