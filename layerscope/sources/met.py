"""What is known of the images that were met: which could not be used, and which was the first with its content.

The table of contents stays flat however many images there are: keys are kept in memory up to a number, and from then on
in a nameless file of SQLite, some microseconds a look-up where decoding an image takes milliseconds.
"""

import sqlite3
from dataclasses import replace

from layerscope.core.records import ImageRecord

# So many keys are kept in memory: some ten megabytes.
MOST_HELD = 2**16
_CACHE_KIB = 4096


class MetImages:
    """The images that one source has met."""

    def __init__(self) -> None:
        self._firsts = FirstImages()
        self._skipped: dict[int, ImageRecord] = {}

    @property
    def skipped(self) -> tuple[ImageRecord, ...]:
        """Those that could not be used, by id."""
        return tuple(self._skipped[id] for id in sorted(self._skipped))

    def note(self, record: ImageRecord) -> ImageRecord:
        """The record with its duplicate, if any; from now on it is known here."""
        if record.skipped is not None:
            self._skipped[record.id] = record
            return record
        self._skipped.pop(record.id, None)
        if record.sha256 is None:
            return record
        # An array's bytes do not tell its rows and columns.
        key = bytes.fromhex(record.sha256) + f"{record.height} {record.width}".encode()
        first = self._firsts.note(key, record.id)
        return replace(record, duplicate_of=first if first < record.id else None)


class FirstImages:
    """By key, the smallest id that was noted under it. One thread at a time."""

    def __init__(self) -> None:
        self._held: dict[bytes, int] = {}
        self._file: sqlite3.Connection | None = None

    def note(self, key: bytes, id: int) -> int:
        """The first image with this key, `id` if there was none before it."""
        if self._file is None and len(self._held) >= MOST_HELD and key not in self._held:
            self._spill()
        first = min(self._found(key, id), id)
        if self._file is None:
            self._held[key] = first
        else:
            self._file.execute("INSERT OR REPLACE INTO first VALUES (?, ?)", (key, first))
        return first

    def _found(self, key: bytes, id: int) -> int:
        if self._file is None:
            return self._held.get(key, id)
        found = self._file.execute("SELECT id FROM first WHERE key = ?", (key,)).fetchone()
        return found[0] if found else id

    def _spill(self) -> None:
        """To a file of no name, which SQLite removes itself; nothing of it must outlive the process."""
        self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in (f"cache_size = -{_CACHE_KIB}", "journal_mode = OFF", "synchronous = OFF"):
            self._file.execute(f"PRAGMA {pragma}")
        self._file.execute("CREATE TABLE first (key BLOB PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID")
        self._file.execute("BEGIN")
        self._file.executemany("INSERT INTO first VALUES (?, ?)", self._held.items())
        self._held = {}
