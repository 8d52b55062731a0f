"""The few units that stand for a layer, or for a whole atlas, where all of them would be too many."""

from dataclasses import dataclass

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concepts import ConceptScore
from layerscope.facts.layer import TELLING, guesses, live_units, own_specificity, sample
from layerscope.viewer.addresses import SheetKey
from layerscope.viewer.pages.units import finite
from layerscope.viewer.shelf import Book

SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RepresentativeUnit:
    """A unit that stands for its layer. maximum: its highest activation. name, score: a guess; None without one.

    sheets: its pictures, the patches first; a link may leave one out.
    """

    layer: AtlasLayerRecord
    unit: int
    maximum: float | None
    name: str | None
    score: float | None
    sheets: tuple[SheetKey, ...]


def representatives(book: Book, layer: AtlasLayerRecord, count: int) -> tuple[RepresentativeUnit, ...]:
    """The units of a layer that concepts name best, where it was dissected; else a seeded sample of those with tiles.

    In ascending order of their numbers.
    """
    shown = book.shown(layer)
    best = {unit: found for unit, found in guesses(book.file.concepts(layer.id)).items() if unit in shown}
    named = sorted(best, key=lambda unit: (-best[unit].score, unit))
    chosen: list[int] = []
    for unit in named:
        # One unit a concept, so that a cover shows how many kinds there are.
        if len(chosen) < count and best[unit].concept not in {best[other].concept for other in chosen}:
            chosen.append(unit)
    live = live_units(book.file.all_peaks(layer.id))
    rest = live[~np.isin(live, chosen)]
    chosen += sample(book.file, layer, rest, count - len(chosen), SEED)
    return tuple(_representative(book, layer, unit, best.get(unit)) for unit in sorted(chosen))


def _representative(book: Book, layer: AtlasLayerRecord, unit: int, found: ConceptScore | None) -> RepresentativeUnit:
    return RepresentativeUnit(
        layer=layer,
        unit=unit,
        maximum=finite(book.file.unit_statistics(layer.id).maximum[unit]),
        name=found.concept if found else None,
        score=found.score if found else None,
        sheets=tuple(
            SheetKey(layer=layer.id, unit=unit, kind=kind, method=method, view=view)
            for kind, method, view in book.sheets(layer)
        ),
    )


def layer_to_open(book: Book) -> AtlasLayerRecord | None:
    """The layer to open first: the deepest whose projections still say something of their units.

    Without one the first with tiles; None where no layer has any.
    """
    with_tiles = [layer for layer in book.layers if book.shown(layer)]
    telling = [layer for layer in with_tiles if (own_specificity(book.file, layer) or 0) >= TELLING]
    return next(iter([*telling[::-1], *with_tiles]), None)


def representatives_across(book: Book, count: int) -> tuple[RepresentativeUnit, ...]:
    """One unit of each of `count` layers with tiles, from the first to the last, evenly spread."""
    layers = [layer for layer in book.layers if layer.method and book.shown(layer)]
    layers = layers or [layer for layer in book.layers if book.shown(layer)]
    places = sorted({round(place) for place in np.linspace(0, len(layers) - 1, min(count, len(layers)))})
    return tuple(unit for place in places for unit in representatives(book, layers[place], 1))
