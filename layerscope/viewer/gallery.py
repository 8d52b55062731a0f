"""Pictures that were looked at in this run of the server, in memory: the newest, and never more than a bound."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from layerscope.core.errors import ImageError, LayerscopeError, UsageError
from layerscope.core.live import MadeTile, Portrait
from layerscope.core.lru import LruCache
from layerscope.sources.uploads import OPENERS
from layerscope.viewer.pages.query import whole_number
from layerscope.viewer.shelf import Book

IMAGE_KEY = "image-"
GONE = "this picture is kept here no longer: pictures of your own live as long as the server, the newest 16 of them"
MOST_PICTURES, MOST_BYTES = 16, 64 * 1024 * 1024
WAITING = 4


class Busy(LayerscopeError):
    """Too many pictures are asked for at once."""


@dataclass(frozen=True, slots=True)
class LookedAt:
    """One picture with what the network sees in it, which is None until somebody asks. An image of the atlas is kept
    without its bytes."""

    picture: bytes
    portrait: Portrait | None = None

    @property
    def size(self) -> int:
        if self.portrait is None:
            return len(self.picture)
        tiles = (tile for layer in self.portrait.layers for one in layer.firings for tile in one.tiles.values())
        return len(self.picture) + len(self.portrait.picture) + sum(map(len, tiles))


class Gallery:
    """The newest 16 pictures, together at most 64 MiB (one that is larger alone is still kept), each under its key.

    look: a picture's bytes -> its portrait. look_at_image: the same of an image of the atlas, by its number. One is
    made at a time; a fifth that waits is refused with Busy. unit_tiles: a layer's name and a unit -> its tiles.
    """

    def __init__(
        self, look: Callable[[bytes], Portrait], look_at_image: Callable[[int], Portrait] | None = None,
        unit_tiles: Callable[[str, int], tuple[MadeTile, ...]] = lambda layer, unit: (),
    ) -> None:  # fmt: skip
        self._look, self._look_at_image, self._unit_tiles = look, look_at_image, unit_tiles
        self._tiles = LruCache[tuple[MadeTile, ...]](MOST_BYTES // 4, _size_of)
        # Each weighs a sixteenth at least: one bound on the bytes is one on the number too.
        self._kept = LruCache[LookedAt](MOST_BYTES, lambda kept: max(kept.size, MOST_BYTES // MOST_PICTURES))
        self._lock, self._making = threading.Lock(), threading.Lock()
        self._waiting = 0

    def find(self, key: str) -> Portrait | None:
        """What is seen in a picture; None for one that was never here, was let go, or was not looked at yet."""
        found = self._kept.find(key)
        return None if found is None else found.portrait

    def add(self, picture: bytes) -> str:
        """Look at a picture and keep it; its key, its bytes' SHA-256. Raises Busy, and what `look` does."""
        key = _key(picture)
        if self.find(key) is None:
            self._kept.put(key, LookedAt(picture, self._made(lambda: self._look(picture))))
        return key

    def keep(self, picture: bytes) -> str:
        """Keep a picture that nobody asks about yet; its key. Raises ImageError for what is neither JPEG nor PNG."""
        if not picture.startswith(tuple(OPENERS)):
            raise ImageError("the picture is neither a JPEG nor a PNG file, and no other kind is taken")
        key = _key(picture)
        if self._kept.find(key) is None:
            self._kept.put(key, LookedAt(picture))
        return key

    def sent(self, key: str) -> bytes:
        """A picture of somebody's own as it was sent. Raises UsageError where there is none."""
        found = self._kept.find(key)
        if found is None or not found.picture:
            raise UsageError(GONE)
        return found.picture

    def portrait(self, book: Book, key: str) -> Portrait:
        """What is seen in a picture of this key; those of the atlas are looked at again where they were let go.

        Raises UsageError where there is none.
        """
        found, image = self._kept.find(key), image_of(key)
        if found is not None and found.portrait is not None:
            return found.portrait
        if image is not None:
            found = LookedAt(b"", self._made(lambda: self._of_atlas(book, image)))
        elif found is None:
            raise UsageError(GONE)
        else:
            picture = found.picture
            found = LookedAt(picture, self._made(lambda: self._look(picture)))
        self._kept.put(key, found)
        assert found.portrait is not None
        return found.portrait

    def tiles(self, layer: str, unit: int) -> tuple[MadeTile, ...]:
        """The tiles of a unit's peaks, made now and kept for a while. Raises UsageError for what does not exist."""
        return self._tiles.get((layer, unit), lambda: self._unit_tiles(layer, unit))

    def _of_atlas(self, book: Book, image: int) -> Portrait:
        if self._look_at_image is None or not book.file.has_picture(book.file.image(image).id):
            raise UsageError(f"the atlas keeps no picture of image {image}: no unit has a peak in it, or it keeps none")
        return self._look_at_image(image)

    def _made(self, look: Callable[[], Portrait]) -> Portrait:
        with self._lock:
            if self._waiting >= WAITING:
                raise Busy("several pictures are being looked at already; try again in a moment")
            self._waiting += 1
        try:
            with self._making:
                return look()
        finally:
            with self._lock:
                self._waiting -= 1


def _size_of(tiles: tuple[MadeTile, ...]) -> int:
    return sum(len(one.patch) + sum(map(len, one.tiles.values())) for one in tiles)


def _key(picture: bytes) -> str:
    return hashlib.sha256(picture).hexdigest()


def key_of(image: int) -> str:
    """The key of an image of the atlas."""
    return f"{IMAGE_KEY}{image}"


def image_of(key: str) -> int | None:
    """The image of the atlas that a key stands for; None for a picture of one's own, -1 for no number."""
    if not key.startswith(IMAGE_KEY):
        return None
    number = whole_number(key.removeprefix(IMAGE_KEY))
    return -1 if number is None else number
