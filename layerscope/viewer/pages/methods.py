"""The ways to see a unit's projections, and how far to trust each method: a share that can be drawn, and a sentence."""

from dataclasses import dataclass

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.facts.wrapping import Reader
from layerscope.figures import words
from layerscope.viewer.addresses import SheetKey
from layerscope.viewer.shelf import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownProjections:
    """One way to see the unit's projections. own: the layer's own method in the first view, which is shown first.

    empty: the ranks whose tiles hold no signal.
    """

    sheet: SheetKey
    own: bool
    empty: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodTrust:
    """What a method's projections are worth here, measured, and the sentences on it. kept: the mean retention;
    selectivity: the mean of what is the unit's own of it; None where that was not measured."""

    method: str
    specificity: float | None
    kept: float | None
    selectivity: float | None
    sentence: str


def ways_to_see(book: Book, layer: AtlasLayerRecord, unit: int, peaks: int) -> tuple[ShownProjections, ...]:
    """The unit's projections, first by the layer's own method in the run's first view. peaks: how many it has."""
    run = book.run
    ways = [(method, view) for method in run.methods for view in run.views]
    ways.sort(key=lambda way: way[0] != layer.method)
    found = []
    for method, view in ways:
        scales = book.file.scales(layer.id, unit, "projections", method, view)
        if scales is not None:
            key = SheetKey(layer=layer.id, unit=unit, kind="projections", method=method, view=view)
            empty = tuple(int(rank) for rank in np.flatnonzero(scales[:peaks] == 0))
            found.append(ShownProjections(sheet=key, own=not found, empty=empty))
    return tuple(found)


def trust_of(file: Reader, layer: AtlasLayerRecord) -> tuple[MethodTrust, ...]:
    """Of every method of the run, the layer's own first; none where the layer has no projections."""
    if layer.method is None:
        return ()
    return tuple(
        method_trust(file, layer, method) for method in sorted(file.run.methods, key=lambda one: one != layer.method)
    )


def method_trust(file: Reader, layer: AtlasLayerRecord, method: str) -> MethodTrust:
    """What one method's projections are worth in a layer."""
    found, kept = file.specificity(layer.id, method), file.retention(layer.id, method)
    return MethodTrust(
        method=method,
        specificity=found.median if found else None,
        kept=kept.own.mean if kept else None,
        selectivity=kept.selectivity.mean if kept and kept.selectivity else None,
        sentence=f"{words.rule_words([layer], method)} {words.trust_words(file, layer, method)}".strip(),
    )
