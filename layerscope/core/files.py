"""A file is whole or not there: it is written beside its place under another name, and takes its own at the end.

The other name is ".NAME.part", so whatever a killed process left is what the next one begins anew. A lock on it keeps
two writers of one file from writing into each other's.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PART = ".part"
# RENAME_EXCHANGE and RENAME_SWAP are both 2; AT_FDCWD is where relative paths begin.
_SWAP, _HERE = 2, -100

if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        """An open file cannot be replaced there, which keeps writers apart."""

    def _unlock(descriptor: int) -> None: ...

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        """Wait for another writer of the same file. On a disk without locks there is none to wait for."""
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _unlock(descriptor: int) -> None:
        """Let the next one in, though a forked child may still hold the file."""
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def part_of(path: Path) -> Path:
    """Where a file lies until it is whole."""
    return path.with_name(f".{path.name}{PART}")


@contextmanager
def whole_file(path: Path, *, synced: bool = True) -> Generator[IO[bytes], None, None]:
    """Gives a file to write to; at the end `path` is that file, after an error what it was before.

    synced: what is written has reached the disk before the name does, so that a power failure too leaves the old file
    or the new. Without it an empty file may take the name; thousands of small files are written that way. Raises
    OSError as the system does.
    """
    part = part_of(path)
    with _errors_naming(path):
        descriptor = _opened(part)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            yield file
        if synced:
            os.fsync(descriptor)
        if sys.platform == "win32":
            os.close(descriptor)
        with _errors_naming(path):
            os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    finally:
        with suppress(OSError):
            _unlock(descriptor)
            os.close(descriptor)


@contextmanager
def _errors_naming(path: Path) -> Generator[None, None, None]:
    """The system's errors are told of the file that was asked for: nobody knows its part."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def write_whole(path: Path, content: bytes | memoryview, *, synced: bool = True) -> None:
    """Write a file at once; see `whole_file`."""
    with whole_file(path, synced=synced) as file:
        file.write(content)


def exchange(one: Path, other: Path) -> bool:
    """Two names of one disk change places in one step, files or folders; False where the system has no such step.

    Raises OSError where it has, and fails. (renameat2 of Linux, renamex_np of macOS; Python has neither.)
    """
    names = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            failed = library.renamex_np(*names, _SWAP)
        else:
            failed = library.renameat2(_HERE, names[0], _HERE, names[1], _SWAP)
    except (AttributeError, OSError, TypeError):
        return False
    number = ctypes.get_errno()
    if failed and number not in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        raise OSError(number, os.strerror(number), str(other))
    return not failed


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
