"""A unit's tiles, made now by the network at hand: for units of which the build kept none."""

from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.live import ALIKE
from layerscope.facts.run import images_of_run
from layerscope.facts.standing import names_said
from layerscope.figures.gather import check_unit
from layerscope.viewer.engine import LiveEngine
from layerscope.viewer.gallery import Gallery
from layerscope.viewer.pages.query import Query
from layerscope.viewer.shelf import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTile:
    """A tile of one of the unit's peaks. rank: 0 for the highest. value: the activation now, scanned: in the scan;
    back: whether they are alike. original: whether the image's own file was looked at, else the kept copy. carried:
    whether there is a projection."""

    rank: int
    image: int
    label: str | None
    value: float
    scanned: float
    back: bool
    original: bool
    carried: bool
    row: int
    col: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTilesPage:
    """All that stands on the page. tiles: of the peaks whose images the atlas keeps pictures of; peaks: of all.

    originals: how many tiles are of the images' own files; back: how many have the scan's activation again.
    """

    layer: AtlasLayerRecord
    unit: int
    network: str
    images: str
    of_images: int
    name: str
    method: str
    methods: tuple[str, ...]
    tiles: tuple[ShownTile, ...]
    peaks: int
    originals: int
    back: int


def facts(book: Book, query: Query, *, layer: str, unit: int, engine: LiveEngine, gallery: Gallery) -> MadeTilesPage:
    """The tiles of a unit's peaks. Raises UsageError for a layer, unit or method that does not exist."""
    found = book.layer(layer)
    check_unit(found, unit)
    method = query.choice("method", tuple(engine.methods), found.method or engine.methods[0])
    tiles = tuple(
        ShownTile(
            rank=one.rank, image=one.image, label=book.file.image(one.image).label, value=float(one.value),
            scanned=float(one.scanned), back=abs(one.value - one.scanned) <= ALIKE * abs(one.scanned),
            original=one.original, carried=method in one.tiles, row=one.row, col=one.col,
        )
        for one in gallery.tiles(found.name, unit)
    )  # fmt: skip
    return MadeTilesPage(
        layer=found,
        unit=unit,
        network=book.run.network,
        images=book.run.images,
        of_images=images_of_run(book.file),
        name=names_said(book.file, found).get(unit, ""),
        method=method,
        methods=tuple(engine.methods),
        tiles=tiles,
        peaks=len(book.file.peaks(found.id, unit)),
        originals=sum(one.original for one in tiles),
        back=sum(one.back for one in tiles),
    )
