"""A labels file names images and gives each a class, in place of the classes that folders would give.

Which column names the images is told by what it holds: most of its fields are images of the source. An image is named
by its identity, by an ending of it that only one image has, with or without its suffix, or by a longer path that ends
in it and goes through the source's own folder. The class is the other column; of several, the one headed so.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from layerscope.core.errors import UsageError, nearest
from layerscope.sources.listing import Entry
from layerscope.sources.table import TableLine, read_table

CLASS_HEADINGS = frozenset(
    {"class", "classes", "class_name", "classname", "label", "labels", "label_name", "category", "categories", "target",
     "cats", "tags", "tag", "breed", "species", "y"}
)  # fmt: skip
NUMBER_HEADINGS = frozenset({"", "index", "unnamed: 0", "level_0"})  # pandas writes its index so
SUFFIX = 6  # letters in which a name's suffix begins
Parts = tuple[str, ...]


def with_labels(entries: Sequence[Entry], file: Path) -> tuple[list[Entry], list[str]]:
    """The entries with the classes of the file, and remarks; an image that the file does not name has no class.

    Raises UsageError for a file that is missing or malformed, names no image, leaves open which column holds the
    classes, uses a name that several images have, or gives one image two classes.
    """
    table = table_of(entries, file)
    chosen = _class_column(file, table.heading, table.rows, table.column)
    classes: dict[str, str] = {}
    for line, identity in table.found():
        label = line.fields[chosen]
        if label and (first := classes.setdefault(identity, label)) != label:
            name = line.fields[table.column]
            raise UsageError(f'{file}, line {line.number}: "{name}" has two classes, "{first}" and "{label}"')
    labelled = [replace(entry, label=classes.get(entry.identity)) for entry in entries]
    said = [f"{file.name}: {table.elsewhere}"] if table.elsewhere else []
    return labelled, [*said, *_remarks(file, labelled), *table.remarks()]


@dataclass(frozen=True)
class ImageTable:
    """A table of images. heading: its first line, where that names none; rows: the others. column: holds the images."""

    file: Path
    heading: Parts | None
    rows: Sequence[TableLine]
    column: int
    names: "_Names"
    elsewhere: str | None

    def found(self) -> Iterator[tuple[TableLine, str]]:
        """The lines that name an image here, each with its identity. Raises UsageError for a name of several."""
        for line in self.rows:
            name = line.fields[self.column]
            found = self.names.find(name)
            if len(found) > 1:
                raise UsageError(
                    f'{self.file}, line {line.number}: several images are called "{name}"; write the path of one'
                )
            if found:
                yield line, found[0]

    def remarks(self) -> list[str]:
        """What is to be said of lines that name no image here."""
        unknown = [line for line in self.rows if not self.names.find(line.fields[self.column])]
        if not unknown:
            return []
        first = f'"{unknown[0].fields[self.column]}" (line {unknown[0].number})'
        return [f"{len(unknown):,} lines of {self.file.name} name no image here, {first} first"]


def table_of(entries: Sequence[Entry], file: Path) -> ImageTable:
    """A labels file, and which of its columns names these images. Raises UsageError where none does."""
    lines, names = read_table(file), _Names(entries)
    elsewhere = names.allow_elsewhere(field for line in lines for field in line.fields)
    fitness = [_fitness(lines, place, names) for place in range(len(lines[0].fields))]
    column = fitness.index(max(fitness))
    headed = not names.find(lines[0].fields[column]) and len(lines) > 1
    if not fitness[column][-1]:
        raise _no_image(file, lines, entries)
    rows = lines[1:] if headed else lines
    return ImageTable(file, lines[0].fields if headed else None, rows, column, names, elsewhere)


class _Names:
    """Finds images by what a table calls them."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        identities = dict.fromkeys(entry.identity for entry in entries)
        # First whole names are looked for, then those without their suffix.
        self._indices = _Index((name, name) for name in identities), _Index((_key(name), name) for name in identities)
        self._above = _above(entries[0])
        self._elsewhere: Parts | None = None
        self._found: dict[str, list[str]] = {}

    def find(self, name: str) -> list[str]:
        """The identities of all images that a name may mean; none, or hopefully one."""
        if name not in self._found:
            self._found[name] = self._search(name)
        return self._found[name]

    def _search(self, name: str) -> list[str]:
        given = _parts(name)
        for index in self._indices:
            if name in index.named:
                return index.named[name]
            for start in range(len(given)):
                rest = "/".join(given[start:])
                if rest in index.named and self._leads_here(given[:start]):
                    return index.named[rest]
            found = index.ending(given)
            if found:
                return found
        return []

    def _leads_here(self, lead: Parts) -> bool:
        """True for what may stand before an image's path: the way through the source's own folder."""
        return not lead or lead == self._elsewhere or (bool(self._above) and lead[-1] == self._above[-1])

    def allow_elsewhere(self, names: Iterable[str]) -> str | None:
        """Where all longer paths that end in an image begin alike, let them: the folder lay elsewhere. A remark on it.

        Not where one of them comes through the source's own folder: the others are other images then.
        """
        leads: set[Parts | None] = set()
        for name in names:
            given, found = _parts(name), self.find(name)
            if len(given) > 1 and found:
                leads |= {None} if len(given) > 1 + found[0].count("/") else set()
            elif len(given) > 1 and any(given[-1] in index.last for index in self._indices):
                leads.add(self._lead(given))
        if len(leads) != 1 or (lead := leads.pop()) is None:
            return None
        self._elsewhere, self._found = lead, {}
        return f'paths through "{"/".join(lead)}" are taken for those of the images here'

    def _lead(self, given: Parts) -> Parts | None:
        """What stands before the path of an image; None where the path does not end in one."""
        ends = (start for start in range(1, len(given)) for i in self._indices if "/".join(given[start:]) in i.named)
        start = next(ends, None)
        return None if start is None else given[:start]


class _Index:
    """Images by their paths. named: identities by path. last: paths by their last part."""

    def __init__(self, paths: Iterable[tuple[str, str]]) -> None:
        self.named: dict[str, list[str]] = defaultdict(list)
        for path, identity in paths:
            self.named[path].append(identity)
        self.last: dict[str, list[str]] = defaultdict(list)
        for path in self.named:
            self.last[path.rpartition("/")[2]].append(path)

    def ending(self, given: Parts) -> list[str]:
        """The images whose path ends in this one."""
        end = "/" + "/".join(given)
        paths = self.last.get(given[-1], []) if given else []
        return [identity for path in paths if path.endswith(end) or path == end[1:] for identity in self.named[path]]


def _parts(name: str) -> Parts:
    return tuple(p for p in name.replace("\\", "/").split("/") if p not in ("", ".", "..") and not p.endswith(":"))


def _key(identity: str) -> str:
    """A path without its last suffix."""
    folder, slash, name = identity.rpartition("/")
    return folder + slash + (name.rpartition(".")[0] or name)


def _above(entry: Entry) -> Parts:
    """The folders above the place that identities are relative to; none for what lies in an archive or a Dataset."""
    path, own = os.path.abspath(entry.path).replace("\\", "/") if entry.path else "", "/" + entry.identity
    return _parts(path.removesuffix(own)) if path.endswith(own) else ()


def _fitness(lines: Sequence[TableLine], column: int, names: _Names) -> tuple[bool, int, int]:
    """How well a column names images: not headed as classes are, names with a suffix, names in all."""
    known = [line.fields[column] for line in lines if names.find(line.fields[column])]
    whole = sum("." in name[-SUFFIX:] for name in known)
    return lines[0].fields[column].lower() not in CLASS_HEADINGS, whole, len(known)


def _class_column(file: Path, heading: Parts | None, rows: Sequence[TableLine], images: int) -> int:
    """The column that holds the classes. Raises UsageError where several may."""
    others = [place for place in range(len(rows[0].fields)) if place != images]
    if heading is not None:
        others = [place for place in others if heading[place].lower() not in NUMBER_HEADINGS] or others
        named = [place for place in others if heading[place].lower() in CLASS_HEADINGS]
        others = named if len(named) == 1 else others
    if len(others) == 1:
        return others[0]
    if heading is None:
        first = rows[0]
        raise UsageError(f"{file}, line {first.number}: expected two fields, file and class, got {len(first.fields)}")
    raise UsageError(
        f"{file}: which column holds the class? {', '.join(heading[place] for place in others)} stand beside "
        f'"{heading[images]}"; call one "class", or keep only two columns'
    )


def _no_image(file: Path, lines: Sequence[TableLine], entries: Sequence[Entry]) -> UsageError:
    """None of the fields is an image: the first line that is no heading tells what was looked for."""
    line = lines[min(1, len(lines) - 1)]
    hint = nearest(line.fields[0], [entry.identity for entry in entries[:10_000]])
    return UsageError(f'{file}, line {line.number}: there is no image "{line.fields[0]}"{hint}; it labels no image')


def _remarks(file: Path, labelled: Sequence[Entry]) -> list[str]:
    without = sum(entry.label is None for entry in labelled)
    return [f"{without:,} of the {len(labelled):,} images have no class in {file.name}"] if without else []
