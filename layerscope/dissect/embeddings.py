"""What pictures and words are to a model that compares both: vectors of length 1; those of pictures are kept in a file.

The model sees what the network sees: the network's own input, as a picture. Its vectors lie in a file beside the atlas,
by what an image is (the SHA-256 of its bytes), so that a second list of words needs no picture. The file may be deleted
at any time; one that is not ours, or was made with another model or another input, is not read, and one that is not
ours is never written over.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from layerscope.core.errors import ImageError
from layerscope.core.files import write_whole
from layerscope.core.progress import Progress
from layerscope.core.records import ImageRecord, Input
from layerscope.core.stages import EMBED
from layerscope.core.words import Texts
from layerscope.sources import Source, show

BATCH = 32
# What tells a file of ours.
MARK = "layerscope embeddings 1"


@runtime_checkable
class Comparer(Protocol):
    """A model that compares pictures with words: it gives both as vectors of length 1 of one space.

    name: as it is told. key: what tells it from all others. longest: of a word, tokens.
    """

    name: str
    key: str
    longest: int

    def texts(self, words: Sequence[str]) -> Texts: ...

    def pictures(self, pixels: UInt8[np.ndarray, "b h w 3"]) -> Float32[np.ndarray, "b d"]: ...


class KeptVectors:
    """Vectors of pictures in a file, by image. key: what they were made with; those of another key are not there."""

    def __init__(self, path: Path | None, key: str) -> None:
        self.path, self._key = path, key
        self.ours = path is not None
        self._found: dict[bytes, Float32[np.ndarray, " d"]] = {}
        if path is not None and path.exists():
            self._read(path)

    def __len__(self) -> int:
        return len(self._found)

    def get(self, image: bytes) -> Float32[np.ndarray, " d"] | None:
        return self._found.get(image)

    def _read(self, path: Path) -> None:
        try:
            with safe_open(path, "np") as file:
                said = file.metadata() or {}
                self.ours = said.get("format") == MARK
                if not self.ours or said.get("key") != self._key:
                    return
                images, vectors = file.get_tensor("images"), file.get_tensor("vectors")
        except (OSError, SafetensorError):
            self.ours = False
            return
        if images.ndim == vectors.ndim == 2 and len(images) == len(vectors) and images.dtype == np.uint8:
            self._found = {image.tobytes(): vector for image, vector in zip(images, vectors, strict=True)}

    def put(self, images: Sequence[bytes | None], vectors: Float32[np.ndarray, "n d"]) -> None:
        """These in place of all that was there; images that cannot be told apart are not kept."""
        known = [place for place, image in enumerate(images) if image is not None]
        if self.path is None or not self.ours or not known:
            return
        keys = np.frombuffer(b"".join(images[place] or b"" for place in known), np.uint8).reshape(len(known), -1)
        tensors = {"images": keys, "vectors": np.ascontiguousarray(vectors[known], np.float32)}
        write_whole(self.path, save(tensors, metadata={"format": MARK, "key": self._key}))


def key_of(comparer: Comparer, input: Input) -> str:
    """What vectors of pictures depend on, beside the pictures: the model, and how a picture becomes the input."""
    return hashlib.sha256(json.dumps([comparer.key, repr(input)]).encode()).hexdigest()


def image_key(record: ImageRecord) -> bytes | None:
    """What tells an image from others: an array's bytes do not tell its rows and columns."""
    if record.sha256 is None:
        return None
    return hashlib.sha256(f"{record.sha256} {record.height} {record.width}".encode()).digest()


def embedded(
    comparer: Comparer,
    source: Source,
    input: Input,
    images: Sequence[ImageRecord],
    kept: KeptVectors,
    progress: Progress,
) -> Float32[np.ndarray, "n d"]:
    """The vectors of these images of a source, in their order; those that are kept are not read again.

    Raises ImageError for an image that cannot be read any more, and what the model raises.
    """
    keys = [image_key(record) for record in images]
    known = [None if key is None else kept.get(key) for key in keys]
    todo = [place for place, vector in enumerate(known) if vector is None]
    progress.start(EMBED.name, len(images), len(images) - len(todo))
    found = {place: vector for place, vector in enumerate(known) if vector is not None}
    runs = [todo[first : first + BATCH] for first in range(0, len(todo), BATCH)]
    try:
        ids = ([images[place].id for place in run] for run in runs)
        for run, batch in zip(runs, source.batches(input, ids), strict=True):
            if len(batch.ids) < len(run):
                gone = next(record for record in batch.records if record.id not in set(batch.ids.tolist()))
                raise ImageError(f'the image "{gone.source}" was read a moment ago and cannot be now: {gone.skipped}')
            vectors = comparer.pictures(show(batch.pixels, input))
            found.update(zip(run, vectors, strict=True))
            progress.step(len(run))
    finally:
        if todo and len(found) > len(images) - len(todo):  # what was done is kept, whatever stopped it
            places = sorted(found)
            kept.put([keys[place] for place in places], np.stack([found[place] for place in places]))
    return np.stack([found[place] for place in range(len(images))])
