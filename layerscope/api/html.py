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
# Characters of a name, and of a sentence in which names stand.
WORDS, SENTENCE = 160, 1000
# The longer side of a picture that stands in for one of too many bytes, px.
SMALLER = 288


def cut(value: object, most: int = WORDS) -> str:
    """Any value as a text of at most so many characters: names can be of any length."""
    text = str(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def words(value: object, most: int = WORDS) -> str:
    """The same, escaped."""
    return escape(cut(value, most))


def table_row(cells: Sequence[object], tag: str = "td") -> str:
    """One row of a table; the cells are escaped."""
    return "<tr>" + "".join(f"<{tag}>{words(cell)}</{tag}>" for cell in cells) + "</tr>"


def _address(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def _image(address: str, alt: str, width: int | None = None) -> str:
    style = f' style="width:{width}px;image-rendering:pixelated"' if width else ""
    return f'<img alt="{words(alt)}"{style} src="{address}">'


def thumbnail_address(stored: Encoded, side: int) -> str:
    """The stored picture, no larger than `side` px, at a few bits a pixel, as an address that holds it."""
    picture = Image.fromarray(decode(stored.pixels, stored.codec))
    picture.thumbnail((side, side), Image.Resampling.BOX)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=50, method=2)
    return _address(buffer.getvalue(), "image/webp")


def thumbnail(stored: Encoded, side: int, alt: str) -> str:
    """The same as an element."""
    return _image(thumbnail_address(stored, side), alt)


def picture_address(stored: Encoded, limit: int) -> str:
    """The stored picture as it is, or smaller where its bytes exceed the limit, as an address that holds it."""
    codec, content = for_browsers(stored.pixels, stored.codec)
    return _address(content, codec.media_type) if len(content) <= limit else thumbnail_address(stored, SMALLER)


def picture(stored: Encoded, alt: str, limit: int, width: int | None = None) -> str:
    """The same as an element. width: as it is shown, px; None leaves it as stored."""
    return _image(picture_address(stored, limit), alt, width)


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
