"""Masks of a COCO instances file: of every annotation the category's px, as pycocotools tells them.

Of the file only numbers are kept: which annotations a picture has, and where in the file they stand; their outlines are
read when the picture comes. Crowds count as their category: they show it, though nobody parted one from another. A
picture without annotations shows nothing of all categories.
"""

from array import array
from collections.abc import Iterator, Mapping
from math import inf, isfinite
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64

from layerscope.core.errors import ImageError, UsageError
from layerscope.core.numbers import counted
from layerscope.masks.members import Member, element, members
from layerscope.masks.pictures import MaskFiles
from layerscope.masks.planes import MaskConcept, Plane, only, require_distinct
from layerscope.masks.runs import Misshapen, mask_of_polygons, mask_of_runs, packed_runs, plain_runs, require_filling

# A corner may lie so many times the picture's longer side beyond it.
_BEYOND = 10


class CocoMasks(MaskFiles):
    """The masks of a COCO instances file. data: the folder of the pictures; None looks beside the file.

    Raises UsageError for a file that is none, or whose parts do not fit together, ImageError where no picture is there.
    """

    def __init__(self, file: Path, data: Path | None) -> None:
        self.name, self._file = file.name, file
        found = _Contents(file)
        self.concepts, of_category = found.concepts()
        folder = _folder(file, data, found.names)
        there = [place for place, name in enumerate(found.names) if (folder / name).is_file()]
        self.pictures = [folder / found.names[place] for place in there]
        self._sizes = np.array(found.sizes, np.int32).reshape(-1, 2)[there]
        number = np.full(len(found.names), -1)
        number[there] = np.arange(len(there))
        image, category, start, end = found.annotations(of_category)
        self.said = [*found.said(), *_absent(found.names, there, folder)]
        order = np.argsort(image, kind="stable")
        order = order[number[image[order]] >= 0]
        self._concept, self._start, self._end = category[order], start[order], end[order]
        self._first = np.searchsorted(number[image[order]], np.arange(len(there) + 1))

    def size(self, place: int) -> tuple[int, int]:
        rows, cols = self._sizes[place].tolist()
        return rows, cols

    def planes(self, place: int) -> Iterator[Plane]:
        rows, cols = self.size(place)
        for row in range(int(self._first[place]), int(self._first[place + 1])):
            try:
                annotation = element(self._file, int(self._start[row]), int(self._end[row]))
                mask = mask_of(annotation["segmentation"], rows, cols)
            except (OSError, ValueError, TypeError, KeyError):
                raise ImageError(
                    f'"{self._file}" has changed since it was opened; run the same command again'
                ) from None
            except Misshapen as failure:
                raise ImageError(f'"{self._file}", annotation {annotation.get("id")}: {failure}') from None
            yield Plane(mask.view(np.uint8), only(int(self._concept[row])))


class _Contents:
    """What one reading of the file finds: images, categories, and where the annotations stand."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.names: list[str] = []
        self.sizes: list[tuple[int, int]] = []
        self._ids: dict[int, int] = {}
        self._categories: dict[int, MaskConcept] = {}
        self._annotations = array("q")  # of each seven numbers: see `_annotation`
        self._crowds = self._strays = 0
        takers = {"images": self._image, "categories": self._category, "annotations": self._annotation}
        for member in members(file):
            if (take := takers.get(member.key)) is not None:
                if not isinstance(member.value, Mapping):
                    raise self._refusal(member, "is no object")
                take(member, member.value)
        for key, held in (("images", self.names), ("categories", self._categories), ("annotations", self._annotations)):
            if not held:
                raise UsageError(f'"{file}" lists no {key}; expected a COCO instances file')

    def concepts(self) -> tuple[list[MaskConcept], dict[int, int]]:
        """The concepts, and by a category's id the place of its concept."""
        concepts = list(self._categories.values())
        require_distinct(concepts, f'"{self.file}"')
        return concepts, {id: place for place, id in enumerate(self._categories)}

    def annotations(self, of_category: dict[int, int]) -> tuple[np.ndarray, ...]:
        """Of every annotation of a picture that is listed its picture's place, its concept's, its start and its end."""
        found = np.frombuffer(self._annotations, np.int64).reshape(-1, 7)
        unknown = next((row for row in found.tolist() if row[1] not in of_category), None)
        if unknown is not None:
            where = f'"{self.file}", byte {unknown[2]}'
            raise UsageError(f"{where}: an annotation has the category {unknown[1]}, which is not listed")
        image = np.array([self._ids.get(id, -1) for id in found[:, 0].tolist()], np.int64)
        category = np.array([of_category[id] for id in found[:, 1].tolist()], np.int64)
        listed = image >= 0
        self._require_fitting(found[listed], np.array(self.sizes, np.int64)[image[listed]])
        self._strays = int((~listed).sum())
        return image[listed], category[listed], found[listed, 2], found[listed, 3]

    def _require_fitting(self, found: Int64[np.ndarray, "n 7"], sizes: Int64[np.ndarray, "n 2"]) -> None:
        """Raises UsageError for runs of another size than their picture's, and polygons far beyond it."""
        runs, far = (found[:, 4] > 0) & (found[:, 4:6] != sizes).any(1), found[:, 6] > _BEYOND * sizes.max(1)
        for row in np.flatnonzero(runs | far)[:1].tolist():
            size, own = sizes[row].tolist(), found[row, 4:6].tolist()
            what = f"runs of {own} px over a picture of {size}" if runs[row] else f"a polygon far outside of {size} px"
            raise UsageError(f'"{self.file}", byte {found[row, 2]}: an annotation has {what}')

    def said(self) -> list[str]:
        """Remarks; asked when the annotations have been taken."""
        crowds = [f"{counted(self._crowds, 'region')} of crowds, taken as the category's own"] if self._crowds else []
        strays = [f"{counted(self._strays, 'annotation')} of pictures that are not listed"] if self._strays else []
        return crowds + strays

    def _image(self, member: Member, value: Mapping[str, Any]) -> None:
        id, name = self._whole(member, value, "id"), value.get("file_name")
        if not isinstance(name, str) or not name or "\0" in name:
            raise self._refusal(member, "has no file_name")
        if id in self._ids:
            raise self._refusal(member, f"has the id {id} of another one")
        self._ids[id] = len(self.names)
        self.names.append(name)
        self.sizes.append((self._whole(member, value, "height", 1), self._whole(member, value, "width", 1)))

    def _category(self, member: Member, value: Mapping[str, Any]) -> None:
        id, name, above = self._whole(member, value, "id"), value.get("name"), value.get("supercategory")
        if not isinstance(name, str) or not name.strip():
            raise self._refusal(member, "has no name")
        if id in self._categories:
            raise self._refusal(member, f"has the id {id} of another one")
        category = above.strip() if isinstance(above, str) else ""
        self._categories[id] = MaskConcept(name=name.strip(), category=category)

    def _annotation(self, member: Member, value: Mapping[str, Any]) -> None:
        try:
            rows, cols, reach = extent_of(value.get("segmentation"))
        except Misshapen as failure:
            raise UsageError(
                f'"{self.file}", annotation {value.get("id", f"at byte {member.start}")}: {failure}'
            ) from None
        self._crowds += bool(value.get("iscrowd"))
        ids = self._whole(member, value, "image_id"), self._whole(member, value, "category_id")
        self._annotations.extend((*ids, member.start, member.end, rows, cols, int(min(reach, 2**62))))

    def _whole(self, member: Member, value: Mapping[str, Any], key: str, least: int = -(2**62)) -> int:
        found = value.get(key)
        if type(found) is not int or not least <= found < (2**31 if least > 0 else 2**62):
            raise self._refusal(member, f"has no {key} that is a whole number{' above zero' if least > 0 else ''}")
        return found

    def _refusal(self, member: Member, why: str) -> UsageError:
        return UsageError(f'"{self.file}", byte {member.start}: an entry of "{member.key}" {why}')


def extent_of(region: Any) -> tuple[int, int, float]:
    """Rows and columns that runs fill, and how far from the upper left corner polygons reach; 0 for the other.

    Raises Misshapen for what is neither.
    """
    if isinstance(region, list) and region:
        for polygon in region:
            if not isinstance(polygon, list) or not set(map(type, polygon)) <= {int, float}:
                raise Misshapen("its segmentation is no list of polygons, each a list of numbers")
            if len(polygon) < 6 or len(polygon) % 2:
                held = counted(len(polygon), "number")
                raise Misshapen(f"a polygon of {held}; it takes three corners, x and y of each")
        return 0, 0, max(map(_reach, region))
    if not isinstance(region, Mapping):
        raise Misshapen("it has no segmentation, so it cannot be told which px it means; leave such entries out")
    counts, size = region.get("counts"), region.get("size")
    match size:
        case [int(rows), int(cols)] if isinstance(counts, (list, str)) and 0 < rows < 2**20 and 0 < cols < 2**20:
            require_filling(_runs(counts), rows, cols)
            return rows, cols, 0.0
        case _:
            raise Misshapen("its segmentation has no counts and size")


def _reach(polygon: list[float]) -> float:
    """How far from the upper left corner it reaches; without end where a number is none, or too large to be one."""
    try:
        return max(max(polygon), -min(polygon)) if isfinite(sum(polygon)) else inf
    except OverflowError:
        return inf


def mask_of(region: Any, rows: int, cols: int) -> Bool[np.ndarray, "h w"]:
    """The mask of a region in a picture of rows x cols px. Raises Misshapen for runs that do not fill it."""
    if isinstance(region, list):
        return mask_of_polygons([np.array(polygon, np.float64) for polygon in region], rows, cols)
    return mask_of_runs(_runs(region["counts"]), rows, cols)


def _runs(counts: Any) -> Int64[np.ndarray, " runs"]:
    return packed_runs(counts) if isinstance(counts, str) else plain_runs(counts)


def _folder(file: Path, data: Path | None, names: list[str]) -> Path:
    """The folder of the pictures: the first of the usual ones that holds any of them. Raises ImageError without one."""
    split, here = file.stem.removeprefix("instances").lstrip("_"), file.resolve().parent
    usual = [home / place for home in (here, here.parent) for place in (f"images/{split}", split, "images", ".")]
    looked = [data] if data is not None else list(dict.fromkeys(usual))
    for folder in looked:
        if any((folder / name).is_file() for name in names):
            return folder
    listed = ", ".join(f'"{folder}"' for folder in looked)
    raise ImageError(f'no picture of "{file}", "{names[0]}" the first, lies in {listed}; give their folder as --data')


def _absent(names: list[str], there: list[int], folder: Path) -> list[str]:
    lacking = len(names) - len(there)
    if not lacking:
        return []
    first = names[next(place for place in range(len(names)) if place >= len(there) or there[place] != place)]
    return [f'{counted(lacking, "picture")} left out, not in "{folder}"; {first} the first']
