"""Pictures that were looked at in this run of the server, in memory: the newest, and never more than a bound."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from layerscope.core.errors import LayerscopeError
from layerscope.core.live import Portrait
from layerscope.core.lru import LruCache

PICTURES, BYTES = 16, 64 * 1024 * 1024
WAITING = 4


class Busy(LayerscopeError):
    """Too many pictures are asked for at once."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One picture with what the network sees in it."""

    picture: bytes
    portrait: Portrait

    @property
    def size(self) -> int:
        tiles = (tile for layer in self.portrait.layers for one in layer.firings for tile in one.tiles.values())
        return len(self.picture) + len(self.portrait.picture) + sum(map(len, tiles))


class Gallery:
    """The newest 16 pictures, together at most 64 MiB (one that is larger alone is still kept), each under its key.

    look: a picture's bytes -> its portrait. One is made at a time; a fifth that waits is refused with Busy.
    """

    def __init__(self, look: Callable[[bytes], Portrait]) -> None:
        self._look = look
        # Each weighs a sixteenth at least: one bound on the bytes is one on the number too.
        self._kept = LruCache[Kept](BYTES, lambda kept: max(kept.size, BYTES // PICTURES))
        self._lock, self._making = threading.Lock(), threading.Lock()
        self._waiting = 0

    def find(self, key: str) -> Portrait | None:
        """What is seen in a picture; None for one that was never here, or was let go."""
        found = self._kept.find(key)
        return None if found is None else found.portrait

    def add(self, picture: bytes, key: str | None = None) -> str:
        """Look at a picture and keep it; its key, by default the SHA-256 of its bytes. Raises ImageError and Busy."""
        key = key or hashlib.sha256(picture).hexdigest()
        if self.find(key) is None:
            self._kept.put(key, Kept(picture, self._made(picture)))
        return key

    def _made(self, picture: bytes) -> Portrait:
        with self._lock:
            if self._waiting >= WAITING:
                raise Busy("several pictures are being looked at already; try again in a moment")
            self._waiting += 1
        try:
            with self._making:
                return self._look(picture)
        finally:
            with self._lock:
                self._waiting -= 1
