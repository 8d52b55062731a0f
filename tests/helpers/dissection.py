"""Images whose content is known, and the dissection of units as one slow obvious loop over numbers."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

SIDE = 32


@dataclass(frozen=True)
class Concept:
    name: str
    level: int


class Drawn:
    """Pictures, uint8[count, 32, 32, 3]: on gray ground a red square and, elsewhere, a thin white vertical bar.

    Masks: the square, the bar, and a concept that is never there. A map-style data set of (picture, class).
    """

    concepts = (Concept("red", 1), Concept("bar", 2), Concept("absent", 3))

    def __init__(self, count: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.pictures = np.full((count, SIDE, SIDE, 3), 128, np.uint8)
        self.known = np.zeros((count, len(self.concepts), SIDE, SIDE), bool)
        for picture, masks in zip(self.pictures, self.known, strict=True):
            top, left, side = (*rng.integers(0, 20, 2), rng.integers(6, 12))
            masks[0, top : top + side, left : left + side] = True
            col = int(rng.integers(2, SIDE - 2))
            masks[1, :, col : col + 2] = True
            masks[0] &= ~masks[1]
            picture[masks[0]], picture[masks[1]] = (255, 0, 0), 255

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, image: int) -> tuple[np.ndarray, int]:
        return self.pictures[image], 0

    def masks(self, image: int) -> Bool[np.ndarray, "concepts h w"]:
        return self.known[image]


def interpolated(
    maps: Float64[np.ndarray, "u rows cols"],
    centres: tuple[tuple[float, float], tuple[float, float]],
    at: tuple[float, float],
) -> Float64[np.ndarray, " u"]:
    """The maps' values at one px. centres: per axis the px of position 0 and the px from one position to the next."""
    places = []
    for (first, step), px, count in zip(centres, at, maps.shape[1:], strict=True):
        place = (px - first) / step
        low = int(np.floor(place))
        near, far = (min(max(low + n, 0), count - 1) for n in (0, 1))
        places.append(((near, 1 - (place - low)), (far, place - low)))
    value = np.zeros(len(maps))
    for row, row_share in places[0]:
        for col, col_share in places[1]:
            value += row_share * col_share * maps[:, row, col]
    return value


def threshold(values: Float64[np.ndarray, " n"], area: int) -> float:
    """The least of the values, or 0, that at most `area` of them exceed."""
    return min(v for v in [0.0, *values] if v >= 0 and (values > v).sum() <= area)


def slow_ious(
    values: Float64[np.ndarray, "n u"], masks: Bool[np.ndarray, "n c"], area: int | None = None
) -> Float64[np.ndarray, "u c"]:
    """IoU of every unit with every concept over n px; cut at the concept's own area, or all at one area."""
    found = np.zeros((values.shape[1], masks.shape[1]))
    for unit, concept in np.ndindex(*found.shape):
        mask = masks[:, concept]
        above = values[:, unit] > threshold(values[:, unit], int(mask.sum()) if area is None else area)
        union = (above | mask).sum()
        found[unit, concept] = (above & mask).sum() / union if union else 0.0
    return found


def areas_of(masks: Bool[np.ndarray, "n c"]) -> Int64[np.ndarray, " c"]:
    return masks.sum(0)
