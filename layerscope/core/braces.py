"""Brace patterns, as shells and WebDataset write them: one text that names many files, which need not be listed.

``{000000..001281}`` counts, with the zeros of its ends; ``{train,val}`` names alternatives; several of them multiply,
the last one the fastest. Braces that hold neither are part of a name.
"""

import re
from collections.abc import Iterator

from layerscope.core.errors import UsageError

# More is no list of files but a slip of the pen.
MOST = 1_000_000
_BRACE = re.compile(r"\{(?:(\d+)\.\.(\d+)|([^{}]*,[^{}]*))\}")


def has_braces(text: str) -> bool:
    """True for a text that stands for others."""
    return _BRACE.search(text) is not None


def expanded(text: str) -> list[str]:
    """What a pattern stands for, in order; of a text without braces itself. Raises UsageError for over a million."""
    count = 1
    for found in _BRACE.finditer(text):
        count *= abs(int(found[2]) - int(found[1])) + 1 if found[3] is None else found[3].count(",") + 1
    if count > MOST:
        raise UsageError(f'"{text}" stands for {count:,} files; at most {MOST:,} can be named so')
    return list(_expanded(text))


def _expanded(text: str) -> Iterator[str]:
    found = _BRACE.search(text)
    if found is None:
        yield text
        return
    for word in _words(found):
        for rest in _expanded(text[found.end() :]):
            yield f"{text[: found.start()]}{word}{rest}"


def _words(found: re.Match[str]) -> Iterator[str]:
    first, last, words = found.groups()
    if words is not None:
        yield from words.split(",")
        return
    padded = first.startswith("0") or last.startswith("0")
    digits = max(len(first), len(last)) if padded else 0
    step = 1 if int(first) <= int(last) else -1
    for number in range(int(first), int(last) + step, step):
        yield f"{number:0{digits}d}" if digits else str(number)
