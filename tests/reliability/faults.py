"""What goes wrong at a seam: the errors that systems, SQLite, PyTorch and Python raise there."""

import errno
import os
import sqlite3
from collections.abc import Callable
from typing import NoReturn

from tests.helpers.building import die

# Fails as something does at a place, which is None where no path was named.
Fault = Callable[[str | None], NoReturn]


def _system(number: int) -> Fault:
    def fail(place: str | None) -> NoReturn:
        raise OSError(number, os.strerror(number), place)

    return fail


def _sqlite(name: str, said: str) -> Fault:
    def fail(place: str | None) -> NoReturn:
        error = sqlite3.OperationalError(said)
        error.sqlite_errorcode, error.sqlite_errorname = getattr(sqlite3, name), name
        raise error

    return fail


def _raises(kind: type[BaseException], *said: str) -> Fault:
    def fail(place: str | None) -> NoReturn:
        raise kind(*said)

    return fail


INTERRUPT = "Ctrl-C"
KILL = "kill"
# As PyTorch says it of the processor's memory (c10/core/impl/alloc_cpu.cpp) and of a GPU's.
_TORCH = (
    "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "1048576 bytes. Error code 12 (Cannot allocate memory)"
)
FAULTS: dict[str, Fault] = {
    "disk full": _system(errno.ENOSPC),
    "quota": _system(errno.EDQUOT),
    "disk fails": _system(errno.EIO),
    "no permission": _system(errno.EACCES),
    "read-only disk": _system(errno.EROFS),
    "too many files": _system(errno.EMFILE),
    "server gone": _system(errno.ESTALE),
    "SQLite: full": _sqlite("SQLITE_FULL", "database or disk is full"),
    "SQLite: write fails": _sqlite("SQLITE_IOERR_WRITE", "disk I/O error"),
    "SQLite: sync fails": _sqlite("SQLITE_IOERR_FSYNC", "disk I/O error"),
    "SQLite: read fails": _sqlite("SQLITE_IOERR_READ", "disk I/O error"),
    "SQLite: locked": _sqlite("SQLITE_BUSY", "database is locked"),
    "SQLite: read-only": _sqlite("SQLITE_READONLY", "attempt to write a readonly database"),
    "SQLite: cannot open": _sqlite("SQLITE_CANTOPEN", "unable to open database file"),
    "no memory": _raises(MemoryError),
    "torch: no memory": _raises(RuntimeError, _TORCH),
    "Pillow: no memory": _raises(OSError, "out of memory when reading image file"),
    "no thread": _raises(RuntimeError, "can't start new thread"),
    INTERRUPT: _raises(KeyboardInterrupt),
    KILL: lambda place: die(),
}

_FILES = ("disk full", "disk fails", "quota", "no permission", "read-only disk", "too many files", INTERRUPT)
_SQL = (
    "SQLite: full", "SQLite: write fails", "SQLite: locked", "no memory", "SQLite: read-only", "SQLite: sync fails",
    "SQLite: read fails", "SQLite: cannot open", INTERRUPT,
)  # fmt: skip
# Which faults come to which seam; along the loop over n they take turns.
AT: dict[str, tuple[str, ...]] = {
    "statement": _SQL,
    "row": _SQL,
    "open to write": _FILES,
    "open to read": ("disk fails", "too many files", "server gone", "no memory", INTERRUPT),
    "write": ("disk full", "disk fails", "quota", INTERRUPT),
    "read": ("disk fails", "server gone", "no memory", INTERRUPT),
    "sync": ("disk fails", "disk full", INTERRUPT),
    "rename": ("disk full", "no permission", "disk fails", INTERRUPT),
    "remove": ("no permission", "disk fails", "read-only disk", INTERRUPT),
    "mkdir": ("disk full", "no permission", "read-only disk", INTERRUPT),
    "list": ("disk fails", "too many files", INTERRUPT),
    "change": ("no permission", "disk fails", INTERRUPT),
    "map": ("no memory", "disk fails"),
    "decode": ("no memory", "Pillow: no memory", INTERRUPT),
    "encode": ("no memory", INTERRUPT),
    "operation": ("torch: no memory", "no memory", INTERRUPT),
    "array": ("no memory", INTERRUPT),
    "thread": ("no thread", "no memory", INTERRUPT),
}
