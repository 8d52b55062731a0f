"""The forms of pictures in a terminal, in words and functions: how pixels become text that it draws."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerscope.core.registry import Registry, Row, later

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import UInt8

    Drawn = UInt8[np.ndarray, "h w 4"]


@dataclass(frozen=True, kw_only=True)
class PictureForm(Row):
    """A way to draw pixels in a terminal.

    encode: pixels uint8[h, w, 4], red, green, blue and 255 where there is a px, else 0, and how many colours the
    terminal has -> the text that draws them. cells: a character is a px wide and two high, so that pictures are small;
    else a px is one of the screen's.
    """

    encode: "Callable[[Drawn, int], str]"
    cells: bool = False


PICTURE_FORMS = Registry(
    "form of pictures",
    "layerscope.picture_forms",
    PictureForm,
    (
        PictureForm(
            name="blocks",
            sentence="characters of two halves, each a px: for any terminal with colours",
            encode=later("layerscope.cli.forms:half_blocks"),
            cells=True,
        ),
        PictureForm(
            name="kitty",
            sentence="the graphics of kitty, which Ghostty, Konsole and WezTerm know too",
            encode=later("layerscope.cli.forms:kitty"),
        ),
        PictureForm(
            name="sixel",
            sentence="the graphics of DEC's VT340, which xterm, foot, mlterm and others know",
            encode=later("layerscope.cli.sixels:sixels"),
        ),
        PictureForm(
            name="none",
            sentence="no pictures",
            encode=later("layerscope.cli.forms:nothing"),
        ),
    ),
)

# What a terminal gets unasked, where it has colours.
UNASKED, NO_PICTURES = "blocks", "none"
