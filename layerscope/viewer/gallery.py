"""Pictures that were looked at in this run of the server, in memory: the newest, and never more than a bound."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from layerscope.atlas.codecs import decode, encode
from layerscope.core.codecs import CODECS, FOR_BROWSERS
from layerscope.core.errors import LayerscopeError, UsageError
from layerscope.core.live import Portrait
from layerscope.core.lru import LruCache
from layerscope.sources.uploads import UPLOADED
from layerscope.viewer.shelf import Book

IMAGE_KEY = "image-"
GONE = "this picture is kept here no longer: pictures of your own live as long as the server, the newest 16 of them"
MOST_PICTURES, MOST_BYTES = 16, 64 * 1024 * 1024
WAITING = 4


class Busy(LayerscopeError):
    """Too many pictures are asked for at once."""


@dataclass(frozen=True, slots=True)
class LookedAt:
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
        self._kept = LruCache[LookedAt](MOST_BYTES, lambda kept: max(kept.size, MOST_BYTES // MOST_PICTURES))
        self._lock, self._making = threading.Lock(), threading.Lock()
        self._waiting = 0

    def find(self, key: str) -> Portrait | None:
        """What is seen in a picture; None for one that was never here, or was let go."""
        found = self._kept.find(key)
        return None if found is None else found.portrait

    def add(self, picture: bytes, key: str | None = None) -> str:
        """Look at a picture and keep it; its key, by default its bytes' SHA-256. Raises Busy, and what `look` does."""
        key = key or hashlib.sha256(picture).hexdigest()
        if self.find(key) is None:
            self._kept.put(key, LookedAt(picture, self._made(picture)))
        return key

    def portrait(self, book: Book, key: str) -> Portrait:
        """What is seen in a picture of this key; those of the atlas are looked at again where they were let go.

        Raises UsageError where there is none.
        """
        image = image_of(key)
        if image is not None and self.find(key) is None:
            self.add(small_copy(book, image), key)
        found = self.find(key)
        if found is None:
            raise UsageError(GONE)
        return found

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


def key_of(image: int) -> str:
    """The key of an image of the atlas."""
    return f"{IMAGE_KEY}{image}"


def image_of(key: str) -> int | None:
    """The image of the atlas that a key stands for; None for a picture of one's own, -1 for no number."""
    if not key.startswith(IMAGE_KEY):
        return None
    number = key.removeprefix(IMAGE_KEY)
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else -1


def small_copy(book: Book, image: int) -> bytes:
    """An image's small copy as JPEG or PNG. Raises UsageError where the atlas has none."""
    found = book.file.encoded_picture(book.file.image(image).id)
    if found is None:
        raise UsageError(f"the atlas keeps no picture of image {image}: no unit has a peak in it, or it keeps none")
    if CODECS.known(found.codec).format in UPLOADED:
        return found.pixels
    return encode(decode(found.pixels, found.codec), FOR_BROWSERS)
