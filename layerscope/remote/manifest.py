"""The listing of a store, kept beside the atlas: what was listed once is not listed again, and what changed is seen.

A manifest is text compressed by gzip: a line that says what was asked for, then a line for each image, in order. It is
read from start to end, so a million images are never held. What stands in it may be shown to anybody.
"""

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerscope.core.files import whole_file
from layerscope.remote.storage import Version
from layerscope.sources.entries import entry_list
from layerscope.sources.listing import Entry, FileListing

FORMAT = 1
# What reading a file raises that is no manifest, or only a part of one.
_BROKEN = (OSError, EOFError, AttributeError, ValueError, KeyError, StopIteration, TypeError, zlib.error)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What a listing found. name: of the images, without their number. counted: what one of them is. versions: of
    archives."""

    found: FileListing
    name: str
    counted: str
    versions: dict[str, Version]


def write(path: Path, asked: list[str], listed: Listed) -> None:
    """Keep a listing. asked: the addresses, as people may see them. Raises OSError."""
    found = listed.found
    head = {
        "format": FORMAT, "asked": asked, "count": len(found.entries), "name": listed.name, "counted": listed.counted,
        "said": found.said, "of_classes": found.of_classes, "versions": listed.versions,
    }  # fmt: skip
    with whole_file(path) as file, gzip.GzipFile(fileobj=file, mode="wb", compresslevel=5, mtime=0) as packed:
        packed.write(_line(head))
        for entry in found.entries:
            packed.write(_line([entry.identity, entry.size, entry.label, entry.path, entry.offset]))


def asked(path: Path) -> list[str]:
    """The addresses whose listing was kept; none where it is broken or not there."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            return [str(address) for address in json.loads(next(lines))["asked"]]
    except _BROKEN:
        return []


def read(path: Path, asked: list[str]) -> Listed | None:
    """The listing that was kept of these addresses; None where there is none, or it is of others, or broken."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            head = json.loads(next(lines))
            if head.get("format") != FORMAT or head["asked"] != asked:
                return None
            entries = entry_list(_entry(json.loads(line)) for line in lines)
    except _BROKEN:
        return None
    if len(entries) != head["count"]:
        return None
    found = FileListing(entries=entries, everything=[], said=head["said"], of_classes=head["of_classes"])
    versions = {path: (size, mark) for path, (size, mark) in head["versions"].items()}
    return Listed(found=found, name=head["name"], counted=head["counted"], versions=versions)


def _line(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _entry(row: list[Any]) -> Entry:
    identity, size, label, path, offset = row
    return Entry(identity=identity, size=size, label=label, path=path, offset=offset)
