"""The few units that stand for a layer, or for a whole atlas, where all of them would be too many."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concepts import ConceptScore
from layerscope.core.numbers import signed_percent
from layerscope.facts.layer import MOSTLY, PARTLY, TELLING, guesses, live_units, own_specificity, sample
from layerscope.facts.standing import at_peaks
from layerscope.lesson.chapters import chosen_units, theme_of_layer
from layerscope.lesson.showing import is_early, shown_by
from layerscope.viewer.addresses import SheetKey
from layerscope.viewer.pages.units import finite
from layerscope.viewer.shelf import Book

SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RepresentativeUnit:
    """A unit that stands for its layer. maximum: its highest activation. name, score: its closest concept, or None.

    at_peaks: what its peaks show where that name is doubtful. sheets: its pictures, the patches last; a link may leave
    one out.
    """

    layer: AtlasLayerRecord
    unit: int
    maximum: float | None
    name: str | None
    score: float | None
    at_peaks: str
    sheets: tuple[SheetKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A layer to open first. why: what speaks for it, as a sentence; "" where it is only the first."""

    layer: AtlasLayerRecord
    why: str = ""


def representatives(book: Book, layer: AtlasLayerRecord, count: int) -> tuple[RepresentativeUnit, ...]:
    """Units of a layer that show what it is about, each another thing, those that agree most first; then a seeded
    sample of those with tiles, as in an early layer where nobody has named any: there every unit shows something.

    In ascending order of their numbers.
    """
    shown = book.shown(layer)
    best = {unit: found for unit, found in guesses(book.file.concepts(layer.id)).items() if unit in shown}
    told = bool(best) or not is_early(book.file, layer)
    chosen = list(book.made(("cover", layer.id, count), lambda: _showing(book, layer, count))) if told else []
    live = live_units(book.file.all_peaks(layer.id))
    rest = live[~np.isin(live, chosen)]
    chosen += sample(book.file, layer, rest, count - len(chosen), SEED)
    return tuple(_representative(book, layer, unit, best.get(unit)) for unit in sorted(chosen))


def _showing(book: Book, layer: AtlasLayerRecord, count: int) -> tuple[int, ...]:
    known = shown_by(book.file, layer, book.shown(layer))
    return tuple(one.unit for one in chosen_units(book.file, layer, theme_of_layer(known), known, count))


def _representative(book: Book, layer: AtlasLayerRecord, unit: int, found: ConceptScore | None) -> RepresentativeUnit:
    return RepresentativeUnit(
        layer=layer,
        unit=unit,
        maximum=finite(book.maxima(layer)[unit]),
        name=found.concept if found else None,
        score=found.score if found else None,
        at_peaks=at_peaks(book.file, layer).get(unit, ""),
        sheets=tuple(
            SheetKey(layer=layer.id, unit=unit, kind=kind, method=method, view=view)
            for kind, method, view in book.sheets(layer)
        ),
    )


def layer_to_open(book: Book) -> Start | None:
    """The layer to open first, and why; None where no layer has tiles.

    That of which most names stand an intervention; else the deepest whose marks are its units' own; else, in an atlas
    from before that was measured, the deepest whose projections differ from unit to unit; else the first with tiles.
    """
    # A name that stands says what its unit follows; a mark's selectivity, how far it shows what its own unit answers to
    # and not what any unit would there. Specificity only tells that projections differ, as those of chance do, too.
    # Names by overlap do not count: an untrained network has as many.
    with_tiles = [layer for layer in book.layers if book.shown(layer)]
    for found in (_standing, _selective, _specific):
        if start := found(book, with_tiles):
            return start
    return Start(layer=with_tiles[0]) if with_tiles else None


def _standing(book: Book, layers: Sequence[AtlasLayerRecord]) -> Start | None:
    tried = book.file.interventions()
    by_name = {one.layer: one.standing for one in tried.layers} if tried is not None else {}
    stand = [(by_name[layer.name].both / by_name[layer.name].units, layer.id, layer) for layer in layers
             if layer.name in by_name and by_name[layer.name].both]  # fmt: skip
    if not stand:
        return None
    _, _, layer = max(stand)
    one = by_name[layer.name]
    most = "a larger share than of any other layer" if len(by_name) > 1 else "no other layer was tried"
    return Start(layer=layer, why=f"The names of {one.both} of its {one.units} units stand an intervention, {most}.")


def _selective(book: Book, layers: Sequence[AtlasLayerRecord]) -> Start | None:
    for layer in layers[::-1]:
        kept = book.file.retention(layer.id, layer.method)
        own = kept.selectivity if kept is not None else None
        if own is not None and own.low > 0 and own.mean >= PARTLY:
            share, percentage = "mostly" if own.mean >= MOSTLY else "partly", signed_percent(own.mean)
            why = f"The last layer whose projections mark {share} what is its units' own (selectivity {percentage})."
            return Start(layer=layer, why=why)
    return None


def _specific(book: Book, layers: Sequence[AtlasLayerRecord]) -> Start | None:
    for layer in layers[::-1]:
        says = own_specificity(book.file, layer)
        if says is not None and says >= TELLING:
            why = f"The last layer whose projections still tell its units apart (specificity {says:.2f})."
            return Start(layer=layer, why=why)
    return None


def representatives_across(book: Book, count: int) -> tuple[RepresentativeUnit, ...]:
    """One unit of each of `count` layers with tiles, from the first to the last, evenly spread."""
    layers = [layer for layer in book.layers if layer.method and book.shown(layer)]
    layers = layers or [layer for layer in book.layers if book.shown(layer)]
    places = sorted({round(place) for place in np.linspace(0, len(layers) - 1, min(count, len(layers)))})
    return tuple(unit for place in places for unit in representatives(book, layers[place], 1))
