"""Masks of Broden, the data set of network dissection (Bau et al. 2017): one line of index.csv for each picture.

A mask's number is in its red and green, R + 256 G, or in the line itself where it is of the whole picture (scenes,
textures). Masks are of sh x sw px over pictures of ih x iw. A picture whose line has nothing in the column of a
category says nothing of that category: it has no part in what is measured of it.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from layerscope.core.errors import ImageError, UsageError
from layerscope.core.failures import require_machine
from layerscope.core.numbers import counted
from layerscope.masks.numbers import by_number, coloured, plane_of
from layerscope.masks.pictures import MaskFiles
from layerscope.masks.planes import MaskConcept, Plane, require_distinct

INDEX, LABELS = "index.csv", "label.csv"
_SIZES = ("ih", "iw", "sh", "sw")
_OTHERS = {"image", "split", *_SIZES}


class BrodenMasks(MaskFiles):
    """The masks of a folder in Broden's form.

    Raises UsageError for tables that are none, ImageError without pictures.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"{folder.resolve().name}/"
        self._root = folder / "images" if (folder / "images").is_dir() else folder
        rows = _rows(folder / INDEX, ("image", *_SIZES))
        _, first = rows[0]
        self.categories = [key for key in first if key and key not in _OTHERS]
        if not self.categories:
            raise UsageError(f"{folder / INDEX} has no column of masks, such as object or part")
        self.concepts, self._by_number = _concepts(folder / LABELS, self.categories)
        self._marks = [tuple(row[key].strip() for key in self.categories) for _, row in rows]
        self._sizes = np.array([_sizes(folder / INDEX, line, row) for line, row in rows], np.int32)
        self.pictures = [self._root / row["image"] for _, row in rows]
        # A line with nothing in any column says nothing.
        there = [place for place, picture in enumerate(self.pictures) if any(self._marks[place]) and picture.is_file()]
        self._keep(there, folder)

    def _keep(self, there: list[int], folder: Path) -> None:
        """Leave out all other pictures, and say which."""
        if not there:
            raise ImageError(f'no picture of {folder / INDEX} is there with masks, "{self.pictures[0]}" the first')
        without = sum(not any(marks) for marks in self._marks)
        lacking = [self.pictures[place] for place, marks in enumerate(self._marks) if any(marks)]
        lacking = [picture for picture in lacking if not picture.is_file()] if len(lacking) > len(there) else []
        self.said = [f"{counted(without, 'picture')} left out, without any mask"] if without else []
        if lacking:
            self.said += [f'{counted(len(lacking), "picture")} left out, not there; "{lacking[0]}" the first']
        self.pictures = [self.pictures[place] for place in there]
        self._marks = [self._marks[place] for place in there]
        self._sizes = self._sizes[there]

    @property
    def sets(self) -> Int64[np.ndarray, " concepts"]:
        return np.array([self.categories.index(concept.category) for concept in self.concepts])

    def known(self, place: int) -> Bool[np.ndarray, " sets"]:
        return np.array([bool(marks) for marks in self._marks[place]])

    def size(self, place: int) -> tuple[int, int]:
        rows, cols = self._sizes[place, :2].tolist()
        return rows, cols

    def planes(self, place: int) -> Iterator[Plane]:
        for category, marks in zip(self.categories, self._marks[place], strict=True):
            for mark in filter(None, (part.strip() for part in marks.split(";"))):
                whole = mark.isascii() and mark.isdigit()
                path = Path(f"{INDEX}, {self.pictures[place].name}") if whole else self._root / mark
                numbers = np.array([[min(int(mark[:9]), 2**31 - 1)]]) if whole else self._numbers(path, place)
                yield plane_of(path, numbers, self._by_number[category], f'{LABELS}, as "{category}",')

    def _numbers(self, path: Path, place: int) -> Int64[np.ndarray, "h w"]:
        channels = coloured(path).astype(np.int64)
        if channels[..., 2].any():
            raise ImageError(f'the mask "{path}" has blue in it; a number is R + 256 G')
        expected = tuple(self._sizes[place, 2:].tolist())
        if channels.shape[:2] != expected:
            raise ImageError(f'the mask "{path}" is {list(channels.shape[:2])} px; its line says {list(expected)}')
        return channels[..., 0] + 256 * channels[..., 1]


def _rows(file: Path, needed: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """The lines of a table with a heading, each with its number."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.DictReader(opened)
            rows = [(reader.line_num, row) for row in reader]
    except OSError as failure:
        require_machine(failure, file, kind=UsageError)
        raise UsageError(f'"{file}" cannot be read: {failure.strerror}') from None
    except (UnicodeDecodeError, csv.Error):
        raise UsageError(f'"{file}" is no CSV text in UTF-8') from None
    lacking = [key for key in needed if key not in (reader.fieldnames or ())]
    if lacking:
        raise UsageError(f'{file} has no column "{lacking[0]}"; expected {", ".join(needed)}')
    if not rows:
        raise UsageError(f"{file} has no line below its heading")
    bad = next((line for line, row in rows if None in row or None in row.values()), None)
    if bad is not None:
        raise UsageError(f"{file}, line {bad}: it has not as many fields as the heading")
    return rows


def _sizes(file: Path, line: int, row: dict[str, str]) -> list[int]:
    found = [row[key].strip() for key in _SIZES]
    for key, field in zip(_SIZES, found, strict=True):
        if not (field.isascii() and field.isdigit() and 0 < int(field[:9]) < 2**20):
            raise UsageError(f'{file}, line {line}: expected a number of px in "{key}", got "{field[:40]}"')
    return list(map(int, found))


def _concepts(file: Path, categories: list[str]) -> tuple[list[MaskConcept], dict[str, Int64[np.ndarray, " n"]]]:
    """A concept for each label and category that it is listed in, and by category the places by number."""
    concepts: list[MaskConcept] = []
    named: dict[str, list[tuple[int, int]]] = {category: [] for category in categories}
    seen: set[int] = set()
    for line, row in _rows(file, ("number", "name", "category")):
        number = row["number"].strip()
        if not (number.isascii() and number.isdigit() and int(number[:9]) < 2**16) or int(number) in seen:
            raise UsageError(f'{file}, line {line}: expected a number below 65536 of its own, got "{number[:40]}"')
        seen.add(int(number))
        # As in "object(1020);part(33)": how often, in each category.
        listed = (part.partition("(")[0].strip() for part in row["category"].split(";"))
        for category in (name for name in listed if name in named and int(number)):
            named[category].append((int(number), len(concepts)))
            concepts.append(MaskConcept(name=row["name"].strip() or number, category=category))
    if not concepts:
        raise UsageError(f"{file} lists no label of the categories {', '.join(categories)}")
    require_distinct(concepts, file)
    return concepts, {category: by_number(pairs) for category, pairs in named.items()}
