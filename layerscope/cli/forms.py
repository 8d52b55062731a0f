"""Pixels as text for a terminal: halves of characters in 24-bit or 256 colours, and the graphics of kitty."""

import base64
import io
from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from layerscope.cli.terminal import ALL_COLOURS

UPPER, LOWER, NEITHER = "▀", "▄", " "
RESET = "\x1b[0m"
# The 256 colours of xterm: a cube of six levels from number 16 on, and behind it 24 grays.
LEVELS = np.array([0, 95, 135, 175, 215, 255])
CUBE, GRAYS, GRAY_LEVELS = 16, 232, 8 + 10 * np.arange(24)
# Most bytes that kitty takes at once.
CHUNK = 4096


def half_blocks(pixels: UInt8[np.ndarray, "h w 4"], colours: int) -> str:
    """Two rows of px in a line of characters; where there is no px the terminal's own ground shows.

    A colour is said where it changes, and each line ends without one.
    """
    picture = pixels if len(pixels) % 2 == 0 else np.concatenate([pixels, np.zeros_like(pixels[:1])])
    there = picture[..., 3] > 0
    codes = _codes(picture[..., :3], colours)
    return "\n".join(
        "".join(_line(codes[row], there[row], codes[row + 1], there[row + 1])).rstrip()
        for row in range(0, len(picture), 2)
    )


def _line(
    above: list[str], above_there: Bool[np.ndarray, " w"], below: list[str], below_there: Bool[np.ndarray, " w"]
) -> Iterator[str]:
    """The characters of a line, with what changes of their colours before them."""
    ink, ground = "", ""
    for upper, has_upper, lower, has_lower in zip(above, above_there, below, below_there, strict=True):
        letter = UPPER if has_upper else LOWER if has_lower else NEITHER
        # The one half is drawn in the ink, the other one is what the ground shows.
        wanted_ink = upper if has_upper else lower if has_lower else ink
        wanted_ground = lower if has_upper and has_lower else ""
        changes = [f"38;{wanted_ink}"] if wanted_ink != ink else []
        changes += [f"48;{wanted_ground}" if wanted_ground else "49"] if wanted_ground != ground else []
        if changes:
            yield f"\x1b[{';'.join(changes)}m"
        ink, ground = wanted_ink, wanted_ground
        yield letter
    if ink or ground:
        yield RESET


def _codes(picture: UInt8[np.ndarray, "h w 3"], colours: int) -> list[list[str]]:
    """Each px's colour as a terminal is told it."""
    if colours >= ALL_COLOURS:
        return [[f"2;{red};{green};{blue}" for red, green, blue in row] for row in picture.tolist()]
    return [[f"5;{number}" for number in row] for row in nearest(picture).tolist()]


def nearest(picture: UInt8[np.ndarray, "h w 3"]) -> np.ndarray:
    """Of each px the number of the nearest of xterm's 256 colours, int64[h, w]; the first 16, which users choose, are
    left out."""
    wide = picture.astype(np.int64)
    steps = np.abs(wide[..., None] - LEVELS).argmin(-1)
    gray = np.abs(wide.mean(-1)[..., None] - GRAY_LEVELS).argmin(-1)
    off_cube = ((LEVELS[steps] - wide) ** 2).sum(-1)
    off_gray = ((GRAY_LEVELS[gray][..., None] - wide) ** 2).sum(-1)
    return np.where(off_gray < off_cube, GRAYS + gray, CUBE + steps @ np.array([36, 6, 1]))


def kitty(pixels: UInt8[np.ndarray, "h w 4"], colours: int) -> str:
    """The picture as a PNG in kitty's escape codes; the terminal is asked for no answer."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    chunks = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    return "".join(
        f"\x1b_G{'' if number else 'a=T,f=100,q=2,'}m={int(number + 1 < len(chunks))};{chunk}\x1b\\"
        for number, chunk in enumerate(chunks)
    )


def nothing(pixels: UInt8[np.ndarray, "h w 4"], colours: int) -> str:
    """No picture."""
    return ""
