"""A table that a spreadsheet, pandas or a person wrote becomes lines of fields, whatever parts the fields.

Fields are parted by tabs, semicolons, commas, bars or blanks: by that of these which gives the most lines the same
number of them, two or more. Text is UTF-8, or UTF-16 as Excel writes it, with its mark in front.
"""

import codecs
import csv
from dataclasses import dataclass
from pathlib import Path

from layerscope.core.errors import UsageError
from layerscope.sources.signatures import format_of_bytes

LOOKED_AT = 1000  # lines that tell the delimiter
DELIMITERS = ("\t", ";", ",", "|", " ")
MARKED = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True, slots=True)
class TableLine:
    """One line of a table. number: from 1, as an editor counts."""

    number: int
    fields: tuple[str, ...]


def read_table(file: Path, *, called: str = "labels file", form: str = "file, class") -> list[TableLine]:
    """The lines of a table that are not blank, all with as many fields, without the blanks around them.

    called: what the table is; form: what a line of it holds. Raises UsageError for what cannot be read, is no text or
    no table, and for a line of another width, by number.
    """
    text = _text(file, called)
    if text.lstrip()[:1] in ("{", "["):
        raise UsageError(f"the {called} {file} is JSON; write it as a table with lines of {form}")
    # One line is one row: a class never holds a line break, and so the number in a message is the line's.
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip(" \t;,|")]
    if not lines:
        raise UsageError(f"{file} holds no line; each should read: {form}")
    # The delimiter that gives the most of the first lines one width of two fields or more; of equals, the first.
    delimiter = max(DELIMITERS, key=lambda delimiter: _common_width(_parted(lines[:LOOKED_AT], delimiter))[1])
    table = _parted(lines, delimiter)
    width, _ = _common_width(table)
    odd = next((line for line in table if len(line.fields) != width or width < 2), None)
    if odd is None:
        return table
    wanted = f"two fields, {form.replace(', ', ' and ')}" if width <= 2 else f"{width} fields, as in the other lines"
    raise UsageError(f"{file}, line {odd.number}: expected {wanted}, got {len(odd.fields)}")


def _common_width(table: list[TableLine]) -> tuple[int, int]:
    """The number of fields, above one, that most lines have, and how many have it."""
    counts: dict[int, int] = {}
    for line in table:
        counts[len(line.fields)] = counts.get(len(line.fields), 0) + 1
    several = {width: count for width, count in counts.items() if width > 1}
    return max(several.items(), key=lambda pair: pair[1]) if several else (1, 0)


def _parted(lines: list[tuple[int, str]], delimiter: str) -> list[TableLine]:
    found = []
    for number, line in lines:
        # Blanks at the ends and in a row part nothing.
        text = " ".join(line.split()) if delimiter == " " else line
        quoted = csv.reader([text], delimiter=delimiter, skipinitialspace=True) if '"' in text else None
        fields = text.split(delimiter) if quoted is None else next(quoted, [])
        found.append(TableLine(number, tuple(field.strip() for field in fields)))
    return found


def _text(file: Path, called: str) -> str:
    try:
        content = file.read_bytes()
    except OSError as failure:
        raise UsageError(f"the {called} {file} cannot be read: {failure.strerror}") from None
    kind = format_of_bytes(content)
    if kind is not None:
        workbook = "an Excel workbook" if file.suffix.lower() in (".xlsx", ".xls", ".ods") else kind.name
        raise UsageError(f"the {called} {file} is {workbook}; save it as CSV text in UTF-8")
    encoding = next((name for mark, name in MARKED.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise UsageError(f"the {called} {file} is not UTF-8 text; save it as CSV in UTF-8") from None
