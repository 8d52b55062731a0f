"""What a unit's patches have in common besides a direction: a colour, something round in the middle, a pattern."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

# A mean colour nearer to gray than so many gray levels is none that could be named.
COLOURFUL = 25.0
# Where the middle of what is round may lie beside the middle of the patches, in parts of their side.
ASIDE = (-0.15, 0.0, 0.15)
# The ring in which a round form is looked for, in parts of the side.
INNER, OUTER = 0.1, 0.5
# A pattern is looked for in so many parts a side.
PARTS = 4
# Gray levels, and their squares, by which a flat patch has no detail.
NOISE = 5.0
# Hues, degrees, up to which a colour is called so; from the last on it is red again.
HUES = ((15, "red"), (42, "orange"), (70, "yellow"), (165, "green"), (258, "blue"), (295, "purple"), (345, "pink"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonColour:
    """The colour of several patches. share: of their chroma that they have in common, 0..1; 0 where that is near gray.
    word: the colour's name."""

    share: float
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonRound:
    """How far several patches show something round at one place. share: of what their gradients hold, 1 where all
    point to or from a middle, 0 at random, -1 for rays. middle: how much lighter it is inside than outside, in
    standard deviations of the patches."""

    share: float
    middle: float


def common_colour(patches: UInt8[np.ndarray, "k h w 3"]) -> CommonColour:
    """The colour that patches have in common; at least one patch."""
    mean = patches.astype(np.float64).mean((1, 2))
    chroma = mean - mean.mean(1, keepdims=True)
    common = chroma.mean(0)
    length, spread = float(np.linalg.norm(common)), float(np.sqrt(((chroma - common) ** 2).sum(1).mean()))
    # Red, green and blue stand 120 degrees apart on the wheel of hues.
    turns = np.exp(2j * np.pi * np.arange(3) / 3)
    hue = float(np.degrees(np.angle((common * turns).sum()))) % 360
    word = next((word for limit, word in HUES if hue < limit), HUES[0][1])
    return CommonColour(share=length / float(np.hypot(length, spread)) if length >= COLOURFUL else 0.0, word=word)


def common_round(patches: UInt8[np.ndarray, "k h w 3"]) -> CommonRound:
    """Whether patches show something round around one place near their middle; at least one patch, 3 x 3 px or more."""
    light = patches.astype(np.float64).mean(-1)
    height, width = light.shape[1:]
    if min(height, width) < 3:
        return CommonRound(share=0.0, middle=0.0)
    steps, best = _steps(light), CommonRound(share=-1.0, middle=0.0)
    rows, cols = np.mgrid[: height - 2, : width - 2]
    for down in ASIDE:
        for right in ASIDE:
            out = (rows - (height - 3) / 2) / height - down + 1j * ((cols - (width - 3) / 2) / width - right)
            far = np.abs(out)
            ring = (far >= INNER) & (far <= OUTER)
            # The square of a step, by its angle to the way out: 1 along it, -1 across.
            along = ((steps * np.conj(out / np.where(far > 0, far, 1))) ** 2).real * ring
            held = (np.abs(steps) ** 2 * ring).sum((1, 2))
            share = float((along.sum((1, 2)) / np.maximum(held, NOISE)).mean())
            if share > best.share:
                best = CommonRound(share=share, middle=_middle(light[:, 1:-1, 1:-1], far))
    return best


def pattern(patches: UInt8[np.ndarray, "k h w 3"]) -> float:
    """How far patches are filled with fine detail: about 0 for one border through them, about 1 for hatching.

    The median over patches of how steep they are, in parts of their contrast a px, times how evenly that is spread. At
    least one patch, PARTS + 2 px a side or more, else 0.
    """
    light = patches.astype(np.float64).mean(-1)
    if min(light.shape[1:]) < PARTS + 2:
        return 0.0
    steep = np.abs(_steps(light)) ** 2
    rows, cols = (np.arange(PARTS) * length // PARTS for length in steep.shape[1:])
    parts = np.add.reduceat(np.add.reduceat(steep, rows, 1), cols, 2).reshape(len(light), -1) + 1.0
    even = np.exp(np.log(parts).mean(1)) / parts.mean(1)
    fine = np.sqrt(steep.mean((1, 2))) / (light.std((1, 2)) + NOISE)
    return float(np.median(even * fine))


def _steps(light: Float64[np.ndarray, "k h w"]) -> np.ndarray:
    """The gradient at every px but those of the rim, gray levels a px: down is real, right is imaginary."""
    return (light[:, 2:, 1:-1] - light[:, :-2, 1:-1] + 1j * (light[:, 1:-1, 2:] - light[:, 1:-1, :-2])) / 2


def _middle(light: Float64[np.ndarray, "k h w"], far: Float64[np.ndarray, "h w"]) -> float:
    inside, outside = far < (INNER + OUTER) / 3, (far > (INNER + OUTER) / 2) & (far <= OUTER)
    if not inside.any() or not outside.any():
        return 0.0
    apart = light[:, inside].mean(1) - light[:, outside].mean(1)
    return float((apart / (light.std((1, 2)) + NOISE)).mean())
