"""The page on which a reader tries a picture: the network itself stands beside an export, and runs in the browser.

Everything that the browser has to know of the atlas goes into one script beside the page (`script_facts`), so that it
does with a picture what a live network does: the same preparation, the same order of units, the same fields.
"""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import __version__ as pillow

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.errors import UsageError
from layerscope.facts.run import images_of_run
from layerscope.sources.prepare import PICTURE_SIDE
from layerscope.viewer import encoded_pictures
from layerscope.viewer.addresses import Links, SheetKey
from layerscope.viewer.pages.query import Query
from layerscope.viewer.shelf import Book

# So many of the atlas's own pictures can be tried; so many units of a layer are shown.
OFFERED, STRONGEST, CLASSES = 12, 9, 5
# Whether this Pillow resizes rows before columns where many of them go; others give px that differ by a level.
ROWS_FIRST = int(pillow.partition(".")[0]) >= 13


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedPicture:
    """A picture of the atlas that can be tried. reduced: the atlas keeps it smaller than it was."""

    image: int
    label: str | None
    reduced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TryPage:
    """What stands on the page. there: whether the network stands beside the pages; without it nothing else is told.

    network: its name. of_images: how many images of `images` its units are compared over. loaded: bytes that are loaded
    before the first answer, by what they hold. layers: names, and how many units. pictures: of the atlas. scored:
    whether the network says classes. height, width: of what it gets, px.
    """

    there: bool
    network: str = ""
    images: str = ""
    of_images: int = 0
    loaded: tuple[tuple[str, int], ...] = ()
    layers: tuple[tuple[str, int], ...] = ()
    pictures: tuple[OfferedPicture, ...] = ()
    scored: bool = False
    height: int = 0
    width: int = 0


def has(book: Book) -> bool:
    """Whether the network stands beside the pages."""
    return book.network is not None


def facts(book: Book, query: Query) -> TryPage:
    """What the page tells before any script has run."""
    if book.network is None:
        return TryPage(there=False)
    return TryPage(
        there=True,
        network=book.network.name,
        images=book.run.images,
        of_images=images_of_run(book.file),
        loaded=tuple(book.network.loaded().items()),
        layers=tuple((layer.name, layer.record.units) for layer in book.layers),
        pictures=offered(book),
        scored=book.network.scored,
        height=book.run.input.height,
        width=book.run.input.width,
    )


def script_facts(book: Book, link: Links) -> dict[str, Any]:
    """What the page's script has to know: how a picture is prepared, and of each layer what it compares with."""
    assert book.network is not None
    expected = book.run.input
    return {
        "input": {
            "channels": expected.channels, "height": expected.height, "width": expected.width,
            "mean": list(expected.mean), "std": list(expected.std), "order": expected.order,
            "resize": expected.resize, "crop": expected.crop, "interpolation": expected.interpolation,
            "rowsFirst": ROWS_FIRST,
        },
        "classes": list(book.network.classes),
        "scored": book.network.scored,
        "strongest": STRONGEST,
        "first": CLASSES,
        "layers": [_layer(book, layer, link) for layer in book.layers],
    }  # fmt: skip


def _layer(book: Book, layer: AtlasLayerRecord, link: Links) -> dict[str, Any]:
    """A layer. rows, cols: for every row and column of its map the input px that are seen from there. maxima: of each
    unit over the atlas, 0 where that is unknown. page: the address of a unit, whose number stands as {n}. sheets: such
    addresses of patches, each with the units that it is of: two files of one atlas may be of different kinds.
    """
    record, expected = layer.record, book.run.input
    rows, cols = record.map or (1, 1)
    known = book.maxima(layer)
    maxima = np.nan_to_num(known, nan=0.0, posinf=0.0, neginf=0.0) if len(known) else np.zeros(record.units)
    page = link.page("unit", layer, 0)
    return {
        "id": layer.id,
        "name": layer.name,
        "units": record.units,
        "rows": [_span(record.field.rows.span(row), expected.height) for row in range(rows)],
        "cols": [_span(record.field.cols.span(col), expected.width) for col in range(cols)],
        "maxima": [float(value) for value in maxima],
        "names": {str(unit): name for unit, name in book.called(layer).items()},
        "page": _numbered(str(page), 0),
        "sheets": _sheets(book, layer, link),
    }


def _span(seen: tuple[int, int], length: int) -> list[int]:
    return [min(max(side, 0), length) for side in seen]


def _sheets(book: Book, layer: AtlasLayerRecord, link: Links) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for unit in range(layer.record.units):
        address = link.sheet(SheetKey(layer=layer.id, unit=unit, kind="patches"))
        if address is not None:
            found.setdefault(_numbered(address, unit), []).append(unit)
    return found


def _numbered(address: str, unit: int) -> str:
    """An address with {n} for the unit's number, with which the names of a unit's files begin."""
    folder, _, name = address.rpartition("/")
    assert name.startswith(str(unit)), "a unit's files begin with its number"
    return f"{folder}/{{n}}{name.removeprefix(str(unit))}"


def script_pictures(book: Book) -> dict[str, str]:
    """The offered pictures by image, as their encoded bytes: from a file, a script may look at no picture's px."""
    found: dict[str, str] = {}
    for one in offered(book):
        picture = _kept(book, one.image)
        assert picture is not None, "only pictures that are there are offered"
        found[str(one.image)] = base64.b64encode(picture).decode()
    return found


def _kept(book: Book, image: int) -> bytes | None:
    """A small picture as a browser reads it; None where there is none, or it is damaged."""
    try:
        picture = encoded_pictures.whole(book, image)
    except UsageError:
        return None
    return None if picture is None else picture.content


def offered(book: Book) -> tuple[OfferedPicture, ...]:
    """A few images in which units of the last layers have their highest peak: of each class one, then any others."""
    by_class: dict[str | None, OfferedPicture] = {}
    others: list[OfferedPicture] = []
    for image in _peaked(book):
        if len(by_class) >= OFFERED:
            break
        record = book.file.image(image)
        wanted = record.label not in by_class or len(others) < OFFERED
        if not wanted or not book.file.has_picture(image) or _kept(book, image) is None:
            continue
        reduced = max(record.height or 0, record.width or 0) > PICTURE_SIDE
        found = OfferedPicture(image=image, label=record.label, reduced=reduced)
        if record.label in by_class:
            others.append(found)
        else:
            by_class[record.label] = found
    chosen = [*by_class.values(), *others][:OFFERED]
    return tuple(sorted(chosen, key=lambda one: (one.label or "", one.image)))


def _peaked(book: Book) -> list[int]:
    """Images of highest peaks, those of the last layer first, each once."""
    first = (book.file.all_peaks(layer.id).image[:, :1].ravel() for layer in reversed(book.layers))
    return [image for image in dict.fromkeys(int(one) for images in first for one in images) if image >= 0]
