"""What a disk must have for an atlas to be written on it: locks and shared memory, tried on a file without a name.

Network disks may lack either (NFS without lockd, many FUSE mounts, shares of a virtual machine). SQLite then says that
somebody holds the file, or that the disk fails; both would send a user the wrong way.
"""

import errno
import mmap
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from layerscope.core.errors import AtlasError

# How a lock that somebody holds is refused. Whatever else a lock fails with, nobody holds it.
HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


def _shared_memory(descriptor: int) -> None:
    with mmap.mmap(descriptor, 1):
        pass


INSTEAD = "build on a local disk and copy the finished atlas here"

# What is tried, under the name that a user is told.
if sys.platform == "win32":
    TRIED: tuple[tuple[str, Callable[[int], object]], ...] = (("shared memory", _shared_memory),)
else:
    import fcntl

    TRIED = (
        ("file locks", lambda descriptor: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)),
        ("file locks", lambda descriptor: fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)),
        ("shared memory", _shared_memory),
    )


def lack_of(folder: Path) -> str | None:
    """What this folder's disk lacks, with the system's reason; None for nothing, and where no file can be made."""
    for what, attempt in TRIED:
        try:
            # A new file each time: some disks keep both kinds of locks in one place, where they would meet.
            with tempfile.TemporaryFile(dir=folder) as file:
                file.truncate(1)
                place = file.fileno()
                try:
                    attempt(place)
                except OSError as error:
                    if error.errno not in HELD:
                        return f"{what} ({error.strerror})"
        except OSError:
            return None
    return None


def require_disk(path: Path) -> None:
    """Raises AtlasError where an atlas cannot be written at this path for want of locks or shared memory."""
    lack = lack_of(path.parent)
    if lack is not None:
        raise AtlasError(f"{path} cannot be written: this disk has no {lack}; {INSTEAD}")
