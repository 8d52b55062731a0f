"""Why two preparations of the same picture files differ: what of an Input would have to be another.

The way that would give the other's numbers is looked for: other resizes are tried, and where one gives the same
picture, mean, std and order of the channels are read off, since they change every number by one line.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layerscope.core.records import Input
from layerscope.core.settings import CROPS, INTERPOLATIONS
from layerscope.sources import open_source

Array = NDArray[Any]
# The shares of the resized picture that a crop keeps, as libraries publish them.
CROPS_KEPT = (1.0, 224 / 232, 224 / 236, 224 / 238, 0.965, 0.96, 0.95, 0.94, 0.93, 0.92, 0.9, 0.89, 0.885, 0.875, 0.8)
# Two ways give the same picture where they differ by so many gray levels in the mean.
SAME = 0.35
# What mean and std may differ by for rounding.
ROUNDED = 2e-3


@dataclass(frozen=True, kw_only=True)
class Way:
    """A preparation that was tried. off: its mean difference from the other's numbers, gray levels of 255."""

    input: Input
    orientation: str
    off: float


def why(files: Sequence[Path], theirs: Array, input: Input, orientation: str) -> tuple[str, str]:
    """What of the preparation differs, as a clause, and the options that would give theirs; empty where nobody can say.

    files: some pictures. theirs: the same, prepared by the other software [n, c, h, w].
    """
    if theirs.shape[1] != input.channels:
        return f"it has {theirs.shape[1]} channels there and {input.channels} here", ""
    rows, cols = theirs.shape[2:]
    sized = replace(input, height=rows, width=cols)
    best: Way | None = None
    for way in _ways(sized, orientation):
        tried = _tried(files, theirs, way)
        if tried is not None and (best is None or tried.off < best.off - 1e-3):
            best = tried
        if best is not None and best.off < SAME / 4:
            break
    if best is None or best.off > SAME:
        if _lies_beside(files, theirs, sized, orientation):
            return "it lies a px beside ours, because the place of the crop is rounded otherwise there", ""
        size = (rows, cols) != (input.height, input.width)
        return (f"it is {rows} x {cols} px there and {input.height} x {input.width} px here", "") if size else ("", "")
    return _cause_and_advice(input, orientation, best)


def _lies_beside(files: Sequence[Path], theirs: Array, input: Input, orientation: str) -> bool:
    """True where it is the same picture, for each but for a shift of one px: of an odd rest one half is the larger."""
    source = open_source([str(file) for file in files], orientation=orientation)
    ours = source.load(range(len(source)), input).pixels
    std = np.asarray(input.std).reshape(-1, 1, 1)
    inner = theirs[:, :, 1:-1, 1:-1]
    rows, cols = inner.shape[2:]
    shifts = [(down, right) for down in range(3) for right in range(3)]

    def off(one: Array, other: Array, down: int, right: int) -> float:
        return float((np.abs(one[:, down : down + rows, right : right + cols] - other) * std).mean()) * 255

    pairs = zip(ours, inner, strict=True)
    return len(ours) == len(inner) and all(min(off(one, other, *by) for by in shifts) < SAME for one, other in pairs)


def _ways(sized: Input, orientation: str) -> Iterator[Way]:
    """The preparation itself first, then others, the likeliest first."""
    side = min(sized.height, sized.width)
    sides = [sized.resize, None, *(round_(side / kept) for kept in CROPS_KEPT for round_ in (math.floor, math.ceil))]
    sides += [256, 232, 342]
    turned = [orientation, *({"upright", "stored"} - {orientation})]
    tried = set[tuple[Any, ...]]()
    for turn in turned:
        for crop in dict.fromkeys((sized.crop, *CROPS)):
            for resize in dict.fromkeys(sides) if crop == "center" else [sized.resize]:
                for interpolation in dict.fromkeys((sized.interpolation, *INTERPOLATIONS)):
                    key = (turn, crop, resize if resize != side else None, interpolation)
                    if key not in tried and (resize is None or resize >= side):
                        tried.add(key)
                        other = replace(sized, crop=crop, resize=resize, interpolation=interpolation)
                        yield Way(input=other, orientation=turn, off=math.inf)


def _tried(files: Sequence[Path], theirs: Array, way: Way) -> Way | None:
    """How far a way is from theirs, with the mean, std and order that bring it nearest."""
    plain = replace(way.input, mean=(0.0,) * way.input.channels, std=(1.0,) * way.input.channels, order="RGB")
    source = open_source([str(file) for file in files], orientation=way.orientation)
    values = source.load(range(len(source)), plain).pixels.astype(np.float64)
    if len(values) != len(theirs):
        return None
    orders = ("RGB", "BGR") if way.input.channels == 3 else ("RGB",)
    found = [_lined_up(values if order == "RGB" else values[:, ::-1], theirs, order, way) for order in orders]
    return min(found, key=lambda one: one.off)


def _lined_up(values: Array, theirs: Array, order: Any, way: Way) -> Way:
    """theirs = (value - mean) / std, channel by channel, by least squares."""
    means: list[float] = []
    stds: list[float] = []
    offs: list[float] = []
    for channel in range(values.shape[1]):
        value, other = values[:, channel].ravel(), theirs[:, channel].astype(np.float64).ravel()
        spread = value - value.mean()
        slope = float(spread @ (other - other.mean())) / max(float(spread @ spread), 1e-12)
        slope = slope if abs(slope) > 1e-9 else 1e-9
        shift = float(other.mean() - slope * value.mean())
        offs.append(float(np.abs((other - shift) / slope - value).mean()) * 255)
        means.append(-shift / slope)
        stds.append(abs(1 / slope))
    fitted = replace(way.input, mean=tuple(means), std=tuple(stds), order=order)
    return replace(way, input=fitted, off=max(offs))


def _cause_and_advice(input: Input, orientation: str, found: Way) -> tuple[str, str]:
    """What differs between an Input and the way that was found, and the options that say it."""
    clauses, options = list[str](), list[str]()
    other = found.input
    if (other.height, other.width) != (input.height, input.width):
        clauses.append(f"it is {other.height} x {other.width} px there and {input.height} x {input.width} px here")
        options.append(f"--input {other.channels}x{other.height}x{other.width}")
    if found.orientation != orientation:
        clauses.append(f"its pictures are {found.orientation} there and {orientation} here")
        options.append(f"--orientation {found.orientation}")
    side = min(other.height, other.width)
    for name in ("order", "crop", "interpolation", "resize"):
        there, here = getattr(other, name), getattr(input, name)
        if name == "resize":
            there, here = there or side, here or min(input.height, input.width)
        if there != here and not (name == "resize" and other.crop != "center"):
            clauses.append(f"its {name} is {there} there and {here} here")
            options.append(f"--{name} {there}")
    for name in ("mean", "std"):
        there, here = np.asarray(getattr(other, name)), np.asarray(getattr(input, name))
        if np.abs(there - here).max() > ROUNDED * (1 if name == "mean" else here.max()):
            there = there.round(4) + 0.0 if name == "mean" else there
            shown = ",".join(f"{value:.4g}" for value in there)
            clauses.append(f"its {name} is {shown} there and {','.join(f'{value:.4g}' for value in here)} here")
            options.append(f"--{name} {shown}")
    return " and ".join(clauses), f"write {' '.join(options)}" if options else ""
