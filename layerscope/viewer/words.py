"""Numbers and names as pages write them."""

import json
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from markupsafe import Markup

from layerscope.atlas.codecs import shape_of_grid
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concept_words import CLOSEST, NOT_CLOSE, closest_words, concept_words, known_by
from layerscope.core.geometry import Box
from layerscope.core.numbers import file_size, in_words, measured, number, percent, signed, signed_percent
from layerscope.facts.reading import reading_parts
from layerscope.figures.tree import Chart
from layerscope.figures.words import footer
from layerscope.viewer.addresses import Links, SheetKey, layer_key, numbered
from layerscope.viewer.pages import PAGES, Page, all_pages
from layerscope.viewer.pages.layer import LayerPage
from layerscope.viewer.pages.methods import ShownProjections
from layerscope.viewer.shelf import Book


def in_head(book: Book, link: Links, live: bool) -> list[Page]:
    """The pages that the head of every page of an atlas leads to."""
    there = (page for page in all_pages() if page.head and page.scope == "atlas" and _has(book, page))
    return [page for page in there if (page.exported if link.static else live or not page.live)]


def _has(book: Book, page: Page) -> bool:
    """Whether an atlas has a page. What the pages of the house ask the file for that, all heads ask it for."""
    return book.asked(("has", page.name), lambda: page.has(book)) if page.name in PAGES.own else page.has(book)


def beside(book: Book, link: Links, scope: str) -> list[Page]:
    """Further pages of a layer, a unit or an image: those of other packages, which its own page leads to."""
    there = (page for page in all_pages() if page.name not in PAGES.own and page.scope == scope and page.has(book))
    return [page for page in there if page.exported or not (link.static or page.live)]


def example(book: Book) -> str:
    """What may be written into "go to"."""
    layer = book.layers[len(book.layers) // 2].name if book.layers else ""
    return f"{layer} 17" if len(layer) <= 12 else "layer and unit"


def made_of(book: Book) -> str:
    """Network and images of an atlas in a line."""
    run = book.run
    kept = "peak" if run.k == 1 else "peaks"
    return f"{run.network}, over {run.images}; the {in_words(run.k)} highest {kept} of each unit, at most one an image."


def made_by(book: Book) -> str:
    """What made the atlas."""
    return book.asked("made by", lambda: footer(book.file))


def query(words: Mapping[str, str]) -> str:
    """Words of a query, those that say something, as a URL spells them."""
    return urlencode({name: word for name, word in words.items() if word})


def sheet_of(place: tuple[AtlasLayerRecord, int, str, str, str]) -> SheetKey:
    """Layer, unit, kind, method and view as one record."""
    layer, unit, kind, method, view = place
    return SheetKey(layer=layer.id, unit=unit, kind=kind, method=method, view=view)


def sheet_endings(page: LayerPage, link: Links) -> str:
    """In an export: what follows a unit's own address, less ".html", in those of its sheets; so a script finds them.

    Empty where sheets do not stand beside their unit, or are left out.
    """
    found = []
    for unit in [row.unit for section in page.sections for row in section.units if row.shown][:1]:
        stem = link.page("unit", page.layer, unit).removesuffix(".html")
        addresses = [link.sheet(sheet_of((page.layer, unit, *sheet))) or "" for sheet in page.sheets]
        found = [address.removeprefix(stem) for address in addresses if address.startswith(stem)]
    return " ".join(found)


def unit_pages(layer: AtlasLayerRecord, link: Links) -> str:
    """How the addresses of a layer's units are spelled, as JSON: what is before the number, its digits, the rest."""
    ends = (0, layer.record.units - 1)
    return json.dumps(numbered({unit: link.page("unit", layer, unit) for unit in ends}))


def with_sheets(looks: Iterable[ShownProjections], link: Links) -> list[ShownProjections]:
    """The projections whose sheets are here: an export may leave some out."""
    return [one for one in looks if link.sheet(one.sheet)]


def tile_origin(rank: int, columns: int) -> str:
    """Column and row of a tile in a sheet, as a viewBox begins."""
    return f"{rank % columns} {rank // columns}"


def outline(boxes: Iterable[Box]) -> str:
    """The edges of boxes as an SVG path."""
    return "".join(f"M{one.left} {one.top}h{one.width}v{one.height}h-{one.width}z" for one in boxes)


def upright_bars(chart: Chart, height: float) -> Markup:
    """The bars of a histogram, the tallest so high: numbers alone, of which there may be hundreds on each page."""
    low, tallest = chart.bars[0].place, chart.tallest
    drawn = (
        f'<rect x="{bar.place - low}" width="1" height="{round(height * bar.value / tallest, 2)}">'
        f"<title>{bar.value:,} images</title></rect>"
        for bar in chart.bars
        if bar.value
    )
    return Markup("\n".join(drawn))


# Words that templates say without a value.
TERMS = {"CLOSEST": CLOSEST, "NOT_CLOSE": NOT_CLOSE}
FILTERS = {
    "across": lambda k: shape_of_grid(k)[1],
    "closest": closest_words,
    "concept": concept_words,
    "down": lambda k: shape_of_grid(k)[0],
    "example": example,
    "file_size": file_size,
    "in_words": in_words,
    "known_by": lambda concept: " ".join(known_by(concept)).lower(),
    "made_by": made_by,
    "made_of": made_of,
    "measured": measured,
    "number": number,
    "outline": outline,
    "p_value": lambda p: f"{p:.1g}" if p >= 1e-300 else "below 1e-300",
    "percent": percent,
    "signed": signed,
    "signed_percent": signed_percent,
    "tile_origin": tile_origin,
    "layer_key": layer_key,
    "beside": beside,
    "in_head": in_head,
    "query": query,
    "reading_parts": lambda k, sides: reading_parts(k, sides=sides),
    "sheet_of": sheet_of,
    "unit_pages": unit_pages,
    "upright_bars": upright_bars,
    "sheet_endings": sheet_endings,
    "with_sheets": with_sheets,
    "thousands": lambda value: f"{value:,}",
}
