"""How many px are above a unit's threshold and carry a concept: counted where one of the two is rare."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int16, Int64


@dataclass(frozen=True, eq=False)
class Members:
    """The concepts of one batch's px, in the two forms that counting needs.

    places: for every concept the px that carry it. table: float32[px, c], 1 where a px carries a concept.
    """

    places: Sequence[Int64[np.ndarray, "_"]]
    table: Float32[np.ndarray, "px c"]

    @classmethod
    def of(cls, masks: Bool[np.ndarray, "n c px"]) -> "Members":
        by_concept = masks.transpose(1, 0, 2).reshape(masks.shape[1], -1)
        return cls([np.flatnonzero(mask) for mask in by_concept], np.ascontiguousarray(by_concept.T, np.float32))


def overlaps(
    bits: Int16[np.ndarray, "px u"], members: Members, thresholds: Int16[np.ndarray, "u c"]
) -> Int64[np.ndarray, "u c"]:
    """Per unit and concept, the px of the concept where the unit is above its threshold for this concept.

    Only the px inside each mask are looked at.
    """
    found = np.zeros(thresholds.shape, np.int64)
    for concept, places in enumerate(members.places):
        above = bits.take(places, axis=0) > thresholds[:, concept]
        # The narrowest type that can hold the count: a sum that need not widen its terms is three times as fast.
        found[:, concept] = above.view(np.uint8).sum(0, dtype=np.min_scalar_type(len(places)))
    return found


def overlaps_at_one(
    bits: Int16[np.ndarray, "px u"], members: Members, thresholds: Int16[np.ndarray, " u"]
) -> Int64[np.ndarray, "u c"]:
    """The same with one high threshold per unit: only the few px above it are looked at."""
    units = bits.shape[1]
    px, unit = np.divmod(np.flatnonzero(bits > thresholds), units)
    found = torch.zeros((units, members.table.shape[1]))
    # Counts within one batch stay far below 2^24, so sums in float32 are exact.
    found.index_add_(0, torch.from_numpy(unit), torch.from_numpy(members.table)[torch.from_numpy(px)])
    return found.long().numpy()
