"""One writer at a time: a lock file beside the atlas, released by the system however its holder ends."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from layerscope.core.errors import AtlasError

# Descriptors of the locks that this process holds.
_held: set[int] = set()


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

    Raises AtlasError if another process, or another writer in this one, holds it.
    """

    def __init__(self, path: Path) -> None:
        self.file = path.with_name(path.name + ".lock")
        self._descriptor = self._acquire(path)
        _held.add(self._descriptor)
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, str(os.getpid()).encode())

    def _acquire(self, path: Path) -> int:
        while True:
            try:
                descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o644)
            except OSError as error:
                raise AtlasError(f"{path} cannot be written: {error.strerror} ({self.file})") from error
            try:
                _try_lock(descriptor)
            except OSError as error:
                holder = os.pread(descriptor, 32, 0).decode(errors="replace") if hasattr(os, "pread") else ""
                os.close(descriptor)
                raise AtlasError(
                    f"{path} is being written by another build (process {holder.strip() or 'unknown'}); "
                    "wait for it or choose another file"
                ) from error
            # The holder before may have removed the file between our opening and our locking of it.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(self.file)):
                    return descriptor
            os.close(descriptor)

    def release(self) -> None:
        """Remove the lock file and let go; a second call does nothing."""
        if self._descriptor not in _held:
            return
        # An open file cannot be removed everywhere; a file without a holder locks nobody out.
        with suppress(OSError):
            self.file.unlink()
        _held.discard(self._descriptor)
        os.close(self._descriptor)
