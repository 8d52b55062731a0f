"""A table of numbers and names: what the numbers of masks stand for.

The first line may be a heading; ADE20K's objectInfo150.txt is such a table. Names may have a category. A number with an
empty name is unlabelled.
"""

from pathlib import Path

from layerscope.core.errors import UsageError
from layerscope.masks.planes import MaskConcept, require_distinct
from layerscope.sources.table import TableLine, read_table

LARGEST = 65535  # what a PNG of 16 bits can hold
_HEADINGS = {
    "number": ("number", "idx", "index", "id", "value"),
    "name": ("name", "names", "class", "label"),
    "category": ("category", "supercategory", "group"),
    "stuff": ("stuff",),
}
_STUFF = {"0": "thing", "1": "stuff"}
_FORM = "number, name"


def names_in(file: Path) -> tuple[list[MaskConcept], list[tuple[int, int]]]:
    """The concepts of a table, and every number with the place of its concept, -1 for an unlabelled one.

    Raises UsageError for what is no such table.
    """
    lines = read_table(file, called="table of names", form=_FORM)
    columns = _columns(file, lines[0])
    if not _number(lines[0].fields[columns["number"]]):
        lines = lines[1:]
    concepts: list[MaskConcept] = []
    named: dict[int, int] = {}
    for line in lines:
        number = _required(file, line, columns["number"])
        if number in named:
            raise UsageError(f"{file}, line {line.number}: the number {number} has a name already")
        name, category = line.fields[columns["name"]], _category(line, columns)
        named[number] = len(concepts) if name else -1
        concepts += [MaskConcept(name=name, category=category)] if name else []
    if not concepts:
        raise UsageError(f"{file} names no number; each line should read: {_FORM}")
    require_distinct(concepts, file)
    return concepts, list(named.items())


def _columns(file: Path, first: TableLine) -> dict[str, int]:
    """Where number, name and what else is known stand."""
    folded = [field.casefold() for field in first.fields]
    found = {
        what: next((place for place, field in enumerate(folded) if field in words), -1)
        for what, words in _HEADINGS.items()
    }
    if found["number"] >= 0 and found["name"] >= 0:
        return found
    if _number(first.fields[0]) and len(first.fields) in (2, 3):
        return {"number": 0, "name": 1, "category": 2 if len(first.fields) == 3 else -1, "stuff": -1}
    raise UsageError(f'{file}, line {first.number}: expected "{_FORM}", or a heading with both words')


def _category(line: TableLine, columns: dict[str, int]) -> str:
    if columns["category"] >= 0:
        return line.fields[columns["category"]]
    return _STUFF.get(line.fields[columns["stuff"]], "") if columns["stuff"] >= 0 else ""


def _number(field: str) -> bool:
    return field.isascii() and field.isdigit()


def _required(file: Path, line: TableLine, column: int) -> int:
    field = line.fields[column]
    if not _number(field) or len(field) > 9 or int(field) > LARGEST:
        raise UsageError(f'{file}, line {line.number}: expected a number from 0 to {LARGEST}, got "{field[:40]}"')
    return int(field)
