"""Questions about images that a writer asks of its file, so that the rows of a million images never lie in memory."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from layerscope.atlas import rows
from layerscope.core.records import ImageRecord

# So many rows are read at once.
_PART = 512
_USED = "skipped IS NULL AND duplicate_of IS NULL"


@dataclass(frozen=True)
class Copies:
    """How many of the images are copies of others, and how many of those lie in another class than their first.
    example: the first of these, and the class of its first."""

    images: int
    copies: int
    elsewhere: int
    example: tuple[ImageRecord, str | None] | None


def each_image(connection: sqlite3.Connection, condition: str = "1") -> Iterator[ImageRecord]:
    """All images that meet a condition, in order; rows may be written while they are gone through."""
    last = -1
    while part := rows.read_images(connection, f"WHERE id > ? AND {condition} ORDER BY id LIMIT {_PART}", (last,)):
        yield from part
        last = part[-1].id


def each_used(connection: sqlite3.Connection) -> Iterator[ImageRecord]:
    """The images that count: neither skipped nor copies."""
    return each_image(connection, _USED)


def used_ids(connection: sqlite3.Connection) -> Iterator[int]:
    """The ids of the images that count, in order."""
    return (id for (id,) in connection.execute(f"SELECT id FROM image WHERE {_USED} ORDER BY id"))


def records_of(connection: sqlite3.Connection, ids: Iterable[int]) -> Mapping[int, ImageRecord]:
    """These images, by id; those that are not there are left out."""
    wanted = sorted({int(id) for id in ids})
    found: dict[int, ImageRecord] = {}
    for part in (wanted[first : first + _PART] for first in range(0, len(wanted), _PART)):
        marks = ", ".join("?" * len(part))
        found |= {one.id: one for one in rows.read_images(connection, f"WHERE id IN ({marks})", tuple(part))}
    return found


def hashes_of(connection: sqlite3.Connection, ids: Sequence[int]) -> Mapping[int, str | None]:
    """The hashes of these images, as they were scanned, by id."""
    return {id: record.sha256 for id, record in records_of(connection, ids).items()}


def copies(connection: sqlite3.Connection) -> Copies:
    """What is known of the images that are copies."""
    ask = connection.execute
    images, count = ask("SELECT count(*), count(duplicate_of) FROM image").fetchone()
    elsewhere = "FROM image a JOIN image b ON a.duplicate_of = b.id WHERE a.label IS NOT b.label"
    (other,) = ask(f"SELECT count(*) {elsewhere}").fetchone()
    found = ask(f"SELECT a.id, b.label {elsewhere} ORDER BY a.id LIMIT 1").fetchone()
    example = (records_of(connection, [found[0]])[found[0]], found[1]) if found else None
    return Copies(images, count, other, example)
