"""The index of concepts and classes: which units each of them leads to, over all layers."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.facts.finding import class_ratios
from layerscope.facts.layer import guesses
from layerscope.facts.standing import standing_in
from layerscope.viewer.pages.query import Query
from layerscope.viewer.shelf import Book

MOST_UNITS, FEW_UNITS, MANY_CLASSES = 6, 3, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A unit that a concept names. score: its IoU above that of chance. verdict: which intervention the name stood,
    "" where none was tried."""

    layer: AtlasLayerRecord
    unit: int
    score: float
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedConcept:
    """kind: its level or its category, in words. detectors: the highest score first."""

    name: str
    kind: str
    detectors: tuple[Detector, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A unit that a class excites. mean: over the class's images of their maxima. ratio: to that over all classes."""

    layer: AtlasLayerRecord
    unit: int
    mean: float
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageClass:
    """count: its images in the scan, None where that was not kept. followers: the highest ratio first."""

    name: str
    count: int | None
    followers: tuple[Follower, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptsPage:
    """dissected, labelled: whether the atlas knows concepts, and classes. text: what was searched for."""

    dissected: bool
    labelled: bool
    images: int | None
    text: str
    layers: tuple[AtlasLayerRecord, ...]
    concepts: tuple[IndexedConcept, ...]
    classes: tuple[ImageClass, ...]


def facts(book: Book, query: Query) -> ConceptsPage:
    """With ?q=WORDS only the concepts and classes that hold them."""
    text = query.one("q").strip()[:200]
    classes = _classes(book)
    dissection = book.file.dissection()
    return ConceptsPage(
        dissected=book.dissected,
        labelled=bool(classes),
        images=dissection.images if dissection else None,
        text=text,
        layers=tuple(layer for layer in book.layers if book.file.concepts(layer.id)),
        concepts=tuple(one for one in _concepts(book) if text.casefold() in one.name.casefold()),
        classes=tuple(one for one in classes if text.casefold() in one.name.casefold()),
    )


def _concepts(book: Book) -> list[IndexedConcept]:
    """By level, category and name."""
    found: dict[tuple[int, str, str, str], list[Detector]] = defaultdict(list)
    tried = book.file.interventions()
    for layer in book.layers:
        for unit, best in guesses(book.file.concepts(layer.id)).items():
            standing = standing_in(tried, layer.name, unit, best)
            verdict = (standing.kinds or standing.verdict) if standing else ""
            place = best.level or 0, best.category, best.concept, best.kind
            found[place].append(Detector(layer=layer, unit=unit, score=best.score, verdict=verdict))
    for ones in found.values():
        ones.sort(key=lambda one: (-one.score, one.layer.id, one.unit))
    return [
        IndexedConcept(name=name, kind=kind, detectors=tuple(ones))
        for (_, _, name, kind), ones in sorted(found.items())
    ]


def _classes(book: Book) -> list[ImageClass]:
    """By name; none where images have no classes."""
    names, counts = book.file.statistic("classes") or [], book.file.statistic("class_counts") or []
    found: dict[int, list[Follower]] = defaultdict(list)
    for layer in book.layers:
        for number, follower in _followers(book, layer, len(names)):
            found[number].append(follower)
    most = MOST_UNITS if len(names) <= MANY_CLASSES else FEW_UNITS
    return [
        ImageClass(
            name=str(names[number]),
            count=int(counts[number]) if number < len(counts) else None,
            followers=tuple(sorted(ones, key=lambda one: (-one.ratio, one.layer.id, one.unit))[:most]),
        )
        for number, ones in sorted(found.items(), key=lambda item: str(names[item[0]]))
    ]


def _followers(book: Book, layer: AtlasLayerRecord, classes: int) -> list[tuple[int, Follower]]:
    """For every class the layer's units of the highest ratio: class number and unit."""
    means = book.file.unit_statistics(layer.id).class_means.astype(np.float64)
    if not classes or means.shape[1] != classes or not len(means):
        return []
    # Images may have no member of a class: its mean is then no number.
    means = np.where(np.isfinite(means), means, 0.0)
    ratio = class_ratios(means)
    top = np.argsort(-ratio, axis=0, kind="stable")[:MOST_UNITS]
    return [
        (
            number,
            Follower(layer=layer, unit=int(unit), mean=float(means[unit, number]), ratio=float(ratio[unit, number])),
        )
        for number in range(classes)
        for unit in top[:, number]
        if ratio[unit, number] > 0
    ]
