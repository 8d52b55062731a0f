"""A file is whole or not there: it is written beside its place under another name, and takes its own at the end.

The other name is ".NAME.part", so whatever a killed process left is what the next one begins anew. A lock on it keeps
two writers of one file from writing into each other's.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PART = ".part"

if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        """An open file cannot be replaced there, which keeps writers apart."""

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        """Wait for another writer of the same file. On a disk without locks there is none to wait for."""
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)


def part_of(path: Path) -> Path:
    """Where a file lies until it is whole."""
    return path.with_name(f".{path.name}{PART}")


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Gives a file to write to; at the end `path` is that file, after an error what it was before.

    What is written has reached the disk before the name does. Raises OSError as the system does.
    """
    part = part_of(path)
    with open(_opened(part), "wb") as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if sys.platform == "win32":
                file.close()
            os.replace(part, path)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            # What is still on its way to a file that is gone must not fail a second time when it is closed.
            with suppress(OSError):
                file.close()
            raise


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file at once; see `whole_file`."""
    with whole_file(path) as file:
        file.write(content)


def _opened(part: Path) -> int:
    """The part, empty and ours alone."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    while True:
        descriptor = os.open(part, flags, 0o666)
        try:
            _lock(descriptor)
            # Whoever held it before may have given it its name, or removed it, since it was opened.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(part)):
                    os.ftruncate(descriptor, 0)
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
