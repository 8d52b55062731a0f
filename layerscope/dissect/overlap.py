"""How many px are above a unit's threshold and carry a concept: counted where one of the two is rare."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int16, Int64, UInt8

# Rows of the table are gathered in runs of at most so many numbers.
_NUMBERS = 2**24


class Marked(NamedTuple):
    """What is marked in one image. concepts: those that are there. marked: for each of them its px of the grid."""

    concepts: Int64[np.ndarray, " there"]
    marked: Bool[np.ndarray, "there px"]

    @classmethod
    def nothing(cls, px: int) -> "Marked":
        return cls(np.zeros(0, np.int64), np.zeros((0, px), bool))


@dataclass(frozen=True, eq=False)
class Members:
    """The concepts of one batch's px, in the two forms that counting needs.

    count: of all concepts. concepts: those that are there. places: for each of them the px that carry it. table:
    uint8[px, there], 1 where a px carries a concept.
    """

    count: int
    concepts: Int64[np.ndarray, " there"]
    places: Sequence[Int64[np.ndarray, "_"]]
    table: UInt8[np.ndarray, "px there"]

    @classmethod
    def of(cls, images: Sequence[Marked], px: int, count: int) -> "Members":
        """Of a batch of images with `px` px each; `count` concepts in all."""
        concepts = np.unique(np.concatenate([image.concepts for image in images]))
        by_concept = np.zeros((len(concepts), len(images) * px), bool)
        for place, image in enumerate(images):
            by_concept[np.searchsorted(concepts, image.concepts), place * px : (place + 1) * px] = image.marked
        places = [np.flatnonzero(mask) for mask in by_concept]
        return cls(count, concepts, places, np.ascontiguousarray(by_concept.T).view(np.uint8))


def overlaps(
    bits: Int16[np.ndarray, "px u"], members: Members, thresholds: Int16[np.ndarray, "u c"]
) -> Int64[np.ndarray, "u c"]:
    """Per unit and concept, the px of the concept where the unit is above its threshold for this concept.

    Only the px inside each mask are looked at.
    """
    found = np.zeros(thresholds.shape, np.int64)
    for concept, places in zip(members.concepts.tolist(), members.places, strict=True):
        above = bits.take(places, axis=0) > thresholds[:, concept]
        # The narrowest type that can hold the count: a sum that need not widen its terms is three times as fast.
        found[:, concept] = above.view(np.uint8).sum(0, dtype=np.min_scalar_type(len(places)))
    return found


def overlaps_at_one(
    bits: Int16[np.ndarray, "px u"], members: Members, thresholds: Int16[np.ndarray, " u"]
) -> Int64[np.ndarray, "u c"]:
    """The same with one high threshold per unit: only the few px above it are looked at."""
    units = bits.shape[1]
    px, unit = (torch.from_numpy(part) for part in np.divmod(np.flatnonzero(bits > thresholds), units))
    table, run = torch.from_numpy(members.table), max(_NUMBERS // max(len(members.concepts), 1), 1)
    there = torch.zeros((units, len(members.concepts)))
    for first in range(0, len(px), run):
        # Counts within one batch stay far below 2^24, so sums in float32 are exact.
        there.index_add_(0, unit[first : first + run], table[px[first : first + run]].float())
    found = np.zeros((units, members.count), np.int64)
    found[:, members.concepts] = there.long().numpy()
    return found
