"""A sheet as a file: true inches, embedded fonts, provenance in the metadata, and the same bytes every time.

The provenance is one JSON text: in a PNG the text chunk "layerscope", in a PDF the document's keywords, in an SVG the
keywords of its metadata.
"""

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.core.errors import UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.files import write_whole
from layerscope.core.names import without_controls
from layerscope.figures.draw import draw, style
from layerscope.figures.tree import PlainSheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PNG_EFFORT = 3  # zlib's; at its default 6 a plate takes three times as long and is 3 % smaller
FORMATS = ("png", "pdf", "svg")


def save(sheet: PlainSheet, path: Path, *, width_inches: float | None = None, dpi: int = 300) -> Path:
    """Write the figure; see `Sheet.save`."""
    kind = require_writable(path)
    with plain_failures(path, kind=UsageError):
        write_whole(path, encode(sheet, kind, width_inches=width_inches, dpi=dpi))
    return path


def require_writable(path: Path) -> str:
    """The format that a figure's file will have. Raises UsageError where it could not be written, before any work."""
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise UsageError(f'cannot tell the format of "{path}": a figure\'s name must end in .png, .pdf or .svg')
    if not path.parent.is_dir():
        raise UsageError(f'cannot write "{path}": there is no folder "{path.parent}"')
    if path.is_dir():
        raise UsageError(f'cannot write "{path}": it is a folder')
    return kind


def encode(sheet: PlainSheet, kind: str, *, width_inches: float | None = None, dpi: int = 300) -> bytes:
    """The bytes of the figure's file. kind: "png", "pdf" or "svg"."""
    if not 10 <= dpi <= 2400:
        raise UsageError(f"a figure's dpi must lie in 10..2400, got {dpi}")
    figure = draw(sheet, width_inches=width_inches)
    options: dict[str, Any] = {}
    if kind == "png":
        _average_when_shrunk(figure, dpi)
        options["pil_kwargs"] = {"compress_level": PNG_EFFORT}

    def drawn() -> bytes:
        buffer = io.BytesIO()
        with style():
            figure.savefig(buffer, format=kind, dpi=dpi, metadata=_metadata(sheet, kind), **options)
        return buffer.getvalue()

    try:
        return drawn()
    except ValueError:
        # Matplotlib's renderer says so of whatever interrupts it while it asks for a box: memory that is short, Ctrl-C.
        return drawn()


def _average_when_shrunk(figure: "Figure", dpi: int) -> None:
    """Tiles with more pixels than the PNG has room for are averaged: the nearest of them would be ragged."""
    for image in figure.axes[0].images:
        left, right, _, _ = image.get_extent()
        if (right - left) * dpi < image.get_size()[1]:
            image.set_interpolation("hanning")


def _metadata(sheet: PlainSheet, kind: str) -> dict[str, Any]:
    """What the format calls these things; no time of writing, so that the same sheet gives the same bytes."""
    title, caption = without_controls(sheet.title), without_controls(sheet.caption)
    provenance = json.dumps(dict(sheet.provenance), sort_keys=True, default=str)
    if kind == "png":
        return {"Title": title, "Description": caption, "Software": "layerscope", "layerscope": provenance}
    if kind == "pdf":
        return {
            "Title": title,
            "Subject": caption,
            "Creator": "layerscope",
            "Keywords": provenance,
            "CreationDate": None,
        }
    return {"Title": title, "Description": caption, "Creator": "layerscope", "Keywords": [provenance], "Date": None}
