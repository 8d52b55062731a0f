"""The page of one picture at every layer: which units fire most in it, where, and what they fired for before."""

from collections.abc import Mapping
from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concepts import ConceptScore
from layerscope.core.live import LayerFirings, PlainBox, Portrait, ScanAgreement
from layerscope.core.records import ImageRecord
from layerscope.facts.layer import guesses
from layerscope.facts.run import images_of_run
from layerscope.facts.standing import at_peaks
from layerscope.viewer.addresses import SheetKey
from layerscope.viewer.engine import LiveEngine
from layerscope.viewer.gallery import Gallery, image_of
from layerscope.viewer.pages.apart import NumberedBox, ShownBox, apart
from layerscope.viewer.pages.images import Thumbnail, around, neighbours
from layerscope.viewer.pages.query import Query
from layerscope.viewer.shelf import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class FiringUnit:
    """A unit that fires in the picture.

    rank: 1 for the strongest of its layer. value: its highest activation there; relative: over its highest over the
    atlas; scanned: the value in the scan, of an image of the atlas that the unit counts among its highest, else None.
    sees: what that position sees; tile: what the tiles show; drawn: how that is drawn beside the others. guess: the
    concept that names it; at_peaks: what its peaks show where that is doubtful. dead: it was never above zero over the
    atlas. carried: there is a projection of it here. patches, projections: what it fired for before, None where the
    atlas lacks them.
    """

    rank: int
    unit: int
    value: float
    relative: float
    scanned: float | None
    row: int
    col: int
    sees: ShownBox
    tile: ShownBox
    drawn: NumberedBox
    guess: ConceptScore | None
    at_peaks: str
    dead: bool
    carried: bool
    patches: SheetKey | None
    projections: SheetKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedLayer:
    """A layer's strongest units. stored: the method of the projections that the atlas shows beside them, or None.
    agreement: with the scan, of an image of the atlas."""

    layer: AtlasLayerRecord
    stored: str | None
    agreement: ScanAgreement | None
    units: tuple[FiringUnit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookPage:
    """All that stands on the page.

    key: under which the picture is kept. image: its id where it is one of the atlas's, label, source: its class and its
    name; original: whether its original file was found, else the kept copy was looked at; agreement: with the scan.
    source_size: height and width of the original. previous, next: images of the atlas with a picture; thumbnails: those
    around it, or the first. method: of the projections in this picture. picture_size: height and width of the picture
    that was looked at; height, width: of what the network got of it.
    """

    key: str
    network: str
    images: str
    of_images: int
    image: int | None
    label: str | None
    source: str
    source_size: tuple[int, int] | None
    original: bool | None
    agreement: ScanAgreement | None
    previous: int | None
    next: int | None
    thumbnails: tuple[Thumbnail, ...]
    method: str
    methods: tuple[str, ...]
    picture_size: tuple[int, int]
    height: int
    width: int
    top: tuple[tuple[str, float], ...]
    layers: tuple[LookedLayer, ...]


def facts(book: Book, query: Query, *, key: str, engine: LiveEngine, gallery: Gallery) -> LookPage:
    """What the network sees in the picture of a key. Raises UsageError for a key without one, or an unknown method."""
    portrait = gallery.portrait(book, key)
    return looked(book, query, portrait, key=key, methods=tuple(engine.methods), image=image_of(key))


def looked(
    book: Book, query: Query, portrait: Portrait, *, key: str, methods: tuple[str, ...], image: int | None = None
) -> LookPage:
    """What the network sees in a picture, beside what the atlas knows. Raises UsageError for an unknown method."""
    own = next((layer.method for layer in reversed(book.layers) if layer.method), methods[0])
    method = query.choice("method", methods, own)
    height, width = portrait.size
    by_name = {layer.name: layer for layer in book.layers}
    record = None if image is None else book.file.image(image)
    scanned = {} if record is None else _scanned(book, record)
    previous, following = neighbours(book, image)
    return LookPage(
        key=key,
        network=book.run.network,
        images=book.run.images,
        of_images=images_of_run(book.file),
        image=image,
        label=None if record is None else record.label,
        source="" if record is None else record.source,
        source_size=(record.height, record.width) if record and record.height and record.width else None,
        original=portrait.original,
        agreement=portrait.agreement,
        previous=previous,
        next=following,
        thumbnails=around(book, image) if key else (),
        method=method,
        methods=methods,
        picture_size=(int(portrait.picture_size[0]), int(portrait.picture_size[1])),
        height=int(height),
        width=int(width),
        top=tuple((name, float(share)) for name, share in portrait.top),
        layers=tuple(_layer(book, by_name[one.layer], one, method, portrait.size, scanned) for one in portrait.layers),
    )


def _scanned(book: Book, image: ImageRecord) -> dict[tuple[int, int], float]:
    """What the scan kept of an image: by layer's id and unit the activation."""
    first = image.id if image.duplicate_of is None else image.duplicate_of
    return {(layer, unit): float(peak.value) for layer, unit, peak in book.file.peaks_in(first)}


def _layer(
    book: Book, layer: AtlasLayerRecord, found: LayerFirings, method: str, size: tuple[int, int],
    scanned: Mapping[tuple[int, int], float],
) -> LookedLayer:  # fmt: skip
    named, doubtful = guesses(book.file.concepts(layer.id)), at_peaks(book.file, layer)
    maxima = book.maxima(layer)
    stored = method if layer.method and method in book.run.methods else layer.method
    tiles = [_shown(one.tile_box) for one in found.firings]
    drawn = apart(tiles, size[1], size[0])
    units = tuple(
        FiringUnit(
            rank=rank,
            unit=one.unit,
            value=float(one.value),
            relative=float(one.relative),
            scanned=scanned.get((layer.id, one.unit)),
            row=one.row,
            col=one.col,
            sees=_shown(one.box),
            tile=tiles[rank - 1],
            drawn=drawn[rank - 1],
            guess=named.get(one.unit),
            at_peaks=doubtful.get(one.unit, ""),
            dead=one.unit < len(maxima) and not maxima[one.unit] > 0,
            carried=method in one.tiles,
            patches=book.sheet(layer, one.unit, "patches"),
            projections=None if stored is None else book.own_projections(layer, one.unit, stored),
        )
        for rank, one in enumerate(found.firings, 1)
    )
    return LookedLayer(layer=layer, stored=stored, agreement=found.agreement, units=units)


def _shown(box: PlainBox) -> ShownBox:
    top, left, bottom, right = (int(side) for side in box)
    return ShownBox(left, top, right - left, bottom - top)
