"""Pieces of HTML for notebooks: escaped words, small pictures as data, and a bound on the whole. No JavaScript."""

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape

from PIL import Image

from layerscope.atlas.codecs import decode, for_browsers
from layerscope.atlas.read import Encoded

# Notebooks keep what they show: a page stays below 300 kB.
PAGE_BYTES = 290_000
WORDS = 160


def words(value: object) -> str:
    """Any value as escaped text; names can be of any length, so a long one is cut."""
    text = str(value)
    return escape(text if len(text) <= WORDS else text[: WORDS - 1] + "…")


def table_row(cells: Sequence[object], tag: str = "td") -> str:
    """One row of a table; the cells are escaped."""
    return "<tr>" + "".join(f"<{tag}>{words(cell)}</{tag}>" for cell in cells) + "</tr>"


def _data_image(data: bytes, media_type: str, alt: str) -> str:
    return f'<img alt="{words(alt)}" src="data:{media_type};base64,{base64.b64encode(data).decode("ascii")}">'


def thumbnail(stored: Encoded, side: int, alt: str) -> str:
    """The stored picture, no larger than `side` px, at a few bits a pixel."""
    picture = Image.fromarray(decode(stored.pixels, stored.codec))
    picture.thumbnail((side, side), Image.Resampling.BOX)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=50, method=2)
    return _data_image(buffer.getvalue(), "image/webp", alt)


def picture(stored: Encoded, alt: str, limit: int) -> str:
    """The stored picture as it is, or smaller where its bytes exceed the limit."""
    codec, content = for_browsers(stored.pixels, stored.codec)
    if len(content) <= limit:
        return _data_image(content, codec.media_type, alt)
    return thumbnail(stored, 288, alt)


def page(head: str, parts: Iterable[str], tail: str = "") -> str:
    """Head, as many of the parts as fit into a page, and tail; what is left out is said."""
    room = PAGE_BYTES - len(head.encode()) - len(tail.encode())
    kept: list[str] = []
    for part in parts:
        room -= len(part.encode())
        if room < 0:
            return f"{head}{''.join(kept)}{tail}<p>More does not fit here.</p>"
        kept.append(part)
    return f"{head}{''.join(kept)}{tail}"
