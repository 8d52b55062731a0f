"""Where things can fail, without knowing who calls: SQLite's connections, the system's files, decoders, memory.

Each seam is a context manager of a meter: while it is open, every such event of this process ticks, be it from our
code or from a library's. Nothing of the package is replaced.
"""

import builtins
import io
import os
import sqlite3
import sys
import tarfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image, ImageFile
from torch.utils._python_dispatch import TorchDispatchMode

from tests.reliability.meter import Meter

# --- what the interpreter itself tells of ------------------------------------------------------------------------

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND
# The audit events of a seam, each with which of its arguments is the place (docs.python.org/3/library/audit_events).
AUDITED: dict[str, dict[str, int]] = {
    "rename": {"os.rename": 1},
    "remove": {"os.remove": 0, "os.rmdir": 0},
    "mkdir": {"os.mkdir": 0},
    "list": {"os.listdir": 0, "os.scandir": 0},
    "change": {"os.chmod": 0, "os.truncate": 0, "os.utime": 0},
    "map": {"mmap.__new__": 0},
}
_listening: dict[str, Callable[[tuple], None]] = {}


def _heard(event: str, arguments: tuple) -> None:
    # Called for every event of the process, for as long as it lives: nearly always there is nobody to tell.
    if _listening and (listener := _listening.get(event)) is not None:
        listener(arguments)


sys.addaudithook(_heard)


@contextmanager
def _audited(listeners: dict[str, Callable[[tuple], None]]) -> Iterator[None]:
    _listening.update(listeners)
    try:
        yield
    finally:
        for event in listeners:
            _listening.pop(event, None)


def _calls(name: str) -> Callable[[Meter], Any]:
    """The seam of some of the system's calls."""

    def seam(meter: Meter) -> Any:
        def listener(event: str, place: int) -> Callable[[tuple], None]:
            return lambda arguments: meter.tick(event, arguments[place]) if meter.covers(arguments[place]) else None

        return _audited({event: listener(event, place) for event, place in AUDITED[name].items()})

    return seam


def _opening(writing: bool) -> Callable[[Meter], Any]:
    """The seam of opening files, to write or to read."""

    def seam(meter: Meter) -> Any:
        def listener(arguments: tuple) -> None:
            path, _, flags = arguments
            if not isinstance(path, int) and bool(flags & _WRITING) == writing and meter.covers(path):
                meter.tick(f"open {os.path.basename(os.fsdecode(path))}", path)

        return _audited({"open": listener})

    return seam


# --- bytes on their way to a file or from it ---------------------------------------------------------------------


class _Watched(io.FileIO):
    """A file whose reads and writes tick. A write that fails leaves half of its bytes, as a disk that fills does."""

    meter: Meter
    reads: bool

    def write(self, data: Any, /) -> int:
        if not self.reads:
            _tick_or_half(self.meter, "write", data, super().write)
        return super().write(data)

    def readinto(self, buffer: Any, /) -> int:
        if self.reads:
            self.meter.tick("readinto")
        return super().readinto(buffer)

    def readall(self) -> bytes:
        if self.reads:
            self.meter.tick("readall")
        return super().readall()


def _tick_or_half(meter: Meter, what: str, data: Any, write: Callable[[Any], Any]) -> None:
    try:
        meter.tick(what)
    except BaseException:
        with suppress(OSError):
            write(memoryview(data).cast("B")[: len(memoryview(data).cast("B")) // 2])
        raise


def _open_for(meter: Meter, reads: bool, original: Callable[..., Any]) -> Callable[..., Any]:
    """Python's own `open`, with a watched file at its bottom."""

    def opened(
        file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, errors: Any = None, newline: Any = None,
        closefd: bool = True, opener: Any = None,
    ) -> Any:  # fmt: skip
        if isinstance(file, str | bytes | os.PathLike | int) and meter.covers(file):
            kind = type("Watched", (_Watched,), {"meter": meter, "reads": reads})
            raw = kind(file, mode.replace("b", "").replace("t", ""), closefd, opener)
            if buffering == 0:
                return raw
            over = io.BufferedRandom if "+" in mode else io.BufferedReader if "r" in mode else io.BufferedWriter
            buffered = over(raw)
            if "b" in mode:
                return buffered
            text = io.TextIOWrapper(buffered, encoding, errors, newline)
            text.mode = mode
            return text
        return original(file, mode, buffering, encoding, errors, newline, closefd, opener)

    return opened


def _bytes(reads: bool) -> Callable[[Meter], Any]:
    """The seam of reading, or of writing, bytes through Python."""
    names = ("pread", "read") if reads else ("pwrite", "write")

    @contextmanager
    def seam(meter: Meter) -> Iterator[None]:
        def counted(name: str) -> Callable[..., Any]:
            original = getattr(os, name)

            def call(descriptor: int, data: Any, *place: int) -> Any:
                if meter.covers(descriptor):
                    if reads:
                        meter.tick(name)
                    else:
                        _tick_or_half(meter, name, data, lambda half: original(descriptor, half, *place))
                return original(descriptor, data, *place)

            return call

        opened = _open_for(meter, reads, io.open)
        with (
            mock.patch.object(io, "open", opened),
            mock.patch.object(builtins, "open", opened),
            mock.patch.object(tarfile, "bltn_open", opened),
            mock.patch.multiple(os, **{name: counted(name) for name in names}),
        ):
            yield

    return seam


@contextmanager
def syncing(meter: Meter) -> Iterator[None]:
    """The seam of bringing bytes to the disk."""
    original = os.fsync

    def fsync(descriptor: Any) -> None:
        meter.tick("fsync")
        original(descriptor)

    with mock.patch.object(os, "fsync", fsync):
        yield


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
    "open to write": _opening(writing=True),
    "open to read": _opening(writing=False),
    "write": _bytes(reads=False),
    "read": _bytes(reads=True),
    "sync": syncing,
    **{name: _calls(name) for name in AUDITED},
    "decode": decoding,
    "encode": encoding,
    "operation": operating,
    "array": allocating,
    "thread": starting,
}
