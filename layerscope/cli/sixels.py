"""Pixels as sixels: bands of six rows, in each band one line of characters for every colour that it has."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int64, UInt8
from PIL import Image

BAND = 6
FIRST = ord("?")  # the character of no px; the six px of a column are added to it as bits, the uppermost the lowest
MOST_COLOURS = 128
BEGINNING, END = "\x1bP0;1;0q", "\x1b\\"
SHORT = 3  # so many equal characters are written out; of more, their number


def sixels(pixels: UInt8[np.ndarray, "h w 4"], colours: int) -> str:
    """The picture in at most 128 colours of its own; where there is no px the ground stays."""
    height, width = pixels.shape[:2]
    reduced = Image.fromarray(np.ascontiguousarray(pixels[..., :3])).quantize(MOST_COLOURS, dither=Image.Dither.NONE)
    numbers, there = np.asarray(reduced).astype(np.int64), pixels[..., 3] > 0
    palette = np.array(reduced.getpalette()).reshape(-1, 3)
    used = np.unique(numbers[there])
    # Shares of a hundred, as the terminals of that time were told colours.
    table = "".join(f"#{number};2;{';'.join(map(str, np.rint(palette[number] / 2.55).astype(int)))}" for number in used)
    bands = "-".join(
        "$".join(_lines(numbers[top : top + BAND], there[top : top + BAND])) for top in range(0, height, BAND)
    )
    return f'{BEGINNING}"1;1;{width};{height}{table}{bands}{END}'


def _lines(numbers: Int64[np.ndarray, "rows w"], there: Bool[np.ndarray, "rows w"]) -> Iterator[str]:
    """The lines of a band, one for each of its colours."""
    bits = 1 << np.arange(len(numbers))[:, None]
    for colour in np.unique(numbers[there]):
        columns = (((numbers == colour) & there) * bits).sum(0)
        yield f"#{colour}{_runs(columns)}"


def _runs(columns: Int64[np.ndarray, " w"]) -> str:
    """The columns as characters, equal ones counted; what is empty at the end is left out."""
    starts = np.flatnonzero(np.diff(columns, prepend=-1))
    lengths = np.diff(starts, append=len(columns))
    runs = list(zip(columns[starts].tolist(), lengths.tolist(), strict=True))
    if runs and not runs[-1][0]:
        runs.pop()
    return "".join(
        chr(FIRST + bits) * length if length <= SHORT else f"!{length}{chr(FIRST + bits)}" for bits, length in runs
    )
