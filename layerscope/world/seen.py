"""What can be seen in finished pixels, whoever drew them: edges by direction, and colours by name."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8

from layerscope.world.colours import colour_names
from layerscope.world.concepts import COLOURS, EDGE_ANGLES, EDGE_STEP

FAINTEST = 0.035  # the least slope of an edge, in full contrasts per px
FLANK = 0.5  # of the strongest slope within 2 px: what is less is the side of an edge
PURE = 0.55  # the least share of a place's slope that goes one way


class Edges(NamedTuple):
    """slope: how strongly the picture changes at each pixel, in full contrasts per px; masks: one per direction."""

    slope: Float[np.ndarray, "size size"]
    masks: Bool[np.ndarray, "directions size size"]


def edges(pixels: UInt8[np.ndarray, "size size 3"]) -> Edges:
    """Edges by direction, from the structure tensor of all three channels (Foerstner & Guelch 1987), 3 px wide."""
    padded = np.pad(pixels.astype(np.float32) / 255, ((1, 1), (1, 1), (0, 0)), mode="edge")
    # Scharr's weights: with Sobel's the direction would be up to 4 degrees off.
    rows = 3 * padded[:-2] + 10 * padded[1:-1] + 3 * padded[2:]
    cols = 3 * padded[:, :-2] + 10 * padded[:, 1:-1] + 3 * padded[:, 2:]
    right = (rows[:, 2:] - rows[:, :-2]) / 32
    down = (cols[2:] - cols[:-2]) / 32
    right_right, down_down, right_down = (
        _smooth((a * b).sum(2) / 3) for a, b in ((right, right), (down, down), (right, down))
    )
    both, apart = right_right + down_down, np.hypot(right_right - down_down, 2 * right_down)
    slope = np.sqrt((both + apart) / 2)
    # The gradient's direction is half the angle of the tensor; an edge runs across it, and rows count downwards.
    across = np.degrees(np.arctan2(-2 * right_down, right_right - down_down)) / 2 + 90
    clear = (slope > FAINTEST) & (slope > FLANK * highest(slope)) & (apart > PURE * both)
    turn = (np.round(across / EDGE_STEP).astype(int) + 3) % len(EDGE_ANGLES)
    return Edges(slope, np.stack([clear & (turn == place) for place in range(len(EDGE_ANGLES))]))


def colours(pixels: UInt8[np.ndarray, "size size 3"]) -> Bool[np.ndarray, "names size size"]:
    """Where each named colour is seen: pixels of the name with three or more of the eight around them of it too."""
    names = colour_names(pixels)
    own = names[None] == np.arange(len(COLOURS))[:, None, None]
    padded = np.pad(own, ((0, 0), (1, 1), (1, 1))).astype(np.uint8)
    size = names.shape[0]
    around = sum(padded[:, r : r + size, c : c + size] for r in range(3) for c in range(3))
    return own & (around >= 4)


def highest(values: Shaped[np.ndarray, "size size"]) -> Shaped[np.ndarray, "size size"]:
    """The maximum within 2 px; beyond the border is zero."""
    padded = np.pad(values, 2)
    size = values.shape[0]
    rows = np.maximum.reduce([padded[shift : shift + size] for shift in range(5)])
    return np.maximum.reduce([rows[:, shift : shift + size] for shift in range(5)])


def _smooth(values: Float[np.ndarray, "size size"]) -> Float[np.ndarray, "size size"]:
    """Binomial, 3 x 3."""
    padded = np.pad(values, 1, mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    return (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 16
