"""A large JSON file, read piece by piece: only one element of its lists is held at a time.

The text is scanned as Latin-1, one byte a letter, so that places in it are places in the file: an element can be read
again later by its place, in its own encoding.
"""

import codecs
import json
import mmap
import re
from collections.abc import Generator, Iterator
from os import SEEK_END
from pathlib import Path
from typing import Any, NamedTuple

from layerscope.core.errors import UsageError
from layerscope.core.failures import require_machine

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
_MARK = b"\xef\xbb\xbf"


class Member(NamedTuple):
    """An element of a list of the file. key: the list's name. start, end: where it lies, bytes."""

    key: str
    value: Any
    start: int
    end: int


def members(file: Path) -> Iterator[Member]:
    """Every element of the lists at the top of the file, in order; what else lies there is passed over.

    Raises UsageError for what cannot be read, or is no JSON with an object at its top.
    """
    text = _text(file)
    try:
        yield from _scanned(text, len(_MARK) if text.startswith(_MARK.decode("latin-1")) else 0)
    except (ValueError, IndexError, RecursionError):
        raise UsageError(f'"{file}" is no JSON file, or a broken one; expected a COCO instances file') from None


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            if not opened.seek(0, SEEK_END):
                return ""
            # Not read first: that would hold a large file twice.
            with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return codecs.latin_1_decode(content)[0]
    except OSError as failure:
        require_machine(failure, file, kind=UsageError)
        raise UsageError(f'"{file}" cannot be read: {failure.strerror}') from None


def element(file: Path, start: int, end: int) -> Any:
    """An element, read again. Raises ValueError where it has changed."""
    with file.open("rb") as opened:
        opened.seek(start)
        return json.loads(opened.read(end - start))


def _scanned(text: str, place: int) -> Iterator[Member]:
    place = _required(text, _after(text, place), "{")
    while text[place] != "}":
        _required(text, place, '"')
        key, place = _DECODER.raw_decode(text, place)
        place = _required(text, _after(text, place), ":")
        if text[place] == "[":
            place = yield from _elements(text, place, key)
        else:
            _, place = _DECODER.raw_decode(text, place)
        place = _parted(text, place, "}")


def _elements(text: str, place: int, key: str) -> Generator[Member, None, int]:
    """The elements of a list; returns the place behind it."""
    place = _required(text, place, "[")
    while text[place] != "]":
        value, end = _DECODER.raw_decode(text, place)
        part = text[place:end]
        # What is not plain letters is read in its own encoding.
        yield Member(key, value if part.isascii() else json.loads(part.encode("latin-1")), place, end)
        place = _parted(text, end, "]")
    return place + 1


def _parted(text: str, place: int, end: str) -> int:
    """Where the next value begins, behind a comma, or where the end stands."""
    place = _after(text, place)
    if text[place] == end:
        return place
    place = _required(text, place, ",")
    if text[place] == end:
        raise ValueError(end)
    return place


def _required(text: str, place: int, letter: str) -> int:
    """The place behind a letter and the blanks after it. Raises ValueError where another stands there."""
    if text[place] != letter:
        raise ValueError(letter)
    return _after(text, place + 1)


def _after(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    assert found is not None, "it matches nothing at all"
    return found.end()
