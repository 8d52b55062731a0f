"""An image's page: what it is, and which units of every layer count it among their peaks, and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.geometry import Box
from layerscope.core.records import ImageRecord
from layerscope.facts.misfits import SeenMisfit, misfits_among
from layerscope.facts.places import PeakPlace, place_of
from layerscope.figures import words
from layerscope.viewer.addresses import SheetKey
from layerscope.viewer.pages.apart import NumberedBox, ShownBox, apart
from layerscope.viewer.pages.query import Query
from layerscope.viewer.shelf import Book

# Of each layer so many units are shown with their tiles; further ones are listed.
FIRST = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitHere:
    """A unit that has a peak in this image. rank: 0 where this image excites it most. share: the value over the unit's
    maximum, 0..1; None where that is not above zero. field, tile, cut: as a `PeakPlace` has them.
    name: what it is called, or "". drawn: how the tile's box is drawn beside those of the layer's first nine, None of
    further ones. patches, projections: what it fired for most, None where the atlas lacks them."""

    unit: int
    rank: int
    value: float
    share: float | None
    row: int
    col: int
    tile: Box | None
    field: Box | None
    cut: Box | None
    name: str
    drawn: NumberedBox | None
    patches: SheetKey | None
    projections: SheetKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerHere:
    """The units of one layer that have a peak in this image, the best rank first."""

    layer: AtlasLayerRecord
    field: str
    units: tuple[UnitHere, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePage:
    """What is known of an image. kept: the atlas holds a small picture of it. previous, next: in the image order.

    same: further images with the same bytes. misfit: where it does not fit its label. peaks: of all layers. boxes:
    those with a tile. cuts: those without, of which the middle of the field is shown. silent: layers without any here.
    """

    image: ImageRecord
    network: str
    images: str
    count: int
    k: int
    kept: bool
    same: tuple[int, ...]
    misfit: SeenMisfit | None
    layers: tuple[LayerHere, ...]
    peaks: int
    boxes: int
    cuts: int
    silent: tuple[str, ...]
    previous: int | None
    next: int | None


def facts(book: Book, query: Query, *, image: int) -> ImagePage:
    """An image's page. Raises UsageError for an image that the atlas does not hold."""
    file, run = book.file, book.run
    record = file.image(image)
    first = image if record.duplicate_of is None else record.duplicate_of
    count, same = file.image_count(), (first, *file.copies().get(first, ()))
    layers = _layers(book, record)
    here = {one.layer.id for one in layers}
    return ImagePage(
        image=record,
        network=run.network,
        images=run.images,
        count=count,
        k=run.k,
        kept=file.has_picture(image),
        same=tuple(one for one in same if one != image),
        misfit=next(iter(misfits_among(file, [image])), None),
        layers=layers,
        peaks=sum(len(one.units) for one in layers),
        boxes=sum(unit.tile is not None for one in layers for unit in one.units),
        cuts=sum(unit.cut is not None for one in layers for unit in one.units),
        silent=tuple(layer.name for layer in book.layers if layer.id not in here),
        previous=image - 1 if image else None,
        next=image + 1 if image + 1 < count else None,
    )


def _layers(book: Book, image: ImageRecord) -> tuple[LayerHere, ...]:
    by_id = {layer.id: layer for layer in book.layers}
    found = [one for one in book.file.peaks_in(image.id) if one[0] in by_id]
    return tuple(
        LayerHere(
            layer=by_id[number],
            field=words.field_words(by_id[number], book.file),
            units=_units(book, by_id[number], image, list(group)),
        )
        for number, group in groupby(found, key=lambda one: one[0])
    )


def _units(book: Book, layer: AtlasLayerRecord, image: ImageRecord, found: list) -> tuple[UnitHere, ...]:
    named = book.called(layer)
    maximum = book.maxima(layer)
    places = {unit: place_of(book.file, layer, peak, image) for _, unit, peak in found}
    drawn = _drawn(image, dict(list(places.items())[:FIRST]))
    units = []
    for _, unit, peak in found:
        place = places[unit]
        highest = float(maximum[unit]) if unit < len(maximum) else 0.0
        units.append(
            UnitHere(
                unit=unit,
                rank=peak.rank,
                value=peak.value,
                share=peak.value / highest if highest > 0 else None,
                row=peak.row,
                col=peak.col,
                tile=place.tile,
                field=place.field,
                cut=place.cut,
                name=named.get(unit, ""),
                drawn=drawn.get(unit),
                patches=book.sheet(layer, unit, "patches"),
                projections=book.own_projections(layer, unit),
            )
        )
    return tuple(units)


def _drawn(image: ImageRecord, places: Mapping[int, PeakPlace]) -> dict[int, NumberedBox]:
    """By unit, how the boxes of a layer's first nine are drawn on the picture."""
    shown = {unit: place.tile or place.cut or place.field for unit, place in places.items()}
    placed = {unit: ShownBox(box.left, box.top, box.width, box.height) for unit, box in shown.items() if box}
    drawn = apart(list(placed.values()), image.width or 0, image.height or 0)
    return dict(zip(placed, drawn, strict=True))
