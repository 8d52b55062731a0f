"""The seams of files: what the interpreter tells of calls to the system, and bytes going to a file or from it."""

import builtins
import io
import os
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any
from unittest import mock

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


@cache
def _hear() -> None:
    """From the first seam on: a hook is never taken away, and slows whatever else the process does."""
    sys.addaudithook(_heard)


@contextmanager
def _audited(listeners: dict[str, Callable[[tuple], None]]) -> Iterator[None]:
    _hear()
    _listening.update(listeners)
    try:
        yield
    finally:
        for event in listeners:
            _listening.pop(event, None)


def calls(name: str) -> Callable[[Meter], Any]:
    """The seam of some of the system's calls."""

    def seam(meter: Meter) -> Any:
        def listener(event: str, place: int) -> Callable[[tuple], None]:
            return lambda arguments: meter.tick(event, arguments[place]) if meter.covers(arguments[place]) else None

        return _audited({event: listener(event, place) for event, place in AUDITED[name].items()})

    return seam


def opening(writing: bool) -> Callable[[Meter], Any]:
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


def reading_or_writing(reads: bool) -> Callable[[Meter], Any]:
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
