"""Pictures and their masks, joined: which of them are there, how masks lie on pictures, and what is told at the start.

A picture is turned upright by its EXIF orientation, and its masks may have been drawn over it as it is stored, or as it
is shown: where rows and columns change places their sizes tell which, and masks of the stored one are turned along.
Where sizes cannot tell, the picture is left out.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from layerscope.core.errors import ImageError
from layerscope.core.numbers import counted
from layerscope.core.progress import Progress, Silent
from layerscope.core.stages import MASKS
from layerscope.masks.planes import MaskConcept, Plane
from layerscope.sources import Source, open_source
from layerscope.sources.decode import TURNS, stored_size

SOME = 8  # pictures whose masks are read before anything slow begins
_AMBIGUOUS = 255


class MaskFiles(ABC):
    """Masks of one form, by the place of their picture in `pictures`. concepts: what they can show. said: remarks."""

    concepts: Sequence[MaskConcept]
    pictures: Sequence[Path]
    name: str
    said: Sequence[str] = ()

    @abstractmethod
    def size(self, place: int) -> tuple[int, int]:
        """Rows and columns of the picture, as the masks have it. Raises ImageError for masks that cannot be used."""

    @abstractmethod
    def planes(self, place: int) -> Iterator[Plane]:
        """The masks of a picture. Raises ImageError for masks that cannot be used."""

    @property
    def sets(self) -> Int64[np.ndarray, " concepts"]:
        """The set of each concept: of all of one it is known in the same pictures where they are."""
        return np.zeros(len(self.concepts), np.int64)

    def known(self, place: int) -> Bool[np.ndarray, " sets"]:
        """Of which sets it is known where in the picture their concepts are."""
        return np.ones(1, bool)


@dataclass(frozen=True, eq=False)
class MaskedPictures:
    """Pictures with masks, by their number in `source`. said: remarks, as sentences."""

    source: Source
    said: tuple[str, ...]
    _files: MaskFiles
    _places: Int64[np.ndarray, " n"]
    _turns: UInt8[np.ndarray, " n"]

    @property
    def concepts(self) -> Sequence[MaskConcept]:
        return self._files.concepts

    @property
    def sets(self) -> Int64[np.ndarray, " concepts"]:
        """The set of each concept: of all of one it is known in the same pictures where they are."""
        return self._files.sets

    def known(self, image: int, /) -> Bool[np.ndarray, " sets"]:
        """Of which sets it is known where in the picture their concepts are."""
        return self._files.known(int(self._places[image]))

    def planes(self, image: int, /) -> Iterator[Plane]:
        """The masks of a picture, as they lie on it upright. Raises ImageError."""
        turn = int(self._turns[image])
        return (plane.turned(turn) for plane in self._files.planes(int(self._places[image])))


def masked_pictures(files: MaskFiles, limit: int | None = None, progress: Progress | None = None) -> MaskedPictures:
    """Pictures and masks whose sizes fit, the first `limit` of them. Raises ImageError where any do not, or none do."""
    reporter, count = progress or Silent(), len(files.pictures) if limit is None else min(limit, len(files.pictures))
    turns = np.zeros(count, np.uint8)
    reporter.start(MASKS.name, count, 0)
    for place in range(count):
        turns[place] = _turn(files.pictures[place], files.size(place))
        reporter.step()
    unsure = np.flatnonzero(turns == _AMBIGUOUS).tolist()
    said = list(files.said)
    if unsure:
        first = files.pictures[unsure[0]].name
        said.append(
            f"{counted(len(unsure), 'picture')} left out, {first} the first: turned by EXIF, where the size does not "
            "tell whether masks were drawn over the picture as it is stored or as it is shown"
        )
    kept = [place for place in range(count) if turns[place] != _AMBIGUOUS]
    if not kept:
        raise ImageError(f"no picture of {files.name} can be used: {said[-1]}")
    opened = open_source([files.pictures[place] for place in kept])
    by_path = {str(files.pictures[place]): place for place in kept}
    places = np.array([by_path[entry.path] for entry in opened.entries], np.int64)
    name = f"{files.name} ({counted(len(places), 'image')})"
    source = opened.listing_only(opened.entries, name=name, said=opened.said)
    found = MaskedPictures(source, tuple(said), files, places, turns[places])
    for image in sorted({round(part * (len(source) - 1) / (SOME - 1)) for part in range(SOME)}):
        for _ in found.planes(image):
            pass
    return found


def _turn(picture: Path, size: tuple[int, int]) -> int:
    """The EXIF orientation by which masks of this size are to be turned; 0 where they lie upright."""
    stored = stored_size(picture)
    if stored is None:  # the source says why
        return 0
    rows, cols, orientation = stored
    crosswise, turned = orientation >= 5, orientation in TURNS
    upright = (cols, rows) if crosswise else (rows, cols)
    if size not in (upright, (rows, cols)):
        raise ImageError(
            f'the masks of "{picture}" are of a picture of {size[0]} x {size[1]} px, and it has {upright[0]} x '
            f"{upright[1]}; masks must be of their picture's size"
        )
    if turned and (rows == cols or not crosswise):
        return _AMBIGUOUS
    return orientation if turned and size != upright else 0
