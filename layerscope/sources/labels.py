"""A labels file names images and gives each a class, in place of the classes that folders would give.

Which column names the images is told by what it holds: most of its fields are images of the source. An image is named
by its identity, by an ending of it that only one image has, with or without its suffix, or by a longer path that ends
in it and goes through the source's own folder. The class is the other column; of several, the one headed so.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from layerscope.core.errors import UsageError, nearest
from layerscope.sources.source import Entry
from layerscope.sources.table import Line, read_table

CLASS_HEADINGS = frozenset(
    {"class", "classes", "class_name", "classname", "label", "labels", "label_name", "category", "categories", "target",
     "cats", "tags", "tag", "breed", "species", "y"}
)  # fmt: skip
NUMBER_HEADINGS = frozenset({"", "index", "unnamed: 0", "level_0"})  # pandas writes its index so
Parts = tuple[str, ...]


def with_labels(entries: Sequence[Entry], file: Path) -> tuple[list[Entry], list[str]]:
    """The entries with the classes of the file, and remarks; an image that the file does not name has no class.

    Raises UsageError for a file that is missing or malformed, names no image, leaves open which column holds the
    classes, uses a name that several images have, or gives one image two classes.
    """
    lines, names = read_table(file), _Names(entries)
    lead = names.allow_one_lead(field for line in lines for field in line.fields)
    column = max(range(len(lines[0].fields)), key=lambda place: (*_fitness(lines, place, names), -place))
    headed = not names.find(lines[0].fields[column]) and len(lines) > 1
    if not _fitness(lines, column, names)[-1]:
        raise _no_image(file, lines, entries)
    rows = lines[1:] if headed else lines
    chosen = _class_column(file, lines[0].fields if headed else None, rows, column)
    classes: dict[str, str] = {}
    unknown = []
    for line in rows:
        name, label = line.fields[column], line.fields[chosen]
        found = names.find(name)
        if not found:
            unknown.append(line)
            continue
        if len(found) > 1:
            raise UsageError(f'{file}, line {line.number}: several images are called "{name}"; write the path of one')
        if label and (first := classes.setdefault(found[0], label)) != label:
            raise UsageError(f'{file}, line {line.number}: "{name}" has two classes, "{first}" and "{label}"')
    labelled = [replace(entry, label=classes.get(entry.identity)) for entry in entries]
    return labelled, [*([f"{file.name}: {lead}"] if lead else []), *_remarks(file, labelled, unknown, column)]


@dataclass(frozen=True, slots=True)
class _Near:
    """An image by the parts of its path, with and without its suffix. above: the folders that the source lies in."""

    identity: str
    parts: Parts
    key: Parts
    above: Parts


class _Names:
    """Finds images by what a table calls them."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._whole: dict[str, str] = {}
        self._by_name: dict[str, list[_Near]] = defaultdict(list)
        self._found: dict[str, list[str]] = {}
        self._lead: Parts | None = None
        for entry in entries:
            if entry.identity in self._whole:
                continue
            self._whole[entry.identity] = entry.identity
            path = PurePosixPath(entry.identity)
            near = _Near(entry.identity, path.parts, path.with_suffix("").parts, _above(entry))
            for name in {path.name, path.stem}:
                self._by_name[name].append(near)

    def find(self, name: str) -> list[str]:
        """The identities of all images that a name may mean; none, or hopefully one."""
        if name not in self._found:
            self._found[name] = self._search(name)
        return self._found[name]

    def _search(self, name: str) -> list[str]:
        if name in self._whole:
            return [name]
        path = _path(name)
        if str(path) in self._whole:
            return [str(path)]
        near = self._by_name.get(path.name, [])
        for own in ("parts", "key"):
            found = [image.identity for image in near if self._is(_parts(path), getattr(image, own), image.above)]
            if found:
                return found
        return []

    def _is(self, given: Parts, own: Parts, above: Parts) -> bool:
        """True where one path ends in the other; a longer one must come through the source's own folder."""
        if len(given) <= len(own):
            return own[len(own) - len(given) :] == given
        lead = given[: len(given) - len(own)]
        return given[len(lead) :] == own and (lead == self._lead or (bool(above) and lead[-1] == above[-1]))

    def allow_one_lead(self, names: Iterable[str]) -> str | None:
        """Where all longer paths that end in an image begin alike, let them: the folder lay elsewhere. A remark on that.

        Not where one of them comes through the source's own folder: the others are other images then.
        """
        leads: set[Parts | None] = set()
        for name in names:
            given, near = _parts(_path(name)), self._by_name.get(_path(name).name, [])
            found = self.find(name)
            if found and len(given) > len(PurePosixPath(found[0]).parts):
                leads.add(None)
            elif near and not found:
                ends = {image.parts if given[-1] == image.parts[-1] else image.key for image in near}
                own = next((own for own in ends if given[len(given) - len(own) :] == own), None)
                leads.add(None if own is None else given[: len(given) - len(own)])
        if len(leads) != 1 or (lead := leads.pop()) is None:
            return None
        self._lead, self._found = lead, {}
        return f'paths through "{"/".join(lead)}" are taken for those of the images here'


def _path(name: str) -> PurePosixPath:
    return PurePosixPath(os.path.normpath(name.replace("\\", "/"))) if name else PurePosixPath()


def _parts(path: PurePosixPath) -> Parts:
    return tuple(part for part in path.parts if part not in ("/", "..") and not part.endswith(":"))


def _above(entry: Entry) -> Parts:
    """The folders above the place that identities are relative to; none for what lies in an archive or a Dataset."""
    path = PurePosixPath(os.path.abspath(entry.path).replace("\\", "/")) if entry.path else PurePosixPath()
    own = PurePosixPath(entry.identity).parts
    return path.parts[: -len(own)] if path.parts[-len(own) :] == own else ()


def _fitness(lines: Sequence[Line], column: int, names: _Names) -> tuple[bool, int, int]:
    """How well a column names images: not headed as classes are, names with a suffix, names in all."""
    known = [line.fields[column] for line in lines if names.find(line.fields[column])]
    whole = sum(bool(PurePosixPath(name).suffix) for name in known)
    return lines[0].fields[column].lower() not in CLASS_HEADINGS, whole, len(known)


def _class_column(file: Path, heading: Parts | None, rows: Sequence[Line], images: int) -> int:
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


def _no_image(file: Path, lines: Sequence[Line], entries: Sequence[Entry]) -> UsageError:
    """None of the fields is an image: the first line that is no heading tells what was looked for."""
    line = lines[min(1, len(lines) - 1)]
    hint = nearest(line.fields[0], [entry.identity for entry in entries[:10_000]])
    return UsageError(f'{file}, line {line.number}: there is no image "{line.fields[0]}"{hint}; it labels no image')


def _remarks(file: Path, labelled: Sequence[Entry], unknown: Sequence[Line], column: int) -> list[str]:
    said = []
    without = sum(entry.label is None for entry in labelled)
    if without:
        said.append(f"{without:,} of the {len(labelled):,} images have no class in {file.name}")
    if unknown:
        first = f'"{unknown[0].fields[column]}" (line {unknown[0].number})'
        said.append(f"{len(unknown):,} lines of {file.name} name no image here, {first} first")
    return said
