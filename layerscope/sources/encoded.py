"""Images that lie as encoded bytes at a place in a file: a picture file is one such place, a tar member another."""

import hashlib
import os
from collections.abc import Hashable
from dataclasses import replace

from PIL import Image

from layerscope.core.records import ImageRecord, Input
from layerscope.sources.decode import LARGEST_FILE, Unusable, decode
from layerscope.sources.prepare import require_picture_channels
from layerscope.sources.source import Entry, Source


class EncodedSource(Source):
    """Picture files, or members of tar files, decoded by threads: Pillow releases the interpreter lock."""

    def _require(self, input: Input) -> None:
        require_picture_channels(input)

    def stamp(self, id: int) -> Hashable:
        try:
            found = os.stat(self._entries[id].path)
        except OSError:
            return object()  # like no other
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def _read(self, id: int) -> tuple[ImageRecord, Image.Image | None]:
        entry = self._entries[id]
        record = ImageRecord(id=id, source=entry.identity, size=entry.size, label=entry.label)
        try:
            encoded = _encoded(entry)
            record = replace(record, sha256=hashlib.sha256(encoded).hexdigest(), size=len(encoded))
            picture = decode(encoded)
        except Unusable as failure:
            return replace(record, skipped=str(failure)), None
        return replace(record, height=picture.height, width=picture.width), picture


def _encoded(entry: Entry) -> bytes:
    """The bytes of one image. Each read opens the file anew, so that threads share nothing."""
    if entry.size is not None and entry.size > LARGEST_FILE:
        raise Unusable(f"larger than {LARGEST_FILE >> 30} GiB")
    try:
        with open(entry.path, "rb") as file:
            file.seek(entry.offset)
            return file.read(entry.size)
    except OSError as failure:
        raise Unusable(f"unreadable: {failure.strerror or type(failure).__name__}") from None
