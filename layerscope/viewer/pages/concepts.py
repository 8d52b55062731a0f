"""The index: concepts, labels, words and classes, each with the units that it leads to, over all layers."""

from collections.abc import Iterable
from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.facts.by_name import MANY_CLASSES, IndexedName, NamedUnit, named
from layerscope.facts.finding import CLASS, CONCEPT, LABEL, WORD, holds
from layerscope.facts.layer import guesses
from layerscope.facts.standing import standing_in
from layerscope.lesson.themes import LEVELS
from layerscope.viewer.addresses import SheetKey
from layerscope.viewer.pages.query import Query
from layerscope.viewer.pages.search import picture_of
from layerscope.viewer.shelf import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A unit that a concept, a label or a word names. score: its IoU above that of chance, or its AUC. verdict: which
    intervention a concept's name stood, "" where none was tried."""

    layer: AtlasLayerRecord
    unit: int
    score: float
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedConcept:
    """A concept, or a label or word of a list. words: its name as it is said. kind: a concept's level or its category,
    in words. detectors: the highest score first. sheet: patches of the first of them that has any; photo: where none
    has, an image in their place."""

    name: str
    words: str
    kind: str
    detectors: tuple[Detector, ...]
    sheet: SheetKey | None
    photo: int | None

    @property
    def heading(self) -> str:
        """What its level or category is called above the concepts of the same."""
        level = self.kind.removeprefix("level ")
        words = LEVELS.get(int(level), "") if level.isascii() and level.isdecimal() and len(level) < 5 else ""
        return f"Level {level}: {words}" if words else self.kind.capitalize() or "Concepts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A unit that a class excites. mean: over the class's images of their maxima. ratio: to that over all classes."""

    layer: AtlasLayerRecord
    unit: int
    mean: float
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageClass:
    """count: its images in the scan, None where that was not kept. followers: the highest ratio first. sheet: patches
    of the first of them that has any; photo: where none has, an image in their place."""

    name: str
    count: int | None
    followers: tuple[Follower, ...]
    sheet: SheetKey | None
    photo: int | None

    @property
    def initial(self) -> str:
        """Under which letter it stands."""
        return self.name[:1].upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptsPage:
    """dissected, labelled: whether the atlas knows concepts, and classes. many: there are so many classes that each
    shows one unit. images: that were dissected. text: what was searched for."""

    title: str
    dissected: bool
    labelled: bool
    many: bool
    images: int | None
    text: str
    layers: tuple[AtlasLayerRecord, ...]
    concepts: tuple[IndexedConcept, ...]
    labels: tuple[IndexedConcept, ...]
    words: tuple[IndexedConcept, ...]
    classes: tuple[ImageClass, ...]


def has(book: Book) -> bool:
    """Whether any name leads to units."""
    return named(book.file)


def head(book: Book) -> str:
    """What stands in the head: what there is of the two that most atlases have."""
    return "Concepts" if book.dissected else "Classes" if book.file.statistic("classes") else "Names"


def facts(book: Book, query: Query) -> ConceptsPage:
    """With ?q=WORDS only the names that hold them."""
    text = query.one("q").strip()[:200]
    every = book.names
    found = [one for one in every if holds(one.names, text.casefold())]
    dissection = book.file.dissection()
    count = sum(one.kind == CLASS for one in every)
    return ConceptsPage(
        title="Concepts and classes" if book.dissected else head(book),
        dissected=book.dissected,
        labelled=count > 0,
        many=count > MANY_CLASSES,
        images=dissection.images if dissection else None,
        text=text,
        layers=tuple(layer for layer in book.layers if book.file.concepts(layer.id)),
        concepts=_concepts(book, (one for one in found if one.kind == CONCEPT)),
        labels=tuple(_listed(book, one) for one in found if one.kind == LABEL),
        words=tuple(_listed(book, one) for one in found if one.kind == WORD),
        classes=tuple(_class(book, one) for one in found if one.kind == CLASS),
    )


def _concepts(book: Book, found: Iterable[IndexedName]) -> tuple[IndexedConcept, ...]:
    """By level, category and name."""
    tried = book.file.interventions()
    best = {layer.id: guesses(book.file.concepts(layer.id)) for layer in book.layers}

    def detector(one: NamedUnit) -> Detector:
        standing = standing_in(tried, one.layer.name, one.unit, best[one.layer.id].get(one.unit))
        verdict = (standing.kinds or standing.verdict) if standing else ""
        return Detector(layer=one.layer, unit=one.unit, score=one.score or 0.0, verdict=verdict)

    return tuple(_indexed(book, one, one.group, tuple(detector(unit) for unit in one.units)) for one in found)


def _listed(book: Book, one: IndexedName) -> IndexedConcept:
    """A label, or a word of a list."""
    detectors = tuple(Detector(layer=unit.layer, unit=unit.unit, score=unit.score or 0.0) for unit in one.units)
    return _indexed(book, one, "", detectors)


def _indexed(book: Book, one: IndexedName, kind: str, detectors: tuple[Detector, ...]) -> IndexedConcept:
    sheet, photo = picture_of(book, one)
    return IndexedConcept(name=one.name, words=one.words, kind=kind, detectors=detectors, sheet=sheet, photo=photo)


def _class(book: Book, one: IndexedName) -> ImageClass:
    followers = tuple(
        Follower(layer=unit.layer, unit=unit.unit, mean=unit.mean or 0.0, ratio=unit.score or 0.0) for unit in one.units
    )
    sheet, photo = picture_of(book, one)
    return ImageClass(name=one.name, count=one.images, followers=followers, sheet=sheet, photo=photo)
