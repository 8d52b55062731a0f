"""How much room words take: widths in the fonts that figures are drawn in, and lines broken to fit.

Measured from the fonts' own tables, so that PNG, PDF and SVG break their lines at the same words.
"""

import unicodedata
from functools import lru_cache

from layerscope.core.names import without_controls
from layerscope.figures.fonts import families, legible

POINTS_PER_INCH = 72.0
LINE_HEIGHT = 1.22  # of the type size
# Letters are set on fractions of a px even without hinting: a line may come out this much wider.
ROUNDED = 1.02


@lru_cache(maxsize=4096)
def width(text: str, size: float, bold: bool = False) -> float:
    """The most room that one line of words takes as it is drawn, inches. size: points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    text = legible(text, bold)
    font = FontProperties(family=list(families(text, bold)), size=size, weight="bold" if bold else "normal")
    exact = TextToPath().get_text_width_height_descent(text, font, ismath=False)[0] / POINTS_PER_INCH
    return exact * ROUNDED


def line_height(size: float) -> float:
    """The height of one line, inches. size: points."""
    return LINE_HEIGHT * size / POINTS_PER_INCH


def fitted(text: str, room: float, size: float, bold: bool = False) -> str:
    """One line no wider than `room` inches: what is too long ends in an ellipsis."""
    text = legible(without_controls(text), bold)
    if width(text, size, bold) <= room:
        return text
    while text and width(text + "…", size, bold) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def wrapped(text: str, room: float, size: float, bold: bool = False) -> list[str]:
    """Lines no wider than `room` inches, broken between words, and inside a word that is longer than a line."""
    lines: list[str] = []
    for paragraph in legible(without_controls(text), bold).split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if width(longer, size, bold) <= room:
                line = longer
                continue
            if line:
                lines.append(line)
            *full, line = _pieces(word, room, size, bold)
            lines += full
        if line:
            lines.append(line)
    return lines


def _pieces(word: str, room: float, size: float, bold: bool) -> list[str]:
    """A word cut where it outgrows the line."""
    pieces = [""]
    for letter in word:
        # A mark stays with the letter that it is set on.
        if pieces[-1] and not unicodedata.combining(letter) and width(pieces[-1] + letter, size, bold) > room:
            pieces.append("")
        pieces[-1] += letter
    return pieces
