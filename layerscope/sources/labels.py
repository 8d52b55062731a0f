"""A labels file says "file, class" for each image and replaces the classes that folders would give.

Fields are parted by tabs where the first line has one, otherwise by commas. A file is named by its identity, or by
any ending of it that only one image has: its name, or its key without the suffix.
"""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from layerscope.core.errors import UsageError, nearest
from layerscope.sources.source import Entry

HEADERS = frozenset({"file", "filename", "file_name", "image", "path", "key", "name", "item"})
AMBIGUOUS = -1


def with_labels(entries: Sequence[Entry], file: Path) -> list[Entry]:
    """The entries with the classes of the file; an image that the file does not name has none.

    Raises UsageError for a file that is missing or malformed, or that names an image which is not there.
    """
    places = _places(entries)
    classes: dict[str, str] = {}
    for number, name, label in _rows(file):
        known = PurePosixPath(name.replace("\\", "/"))
        place = places.get(str(known), places.get(name))
        if place is None and number == 1 and name.lower() in HEADERS:
            continue
        if place is None:
            hint = nearest(name, [entry.identity for entry in entries[:10_000]])
            raise UsageError(f'{file}, line {number}: there is no image "{name}"{hint}')
        if place == AMBIGUOUS:
            raise UsageError(f'{file}, line {number}: several images are called "{name}"; write the path of one')
        first = classes.setdefault(entries[place].identity, label)
        if first != label:
            raise UsageError(f'{file}, line {number}: "{name}" has two classes, "{first}" and "{label}"')
    if not classes:
        raise UsageError(f"{file} labels no image; each line should read: file, class")
    return [replace(entry, label=classes.get(entry.identity)) for entry in entries]


def _places(entries: Sequence[Entry]) -> dict[str, int]:
    """Every name that an image may go by; a whole identity wins over a shorter name."""
    places: dict[str, int] = {}
    for shorten in (_stem, _key, _name):
        found: dict[str, int] = {}
        for place, entry in enumerate(entries):
            short = shorten(entry.identity)
            found[short] = AMBIGUOUS if short in found else place
        places |= found
    return places | {entry.identity: place for place, entry in reversed(list(enumerate(entries)))}


def _name(identity: str) -> str:
    return PurePosixPath(identity).name


def _key(identity: str) -> str:
    return str(PurePosixPath(identity).with_suffix(""))


def _stem(identity: str) -> str:
    return PurePosixPath(identity).stem


def _rows(file: Path) -> list[tuple[int, str, str]]:
    """Line number, file and class of every line that is not blank."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"the labels file {file} is not UTF-8 text") from None
    except OSError as failure:
        raise UsageError(f"the labels file {file} cannot be read: {failure.strerror}") from None
    lines = text.splitlines()
    delimiter = "\t" if lines and "\t" in lines[0] else ","
    rows = []
    # One line is one row: a class never holds a line break, and so the number in a message is the line's.
    for number, line in enumerate(lines, start=1):
        fields = [field.strip() for field in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]
        if not any(fields):
            continue
        if len(fields) != 2 or not all(fields):
            raise UsageError(f"{file}, line {number}: expected two fields, file and class, got {len(fields)}")
        rows.append((number, fields[0], fields[1]))
    return rows
