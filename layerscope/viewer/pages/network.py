"""A network's page: its layers to scale, and for each what it is, what it sees, and a cover of units."""

from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concepts import Figures
from layerscope.facts.layer import dead_count, own_specificity
from layerscope.facts.run import images_of_run
from layerscope.figures import words
from layerscope.lesson.themes import LEVELS
from layerscope.viewer.pages.methods import MethodTrust, method_trust
from layerscope.viewer.pages.query import Query
from layerscope.viewer.pages.representatives import RepresentativeUnit, layer_to_open, representatives
from layerscope.viewer.pages.strip import Strip, strip_of
from layerscope.viewer.shelf import Book

COVER = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCover:
    """A layer in short. field: in words; share: of the picture, 0..1. dead: units without a peak. with_tiles: units
    whose tiles are here. specificity: of its own projections; trust: all that was measured of them, None without any.
    figures: None unless dissected."""

    layer: AtlasLayerRecord
    field: str
    share: float
    dead: int
    with_tiles: int
    specificity: float | None
    trust: MethodTrust | None
    figures: Figures | None
    units: tuple[RepresentativeUnit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPage:
    """What stands on a network's page. input: channels, height, width, px. scanned: images. start: the layer to open
    first. levels: of concepts, in words; none without a mean level."""

    network: str
    images: str
    scanned: int
    k: int
    input: tuple[int, int, int]
    units: int
    dissected: bool
    strip: Strip
    layers: tuple[LayerCover, ...]
    start: AtlasLayerRecord | None
    levels: tuple[tuple[int, str], ...]


def facts(book: Book, query: Query) -> NetworkPage:
    """What stands on a network's page."""
    run, layers = book.run, book.layers
    figures = _figures(book)
    return NetworkPage(
        network=run.network,
        images=run.images,
        scanned=images_of_run(book.file),
        k=run.k,
        input=run.input.shape,
        units=sum(layer.record.units for layer in layers),
        dissected=book.dissected,
        strip=strip_of(layers, (run.input.height, run.input.width)),
        layers=tuple(_cover_of(book, layer, figures.get(layer.name)) for layer in layers),
        start=start.layer if (start := layer_to_open(book)) else None,
        levels=tuple(LEVELS.items()) if any(one.mean_concept_level is not None for one in figures.values()) else (),
    )


def _figures(book: Book) -> dict[str, Figures]:
    """By layer's name, what a dissection counted."""
    dissection = book.file.dissection()
    return {layer.layer: layer.figures for layer in dissection.layers} if dissection else {}


def _cover_of(book: Book, layer: AtlasLayerRecord, figures: Figures | None) -> LayerCover:
    input_size = (book.run.input.height, book.run.input.width)
    seen = layer.record.field
    return LayerCover(
        layer=layer,
        field=words.field_words(layer, book.file),
        share=1.0 if seen.sees_all else seen.share(*input_size),
        dead=dead_count(book.file, layer),
        with_tiles=len(book.shown(layer)),
        specificity=own_specificity(book.file, layer),
        trust=method_trust(book.file, layer, layer.method) if layer.method else None,
        figures=figures,
        units=representatives(book, layer, COVER),
    )
