"""Where concepts are: what a set of images with masks must offer, and its masks kept small on the evaluation grid."""

import math
import tempfile
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Int64, Integer

from layerscope.core.errors import ImageError
from layerscope.core.records import Placement
from layerscope.dissect.grid import EvaluationGrid, masks_on, numbers_on
from layerscope.dissect.overlap import Marked
from layerscope.dissect.score import ConceptLike

# So many bytes of masks are held; the others lie on disk, packed with the least effort.
_IN_MEMORY, _EFFORT = 2**26, 1


@runtime_checkable
class MaskedImages(Protocol):
    """Images whose content is known. concepts: what is looked for, the same for all images."""

    @property
    def concepts(self) -> Sequence[ConceptLike]: ...

    def masks(self, image: int, /) -> Bool[np.ndarray, "concepts h w"]:
        """Where each concept occurs in the image of this number, in px of the source picture."""
        ...


@runtime_checkable
class PlaneLike(Protocol):
    """Numbers over a whole picture, of any size, and by number the place of its concept, -1 for none."""

    @property
    def numbers(self) -> Integer[np.ndarray, "h w"]: ...

    @property
    def concepts(self) -> Int64[np.ndarray, " numbers"]: ...


@runtime_checkable
class PlanedImages(Protocol):
    """Images whose content is known plane by plane, where most concepts are not in most images.

    sets: the set of each concept, counted from 0: of all concepts of a set it is known in the same images where they
    are, and an image of which it is not known has no part in what is measured of them.
    """

    @property
    def concepts(self) -> Sequence[ConceptLike]: ...

    @property
    def sets(self) -> Int64[np.ndarray, " concepts"]: ...

    def known(self, image: int, /) -> Bool[np.ndarray, " sets"]: ...

    def planes(self, image: int, /) -> Iterator[PlaneLike]: ...


class DrawnOnce:
    """Masked images whose masks are drawn once, for several networks that are dissected by the same images.

    They are kept packed and compressed, a few kB an image.
    """

    def __init__(self, masked: MaskedImages) -> None:
        self.concepts, self.masked = masked.concepts, masked
        self._kept: dict[int, tuple[tuple[int, ...], bytes]] = {}

    def masks(self, image: int, /) -> Bool[np.ndarray, "concepts h w"]:
        """Where each concept occurs in the image of this number, in px of the source picture."""
        if image not in self._kept:
            found = self.masked.masks(image)
            self._kept[image] = found.shape, zlib.compress(np.packbits(found).tobytes(), _EFFORT)
            return found
        shape, packed = self._kept[image]
        bits = np.frombuffer(zlib.decompress(packed), np.uint8)
        return np.unpackbits(bits, count=math.prod(shape)).reshape(shape).astype(bool)


class Masks:
    """The masks of all images looked at, in their order: of each its concepts, one bit for each px of the grid.

    They lie in a nameless file, but for the first few. area: px that carry each concept. sets: as of PlanedImages.
    """

    def __init__(self, masked: MaskedImages | PlanedImages, grid: EvaluationGrid) -> None:
        self.grid = grid
        self.concepts = tuple(masked.concepts)
        self.area = np.zeros(len(self.concepts), np.int64)
        # Asked once: to tell a protocol takes as long as to answer by it.
        self._planed = masked if isinstance(masked, PlanedImages) else None
        self._whole = None if isinstance(masked, PlanedImages) else masked
        self.sets = np.zeros(len(self.concepts), np.int64) if self._planed is None else self._planed.sets
        self._known = bytearray()
        self._file = _nameless()
        self._ends = array("q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def close(self) -> None:
        self._file.close()

    @property
    def known(self) -> Bool[np.ndarray, "n sets"]:
        """Of which sets it is known in each image where its concepts are."""
        return np.frombuffer(bytes(self._known), bool).reshape(len(self), self.set_count)

    @property
    def set_count(self) -> int:
        return int(self.sets.max(initial=0)) + 1

    @property
    def px(self) -> Int64[np.ndarray, " concepts"]:
        """Of how many px it is known whether they carry each concept."""
        return self.known.sum(0)[self.sets] * self.grid.px

    def known_of(self, images: Sequence[int]) -> Bool[np.ndarray, "n sets"]:
        """The same of images of these numbers in the source."""
        if self._planed is None:
            return np.ones((len(images), 1), bool)
        return np.stack([self._planed.known(image) for image in images])

    def add(self, image: int, placement: Placement) -> None:
        """Take the next image's masks. Raises ImageError where they do not fit the picture."""
        if self._planed is not None:
            found = _of_planes(self.grid, self._planed.planes(image), placement)
        else:
            assert self._whole is not None, "it is one or the other"
            found = self._of_all(self._whole.masks(image), image, placement)
        self.area[found.concepts] += found.marked.sum(1)
        self._known += self.known_of([image]).tobytes()
        header = np.array([len(found.concepts), *found.concepts], np.int32).tobytes()
        self._file.seek(self._ends[-1])
        self._file.write(header + zlib.compress(np.packbits(found.marked, axis=1).tobytes(), _EFFORT))
        self._ends.append(self._file.tell())

    def _of_all(self, masks: Bool[np.ndarray, "concepts h w"], image: int, placement: Placement) -> Marked:
        wanted = (len(self.concepts), placement.height, placement.width)
        if masks.shape != wanted:
            raise ImageError(
                f"the masks of image {image} are {list(masks.shape)}; expected one for each of the {wanted[0]} "
                f"concepts, of the picture's size: {list(wanted)}"
            )
        on_grid = masks_on(self.grid, masks, placement)
        there = np.flatnonzero(on_grid.any(1))
        return Marked(there, on_grid[there])

    def of(self, places: Int64[np.ndarray, " n"]) -> list[Marked]:
        """The masks of the images at these places of the order; none for -1."""
        return [self._at(place) if place >= 0 else Marked.nothing(self.grid.px) for place in places.tolist()]

    def _at(self, place: int) -> Marked:
        start, end = self._ends[place], self._ends[place + 1]
        self._file.seek(start)
        content = self._file.read(end - start)
        count = int(np.frombuffer(content, np.int32, 1)[0])
        concepts = np.frombuffer(content, np.int32, count, offset=4).astype(np.int64)
        bits = np.frombuffer(zlib.decompress(content[4 + 4 * count :]), np.uint8).reshape(count, -1)
        return Marked(concepts, np.unpackbits(bits, axis=1, count=self.grid.px).astype(bool))


def _nameless() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(_IN_MEMORY)


def _of_planes(grid: EvaluationGrid, planes: Iterable[PlaneLike], placement: Placement) -> Marked:
    """What planes mark, concept by concept; several planes of one are joined."""
    found: dict[int, np.ndarray] = {}
    for plane in planes:
        numbers = numbers_on(grid, plane.numbers, placement)
        for number in np.unique(numbers[numbers >= 0]).tolist():
            concept = int(plane.concepts[number])
            if concept >= 0:
                here = numbers == number
                found[concept] = found[concept] | here if concept in found else here
    concepts = sorted(found)
    return Marked(np.array(concepts, np.int64), np.array([found[one] for one in concepts], bool).reshape(-1, grid.px))
