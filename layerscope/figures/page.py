"""What a laid-out page consists of: pictures, words, lines, fills and frames, in inches from the page's top left.

Here stand also the sizes of type, the weights of lines and the colours that all figures share.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

TITLE, SECTION, CAPTION, HEADING, SMALL, FOOTER, TINY = 10.5, 8.5, 8.0, 7.2, 6.8, 6.0, 5.6  # points
INK, SOFT, FAINT, PALE, PAPER = "#111111", "#5a5a5a", "#b4b4b4", "#e4e4e4", "#ffffff"
ACCENT, BAR = "#e8481c", "#8494a6"
# Told apart by readers who see few colours, in this order (Okabe and Ito, Color Universal Design, 2008).
DISTINCT = (ACCENT, "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a7a00", "#111111")
THIN, HAIR = 0.7, 0.5  # points


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A rectangle of the page, inches from the top left."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedPicture:
    """Pixels that fill an area."""

    area: Area
    pixels: UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A line of words. left, top: of the point that `align` (left, center, right) and `hang` (top, center) speak of."""

    left: float
    top: float
    text: str
    size: float
    bold: bool = False
    colour: str = INK
    align: str = "left"
    hang: str = "top"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A straight line between two points, (left, top). weight: points."""

    start: tuple[float, float]
    end: tuple[float, float]
    colour: str = INK
    weight: float = HAIR


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """A filled polygon of (left, top) corners."""

    corners: tuple[tuple[float, float], ...]
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The outline of an area, light under dark, so that it shows on any picture."""

    area: Area
    dashed: bool
    colour: str = ACCENT


Item = PlacedPicture | Words | Line | Fill | Frame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FigurePage:
    """A laid-out sheet. width, height: inches."""

    width: float
    height: float
    items: tuple[Item, ...]
