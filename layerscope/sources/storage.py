"""Where encoded bytes lie: a place is a path, an offset and a size, and a storage gives what lies there.

This machine's files are one storage; `layerscope/remote/` has those of others. A storage pickles, and reads with
nothing but the place: so images can be read by whichever process is asked to.
"""

import io
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable

from layerscope.core.errors import ImageError
from layerscope.core.failures import of_the_machine, unread
from layerscope.core.images import GZIP_ENDINGS
from layerscope.core.lru import LruCache
from layerscope.sources.clutter import head_of
from layerscope.sources.decode import Unusable
from layerscope.sources.inflate import CHUNK, BrokenStream, Inflated
from layerscope.sources.listing import Entry
from layerscope.sources.signatures import HEAD

# So many compressed archives keep their marks, of some ten megabytes each.
_KEPT_ARCHIVES = 8
_ARCHIVES: LruCache[Inflated] = LruCache(_KEPT_ARCHIVES)


class Storage(ABC):
    """Files by path. A path that ends like a gzip-compressed archive is read unpacked, except by `raw`."""

    @abstractmethod
    def raw(self, path: str, offset: int, size: int | None) -> bytes:
        """The bytes of a file from `offset` on, all of them where `size` is None; fewer only at its end.

        Raises Unusable for a file that cannot be had, ImageError where that says nothing of the file.
        """

    @abstractmethod
    def stamp(self, path: str) -> Hashable:
        """What changes when a file is written; the same always where that is not watched."""

    def shown(self, path: str) -> str:
        """A path as people may see it."""
        return path

    def read(self, entry: Entry) -> bytes:
        """The encoded bytes of one image. Raises as `raw` does."""
        if not is_gzip(entry.path):
            return self.raw(entry.path, entry.offset, entry.size)
        try:
            return self._inflated(entry.path).read(entry.offset, entry.size or 0)
        except BrokenStream as failure:
            raise Unusable(f"its archive is broken: {failure}") from None

    def head(self, entry: Entry) -> bytes:
        """How a file begins; none of one that cannot be had."""
        try:
            size = HEAD if entry.size is None else min(HEAD, entry.size)
            return self.raw(entry.path, 0, size) if size else b""
        except Unusable:
            return b""

    def opened(self, path: str) -> io.BufferedReader:
        """An archive as a file to be gone through, unpacked. Raises as `raw` does, and BrokenStream."""
        fetch = self._inflated(path).read if is_gzip(path) else lambda offset, size: self.raw(path, offset, size)
        return io.BufferedReader(_ReadFile(fetch), CHUNK)

    def _inflated(self, path: str) -> Inflated:
        key = (repr(self), path, self.stamp(path))
        return _ARCHIVES.get(key, lambda: Inflated(lambda offset, size: self.raw(path, offset, size)))


class LocalFiles(Storage):
    """The files of this machine. Each read opens the file anew, so that threads share nothing."""

    def __repr__(self) -> str:
        return "LocalFiles()"

    def raw(self, path: str, offset: int, size: int | None) -> bytes:
        try:
            with open(path, "rb") as file:
                file.seek(offset)
                return file.read(size)
        except OSError as failure:
            if of_the_machine(failure):
                raise ImageError(unread(path, failure)) from failure
            raise Unusable(f"unreadable: {failure.strerror or type(failure).__name__}") from None

    def stamp(self, path: str) -> Hashable:
        try:
            found = os.stat(path)
        except OSError:
            return object()  # like no other
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def head(self, entry: Entry) -> bytes:
        return head_of(entry.path)

    def opened(self, path: str) -> io.BufferedReader:
        if is_gzip(path):
            open(path, "rb").close()  # its own failures come first
            return super().opened(path)
        return open(path, "rb")


LOCAL = LocalFiles()


def is_gzip(path: str) -> bool:
    """Whether a path is named as a gzip-compressed archive."""
    return path.lower().endswith(GZIP_ENDINGS)


class _ReadFile(io.RawIOBase):
    """A file of what a function gives from an offset on."""

    def __init__(self, fetch: Callable[[int, int], bytes]) -> None:
        self._fetch, self._place = fetch, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        assert whence != os.SEEK_END, "its length is not known"
        self._place = offset if whence == os.SEEK_SET else self._place + offset
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        found = self._fetch(self._place, len(buffer))
        buffer[: len(found)] = found
        self._place += len(found)
        return len(found)
