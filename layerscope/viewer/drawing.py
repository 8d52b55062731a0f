"""Figures of what is on screen, as `layerscope figure` draws them, made when somebody asks for one.

One is drawn at a time: a figure takes a second or two, and matplotlib's settings are one per process. Its size is
bounded, whatever an atlas holds; the newest are kept.
"""

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.errors import UsageError
from layerscope.core.lru import LruCache
from layerscope.facts.run import first_view
from layerscope.figures.files import encode
from layerscope.figures.gather import check_unit
from layerscope.figures.layout import lay_out
from layerscope.figures.pages import ShownOfUnit, unit_page
from layerscope.figures.plates import plate
from layerscope.figures.sheet import Sheet
from layerscope.viewer.encoded_pictures import EncodedPicture
from layerscope.viewer.pages import PAGES, Query
from layerscope.viewer.pages.telling import facts_of, preview_of
from layerscope.viewer.shelf import Book

MEDIA = {"png": "image/png", "pdf": "application/pdf"}
# Units on one plate, dots per inch, inches of height: at most 7 x 30 inches, or 6 megapixels.
MOST_UNITS, DPI, MOST_INCHES = 24, 170, 30.0
# Peaks of a unit, sides of a tile and of the network's input, px: a build makes no more, another file may say so.
MOST_PEAKS, MOST_TILE, MOST_INPUT = 128, 512, 4096
MOST_BYTES = 16 << 20


class Drawings:
    """The figures of a server, the newest of them kept: at most MOST_BYTES. Usable from several threads."""

    def __init__(self) -> None:
        self._kept = LruCache[bytes](MOST_BYTES, len)

    def find(self, book: Book, query: Query, kind: str, *, layer: str, unit: int | None = None) -> EncodedPicture:
        """What is on screen of a unit's page, or a plate of the units that a layer's page shows for this query; kind: a
        key of MEDIA.

        Raises UsageError for what does not exist, shows nothing, or would be too large.
        """
        if kind not in MEDIA:
            raise UsageError(f"there are figures as {' and '.join(MEDIA)}")
        shown = book.layer(layer)
        _require_bounds(book, shown)
        units = (_with_tiles(book, shown, unit),) if unit is not None else _units_on(book, query, layer)
        seen = _seen(book, query, shown, unit) if unit is not None else ShownOfUnit()

        def make() -> bytes:
            if unit is not None:
                return _encoded(unit_page(book.file, shown.name, unit, seen), kind)
            return _encoded(plate(book.file, shown.name, units=units, view=first_view(book.run)), kind)

        key = (book.slug, book.mark, kind, shown.id, unit is None, units, seen)
        return EncodedPicture(MEDIA[kind], self._kept.get(key, make) if book.settled else make())


def _require_bounds(book: Book, layer: AtlasLayerRecord) -> None:
    expected = book.run.input
    sides = book.run.k <= MOST_PEAKS, (layer.tile or 0) <= MOST_TILE, max(expected.height, expected.width) <= MOST_INPUT
    if not all(sides):
        raise UsageError("this atlas says of its tiles or input that they are larger than figures here can be")


def _with_tiles(book: Book, layer: AtlasLayerRecord, unit: int) -> int:
    if check_unit(layer, unit) not in book.shown(layer):
        raise UsageError(f"unit {unit} of {layer.name} has no tiles in this atlas that could be drawn")
    return unit


def _seen(book: Book, query: Query, layer: AtlasLayerRecord, unit: int) -> ShownOfUnit:
    """What of a unit's page is on screen: method, view and the peak that is enlarged, from 1; without words all of it.

    Raises UsageError for what is not on that page.
    """
    peaks = tuple(str(rank + 1) for rank in range(len(book.file.peaks(layer.id, unit))))
    choices = {"method": tuple(book.run.methods), "view": tuple(book.run.views), "peak": peaks}
    found = {name: query.choice(name, known, "") if query.one(name) else "" for name, known in choices.items()}
    return ShownOfUnit(
        method=found["method"], view=found["view"], peak=int(found["peak"]) - 1 if found["peak"] else None
    )


def _units_on(book: Book, query: Query, layer: str) -> tuple[int, ...]:
    """The first units with tiles that a layer's page shows."""
    page = PAGES.known("layer")
    preview = preview_of(page, book, facts_of(page, book, query, layer=layer))
    if not preview.units:
        raise UsageError("no unit on this page has tiles that could be drawn")
    return preview.units[:MOST_UNITS]


def _encoded(sheet: Sheet, kind: str) -> bytes:
    high = lay_out(sheet, sheet.width).height
    if high > MOST_INCHES:
        raise UsageError(
            f"this figure would be {high:.0f} inches high, and at most {MOST_INCHES:.0f} are drawn here; "
            '"layerscope figure" draws any'
        )
    return encode(sheet, kind, dpi=DPI)
