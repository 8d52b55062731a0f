"""Pictures that were looked at in this run of the server, in memory: the newest, and never more than a bound."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from layerscope.core.errors import LayerscopeError
from layerscope.core.live import Portrait

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
        self._kept: dict[str, Kept] = {}
        self._lock, self._making = threading.Lock(), threading.Lock()
        self._waiting = 0

    def find(self, key: str) -> Portrait | None:
        """What is seen in a picture; None for one that was never here, or was let go."""
        with self._lock:
            found = self._kept.pop(key, None)
            if found is None:
                return None
            self._kept[key] = found
            return found.portrait

    def add(self, picture: bytes, key: str | None = None) -> str:
        """Look at a picture and keep it; its key, by default its bytes' SHA-256. Raises Busy, and what `look` does."""
        key = key or hashlib.sha256(picture).hexdigest()
        if self.find(key) is None:
            kept = Kept(picture, self._made(picture))
            with self._lock:
                self._kept[key] = kept
                self._let_go()
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

    def _let_go(self) -> None:
        while len(self._kept) > 1 and (
            len(self._kept) > PICTURES or sum(kept.size for kept in self._kept.values()) > BYTES
        ):
            self._kept.pop(next(iter(self._kept)))
