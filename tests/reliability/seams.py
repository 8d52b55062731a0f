"""Where things can fail, without knowing who calls: SQLite's connections, the system's files, decoders, memory.

Each seam is a context manager of a meter: while it is open, every such event of this process ticks, be it from our
code or from a library's. Nothing of the package is replaced.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image, ImageFile
from torch.utils._python_dispatch import TorchDispatchMode

from tests.reliability.files import AUDITED, calls, opening, reading_or_writing, syncing
from tests.reliability.meter import Meter

# --- SQLite ------------------------------------------------------------------------------------------------------

# Errors after which SQLite has already rolled back by itself (sqlite.org/lang_transaction.html, 3.3).
ROLLS_BACK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM}


def _statements(rows: bool) -> Callable[[Meter], Any]:
    """The seam of SQL: each statement, or each row that is put by one, on any connection that is opened meanwhile."""

    @contextmanager
    def seam(meter: Meter) -> Iterator[None]:
        class Watched(sqlite3.Connection):
            def _tick(self, what: str) -> None:
                try:
                    meter.tick(what)
                except (sqlite3.Error, MemoryError) as error:
                    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_NOMEM)
                    if code & 0xFF in ROLLS_BACK and self.in_transaction:
                        super().execute("ROLLBACK")
                    raise

            def _each(self, values: Iterable[Any]) -> Iterator[Any]:
                for row in values:
                    self._tick("row")
                    yield row

            def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
                if not rows:
                    self._tick(statement)
                return super().execute(statement, *values)

            def executemany(self, statement: str, values: Iterable[Any], /) -> sqlite3.Cursor:
                if not rows:
                    self._tick(statement)
                return super().executemany(statement, self._each(values) if rows else values)

            def executescript(self, script: str, /) -> sqlite3.Cursor:
                if not rows:
                    self._tick(script)
                return super().executescript(script)

        original = sqlite3.connect

        def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
            return original(*arguments, **{"factory": Watched, **options})

        with mock.patch.object(sqlite3, "connect", connect):
            yield

    return seam


@contextmanager
def small_databases(pages: int) -> Iterator[None]:
    """No database grows beyond so many pages: SQLite itself then says that it is full."""
    original = sqlite3.connect

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = original(*arguments, **options)
        connection.execute(f"PRAGMA max_page_count={pages}")
        return connection

    with mock.patch.object(sqlite3, "connect", connect):
        yield


# --- decoders, memory, threads -----------------------------------------------------------------------------------


@contextmanager
def decoding(meter: Meter) -> Iterator[None]:
    """The seam of Pillow: each picture that is decoded."""
    original = ImageFile.ImageFile.load

    def load(self: ImageFile.ImageFile) -> Any:
        meter.tick("load")
        return original(self)

    with mock.patch.object(ImageFile.ImageFile, "load", load):
        yield


@contextmanager
def encoding(meter: Meter) -> Iterator[None]:
    """The seam of Pillow: each picture that is encoded."""
    original = Image.Image.save

    def save(self: Image.Image, *arguments: Any, **options: Any) -> None:
        meter.tick("save")
        original(self, *arguments, **options)

    with mock.patch.object(Image.Image, "save", save):
        yield


class _Operations(TorchDispatchMode):
    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self.meter = meter

    def __torch_dispatch__(self, call: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        self.meter.tick(str(call))
        return call(*arguments, **(options or {}))


def operating(meter: Meter) -> Any:
    """The seam of PyTorch: each operation of this thread, whoever calls it."""
    return _Operations(meter)


@contextmanager
def allocating(meter: Meter) -> Iterator[None]:
    """The seam of NumPy: each array that is made."""
    names = ("empty", "zeros", "ones", "full", "concatenate", "stack", "array", "ascontiguousarray", "frombuffer")

    def counted(name: str) -> Callable[..., Any]:
        original = getattr(np, name)

        def call(*arguments: Any, **options: Any) -> Any:
            meter.tick(name)
            return original(*arguments, **options)

        return call

    with mock.patch.multiple(np, **{name: counted(name) for name in names}):
        yield


@contextmanager
def starting(meter: Meter) -> Iterator[None]:
    """The seam of threads: each that is started."""
    original = threading.Thread.start

    def start(self: threading.Thread) -> None:
        meter.tick("start")
        original(self)

    with mock.patch.object(threading.Thread, "start", start):
        yield


SEAMS: dict[str, Callable[[Meter], Any]] = {
    "statement": _statements(rows=False),
    "row": _statements(rows=True),
    "open to write": opening(writing=True),
    "open to read": opening(writing=False),
    "write": reading_or_writing(reads=False),
    "read": reading_or_writing(reads=True),
    "sync": syncing,
    **{name: calls(name) for name in AUDITED},
    "decode": decoding,
    "encode": encoding,
    "operation": operating,
    "array": allocating,
    "thread": starting,
}
