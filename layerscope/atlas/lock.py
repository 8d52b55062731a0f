"""One writer at a time: a lock file beside what is written, released by the system however its holder ends."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from layerscope.atlas.disk import HELD, INSTEAD
from layerscope.core.errors import AtlasError

# Descriptors of the locks that this process holds.
_held: set[int] = set()


class Writer(NamedTuple):
    """How a kind of writer is spoken of. name: of it; into: what it writes; instead: what to do without locks."""

    name: str
    into: str
    instead: str


BUILD = Writer("build", "file", INSTEAD)
EXPORT = Writer("export", "folder", "export to a local disk and copy the finished folder here")


def _forget_after_fork() -> None:
    """A forked child must not keep its parent's locks alive: a worker may outlive a killed build."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        # Far behind the process number, which stays readable.
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    os.register_at_fork(after_in_child=_forget_after_fork)


class WriterLock:
    """An exclusive lock on `<path>.lock`, held from construction until `release`.

    writer: who wants it. shown: what errors call the place, by default `path`. Raises AtlasError if another process,
    or another writer in this one, holds it, where the folder cannot be written, and on a disk without locks.
    """

    def __init__(self, path: Path, *, writer: Writer = BUILD, shown: str | None = None) -> None:
        self.file = path.with_name(path.name + ".lock")
        self._writer, self._shown = writer, shown or str(path)
        self._descriptor = self._acquire()
        _held.add(self._descriptor)
        try:
            # Who holds it is only said: a disk that is full has room for the lock itself.
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
                os.lseek(self._descriptor, 0, os.SEEK_SET)
                os.write(self._descriptor, str(os.getpid()).encode())
        except BaseException:
            self.release()
            raise

    def _acquire(self) -> int:
        while True:
            try:
                descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o644)
            except OSError as error:
                raise AtlasError(
                    f"{self._shown} cannot be written: {error.strerror} (the folder {self.file.parent})"
                ) from error
            try:
                _try_lock(descriptor)
            except OSError as error:
                raise self._refused(descriptor, error) from error
            # The holder before may have removed the file between our opening and our locking of it.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(self.file)):
                    return descriptor
            os.close(descriptor)

    def _refused(self, descriptor: int, error: OSError) -> AtlasError:
        """Why there is no lock: another writer holds it, or the disk has none."""
        holder = os.pread(descriptor, 32, 0).decode(errors="replace") if hasattr(os, "pread") else ""
        os.close(descriptor)
        if error.errno in HELD:
            return AtlasError(
                f"{self._shown} is being written by another {self._writer.name} (process {holder.strip() or 'unknown'}"
                f"); wait for it or choose another {self._writer.into}"
            )
        # Nobody can hold what cannot be locked.
        with suppress(OSError):
            self.file.unlink()
        return AtlasError(
            f"{self._shown} cannot be written: this disk has no file locks ({error.strerror}); {self._writer.instead}"
        )

    def release(self) -> None:
        """Remove the lock file and let go; a second call does nothing."""
        if self._descriptor not in _held:
            return
        try:
            # An open file cannot be removed everywhere; a file without a holder locks nobody out.
            with suppress(OSError):
                self.file.unlink()
        finally:
            _held.discard(self._descriptor)
            os.close(self._descriptor)
