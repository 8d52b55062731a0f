"""Which output of a network stands for the class of a picture: by WordNet id, by index or by name."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Int64

from layerscope.core.errors import UsageError, nearest

WORDNET = re.compile(r"n\d{8}")
TABLE = "classes.tsv"
COLUMNS = ("index", "wnid", "name", "file")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    """One class. index: its output's place, counted from 0. file: one picture of it, empty where there is none."""

    index: str
    wnid: str = ""
    name: str = ""
    file: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All that the class goes by, the surest first."""
        return tuple(filter(None, (self.wnid, self.name, self.index)))


def table_beside(data: Path) -> Path | None:
    """The table of classes in a folder of data, beside a file of it, or beside the folder."""
    folders = (data, data.parent) if data.is_dir() else (data.parent,)
    return next((folder / TABLE for folder in folders if (folder / TABLE).is_file()), None)


def read_table(file: Path) -> list[ClassRow]:
    """A table of classes: tabs or commas, the columns named in the first line. Raises UsageError for any other file."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f'the table of classes "{file}" cannot be read: {error}') from error
    found = list(csv.DictReader(lines, delimiter="\t" if lines and "\t" in lines[0] else ","))
    if not found or not all((row.get("index") or "").isdecimal() for row in found):
        raise UsageError(
            f'"{file}" is no table of classes: its first line names the columns ({", ".join(COLUMNS)}), and each line '
            "below has an index"
        )
    return [ClassRow(**{name: (row.get(name) or "").strip() for name in COLUMNS}) for row in found]


def spelled(classes: Sequence[str], table: Sequence[ClassRow]) -> tuple[str, ...]:
    """Classes that are only numbers, by their WordNet ids where a table has them all."""
    wnids = {row.index: row.wnid for row in table}
    return tuple(wnids[name] for name in classes) if all(map(wnids.get, classes)) else tuple(classes)


class Outputs:
    """From a picture's identity and class to the index of a network's output.

    classes: the network's own names of its outputs, if any. count: how many outputs. table: what classes go by.
    listed: identity and class of all pictures.
    """

    def __init__(
        self,
        count: int,
        classes: Sequence[str],
        table: Sequence[ClassRow],
        listed: Iterable[tuple[str, str | None]],
    ) -> None:
        self.count, self.names = count, _indices(classes if len(classes) == count else ())
        placed = _placed(table, self.names, count)
        times = Counter(name for row in table for name in row.names)
        self._table = {name: p for row, p in placed for name in row.names if times[name] == 1}
        self._files = {PurePosixPath(row.file).name: p for row, p in placed if row.file and p is not None}
        # A folder for each class, all of them there: their order is that of the outputs.
        wnids = {name for identity, label in listed for name in _wordnet(identity, label)}
        self._sorted = {name: place for place, name in enumerate(sorted(wnids))} if len(wnids) == count else {}

    def index(self, identity: str, label: str | None) -> int | None:
        """The output that is right for a picture, None where it cannot be known."""
        if (place := self._files.get(PurePosixPath(identity).name)) is not None:
            return place
        for name in filter(None, (label, *_wordnet(identity, label))):
            for known in (self.names, self._table, self._sorted):
                if known.get(name) is not None:
                    return known[name]
        if label in self._table:
            return None
        return int(label) if label is not None and label.isdecimal() and int(label) < self.count else None

    def indices(self, pictures: Sequence[tuple[str, str | None]]) -> Int64[np.ndarray, " n"]:
        """The right output of each picture. Raises UsageError where one cannot be known."""
        found = [self.index(identity, label) for identity, label in pictures]
        for place, picture in zip(found, pictures, strict=True):
            if place is None:
                raise self._refusal(*picture)
        return np.array(found, np.int64)

    def _refusal(self, identity: str, label: str | None) -> UsageError:
        what = f'of class "{label}" ' if label else ""
        hint = nearest(label, self.names) if label else ""
        return UsageError(
            f'which of the {self.count:,} outputs is right for "{identity}" {what}cannot be known{hint}; give '
            "--classes FILE, a table with the columns index, wnid and name, or pictures of all classes by WordNet id"
        )


def _placed(table: Sequence[ClassRow], names: dict[str, int], count: int) -> list[tuple[ClassRow, int | None]]:
    """The output of each row, None for all where it cannot be known.

    A network's names are only trusted where each row has one of its own: of two lists of ImageNet, the one calls
    "maillot" what is the other's "tank suit".
    """
    for kind in ("wnid", "name", "index"):
        found = [names.get(getattr(row, kind)) for row in table]
        if None not in found and len(set(found)) == len(found):
            return list(zip(table, found, strict=True))
    # A table of other classes than the network's has other indices too.
    whole = {int(row.index) for row in table} == set(range(count))
    return [(row, int(row.index) if whole else None) for row in table]


def _indices(classes: Sequence[str]) -> dict[str, int]:
    """Names that only one output has."""
    return {name: place for place, name in enumerate(classes) if classes.count(name) == 1}


def _wordnet(identity: str, label: str | None) -> list[str]:
    """The WordNet id that a folder or the beginning of a file's name is."""
    if label is not None and WORDNET.fullmatch(label):
        return [label]
    match = WORDNET.match(PurePosixPath(identity).name)
    return [match[0]] if match else []
