"""The images whose maxima are kept as they are: a seeded sample, of which strata and neighbours are made.

At most 512 images, and no more than fit a constant number of bytes: the state stays flat however large the scan. Which
images these are is told by their contents: those whose hashes, keyed by the seed, are the smallest. So the samples of
two sets of images hold the sample of both together, in whatever order and by whomever they were scanned.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isqrt

import numpy as np
from jaxtyping import Float32, Int32, Int64

from layerscope.core.records import ImageRecord, LayerRecord

MOST_SAMPLED = 512
SAMPLE_BYTES = 64 * 2**20
# A maximum and its place, four bytes each.
_BYTES_EACH = 8
# Keys are whole numbers below this, evenly spread.
KEYS = 2**63


@dataclass(frozen=True, eq=False)
class SampledMaxima:
    """One layer on the sampled images that could be used.

    images: int64[n], their ids, growing. maxima: float32[n, u]. argmax: int32[n, u], the first position in reading
    order that holds the maximum, row * cols + col of the layer's map.
    """

    images: Int64[np.ndarray, " n"]
    maxima: Float32[np.ndarray, "n u"]
    argmax: Int32[np.ndarray, "n u"]


def most_sampled(layers: Sequence[LayerRecord]) -> int:
    """How many images are sampled at most, where these layers are scanned."""
    units = sum(layer.units for layer in layers)
    return min(MOST_SAMPLED, max(1, SAMPLE_BYTES // (_BYTES_EACH * max(units, 1))))


@dataclass(frozen=True)
class SampleRule:
    """Which images may be sampled: `most` of the smallest keys, all below `limit`.

    The limit is known before the scan, so that a shard gives the places in a few images only. It leaves room: of images
    that can be used `most` are below it, but for one scan in 10^11.
    """

    most: int
    limit: int
    seed: int

    @classmethod
    def of(cls, count: int, layers: Sequence[LayerRecord], seed: int) -> "SampleRule":
        """For so many listed images and these layers."""
        most = most_sampled(layers)
        room = most + 8 * isqrt(most) + 16
        return cls(most, KEYS if count <= room else room * KEYS // count, seed)

    def key(self, record: ImageRecord) -> int:
        """Another content, or another seed, is another draw."""
        # An array's bytes do not tell its rows and columns.
        told = f"{self.seed} {record.sha256 or record.source} {record.height} {record.width}"
        digest = hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8, person=b"strata").digest()
        return int.from_bytes(digest, "big") >> 1

    def keys(self, records: Iterable[ImageRecord]) -> dict[int, int]:
        """The keys of those that may be sampled, by id."""
        found = {record.id: self.key(record) for record in records if record.skipped is None}
        return {id: key for id, key in found.items() if key < self.limit}


class SampledImages:
    """The images of the smallest keys so far, among equal keys of the smallest ids. Each has a slot while it stays."""

    def __init__(self, most: int) -> None:
        self.ids, self.keys = np.full(most, -1, np.int64), np.full(most, KEYS - 1, np.int64)

    def slots(self) -> Int64[np.ndarray, " n"]:
        """The slots that hold an image, in the order of the images."""
        order = np.argsort(self.ids, kind="stable")
        return order[self.ids[order] >= 0]

    def enter(
        self, ids: Int64[np.ndarray, " n"], keys: Int64[np.ndarray, " n"]
    ) -> tuple[Int64[np.ndarray, " e"], Int64[np.ndarray, " e"]]:
        """Let more images in: which of these enter, by their places, and the slots that they get."""
        most = len(self.ids)
        id, key = np.concatenate([self.ids, ids]), np.concatenate([self.keys, keys])
        order = np.lexsort((id, key, id < 0))
        stays = np.zeros(len(id), bool)
        stays[order[:most]] = True
        entering = np.flatnonzero(stays[most:])
        leaving, free = np.flatnonzero(~stays[:most] & (self.ids >= 0)), np.flatnonzero(self.ids < 0)
        slots = np.concatenate([leaving, free])[: len(entering)]
        self.ids[slots], self.keys[slots] = ids[entering], keys[entering]
        return entering, slots
