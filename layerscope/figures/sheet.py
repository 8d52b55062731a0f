"""A figure as its users hold it: plain data that can draw and save itself, and show itself in a notebook."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.core.numbers import counted
from layerscope.figures import draw, files
from layerscope.figures.tree import PlainSheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTEBOOK_DPI = 150


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Sheet(PlainSheet):
    """A whole figure, which can be drawn and saved."""

    @property
    def missing_letters(self) -> str:
        """Letters of its words that no font of this machine has, each once: they are drawn as escapes."""
        return draw.missing_letters(self)

    def draw(self, *, width_inches: float | None = None) -> "Figure":
        """The sheet as a matplotlib figure of this width in inches (the sheet's own by default); pyplot is not used.

        Raises UsageError for a width outside 1..100 inches.
        """
        return draw.draw(self, width_inches=width_inches)

    def save(self, path: str | Path, *, width_inches: float | None = None, dpi: int = 300) -> Path:
        """Write the figure as PNG, PDF or SVG, as the file's ending says; the same sheet gives the same bytes.

        width_inches: the true width, the sheet's own by default. dpi: of a PNG; PDF and SVG keep every tile at its
        own resolution. Fonts are embedded (PDF: TrueType text that can be searched; SVG: outlines, which look the
        same everywhere). A file at that path is replaced once the new one is whole.
        Raises UsageError for another ending, a folder that does not exist, a size that makes no sense or a full disk.
        """
        return files.save(self, Path(path), width_inches=width_inches, dpi=dpi)

    def __repr__(self) -> str:
        """One line, as a prompt prints it: the arrays are for programs."""
        named = f" {self.title!r}" if self.title else ""
        return f'<Sheet{named}: {counted(len(self.tiles), "tile")}; save("figure.png") writes it, a notebook shows it>'

    def _repr_png_(self) -> bytes:
        """The figure as a notebook shows it."""
        return files.encode(self, "png", dpi=NOTEBOOK_DPI)
