"""Names and the units that each leads to, over all layers: what an index is made of, and a search without a server."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concept_words import concept_words, known_by
from layerscope.facts.finding import (
    CLASS,
    CONCEPT,
    LABEL,
    NOTE,
    PEAKS,
    WORD,
    BestOfClasses,
    best_of_classes,
    classes,
    peaks_by_class,
)  # fmt: skip
from layerscope.facts.layer import guesses
from layerscope.facts.wrapping import Reader

# Of each class so many units over all layers, and so many where there are many classes.
MOST_UNITS, FEW_UNITS, MANY_CLASSES = 6, 3, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedUnit:
    """A unit that a name leads to. score: by the name's kind, as a `Finding` has it; None of a note. mean: of a class,
    over its images of the unit's maxima; else None."""

    layer: AtlasLayerRecord
    unit: int
    score: float | None
    mean: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedName:
    """A name that leads to units. kind: of `finding.KINDS`. words: as it is said. level, category: of a concept; None
    and "" without. images: of a class, how many the scan had, None where that was not kept. units: the best first."""

    kind: str
    name: str
    words: str
    units: tuple[NamedUnit, ...]
    level: int | None = None
    category: str = ""
    images: int | None = None

    @property
    def group(self) -> str:
        """A concept's level or category in words; "" without either."""
        return self.category if self.level is None else f"level {self.level}"

    @property
    def names(self) -> tuple[str, ...]:
        """All that it may be asked for by."""
        return known_by(self.name) if self.kind == CONCEPT else (self.name,)


def names_of(file: Reader) -> tuple[IndexedName, ...]:
    """All names that lead to units: concepts by level, category and name; labels, words and classes by name.

    Of a class the units whose ratio is highest over all layers: `MOST_UNITS`, or `FEW_UNITS` of many classes.
    """
    return (*_concepts(file), *_best_named(file, LABEL), *_best_named(file, WORD), *_classes(file))


def notes_of(file: Reader) -> tuple[IndexedName, ...]:
    """The notes on units, each text once, in the order of layers and units."""
    found: dict[str, list[NamedUnit]] = defaultdict(list)
    for layer in file.layers:
        for note in file.notes(layer.id):
            found[note.text].append(NamedUnit(layer=layer, unit=note.unit, score=None))
    return tuple(IndexedName(kind=NOTE, name=text, words=text, units=tuple(ones)) for text, ones in found.items())


def in_peaks(file: Reader) -> tuple[IndexedName, ...]:
    """The classes of the images that peaks lie in, by name, each with the units that have most peaks in its images.

    Of each class as many units as `names_of` gives; a unit's score is the number of its peaks.
    """
    found: dict[str, list[NamedUnit]] = defaultdict(list)
    for layer in file.layers:
        for name, counts in peaks_by_class(file, layer).items():
            found[name] += [NamedUnit(layer=layer, unit=unit, score=float(count)) for unit, count in counts]
    most = _most_units(len(classes(file)))
    return tuple(
        IndexedName(kind=PEAKS, name=name, words=name, units=_best_first(units)[:most])
        for name, units in sorted(found.items(), key=lambda one: _alphabetical(one[0]))
    )


def _alphabetical(name: str) -> tuple[str, str]:
    """The key by which names are in the order of a dictionary, where capital letters do not come first."""
    return name.casefold(), name


def _most_units(count: int) -> int:
    """Of each class so many units. count: of the classes."""
    return MOST_UNITS if count <= MANY_CLASSES else FEW_UNITS


def named(file: Reader) -> bool:
    """Whether any name leads to units: the images have classes, or units were named."""
    return bool(classes(file)) or any(
        one.best is not None
        for layer in file.layers
        for kind in (file.concepts, file.labels, file.words)
        for one in kind(layer.id)
    )


def _concepts(file: Reader) -> Iterator[IndexedName]:
    found: dict[tuple[int, str, str], list[NamedUnit]] = defaultdict(list)
    levels: dict[tuple[int, str, str], int | None] = {}
    for layer in file.layers:
        for unit, best in guesses(file.concepts(layer.id)).items():
            place = best.level or 0, best.category, best.concept
            levels[place] = best.level
            found[place].append(NamedUnit(layer=layer, unit=unit, score=best.score))
    for place, units in sorted(found.items(), key=lambda one: (*one[0][:2], _alphabetical(one[0][2]))):
        _, category, name = place
        yield IndexedName(
            kind=CONCEPT,
            name=name,
            words=concept_words(name),
            units=_best_first(units),
            level=levels[place],
            category=category,
        )


def _best_named(file: Reader, kind: str) -> Iterator[IndexedName]:
    """Labels, or words of a list, that name units."""
    found: dict[str, list[NamedUnit]] = defaultdict(list)
    for layer in file.layers:
        if kind == LABEL:
            best = [(one.unit, one.best.label, one.best.auc) for one in file.labels(layer.id) if one.best is not None]
        else:
            best = [(one.unit, one.best.word, one.best.auc) for one in file.words(layer.id) if one.best is not None]
        for unit, name, auc in best:
            found[name].append(NamedUnit(layer=layer, unit=unit, score=auc))
    for name, units in sorted(found.items(), key=lambda one: _alphabetical(one[0])):
        yield IndexedName(kind=kind, name=name, words=name, units=_best_first(units))


def _best_first(units: list[NamedUnit]) -> tuple[NamedUnit, ...]:
    return tuple(sorted(units, key=lambda one: (-(one.score or 0), one.layer.id, one.unit)))


def _classes(file: Reader) -> Iterator[IndexedName]:
    names, counts = classes(file), file.statistic("class_counts") or []
    found = _followers(file, len(names))
    for number in sorted(found, key=lambda one: _alphabetical(names[one])):
        yield IndexedName(
            kind=CLASS,
            name=names[number],
            words=names[number],
            units=found[number],
            images=int(counts[number]) if number < len(counts) else None,
        )


def _followers(file: Reader, count: int) -> Mapping[int, tuple[NamedUnit, ...]]:
    """By number of the class, the units of the highest ratio over all layers; classes without any are not there."""
    most = _most_units(count)
    # Tables of numbers, and records of the few that are left: a thousand classes have hundreds of thousands.
    every = [(layer, _best_of_layer(file, layer, count, most)) for layer in file.layers] if count else []
    layers = [layer for layer, table in every for _ in table.units]
    if not layers:
        return {}
    units, ratios, means = (np.concatenate(ones) for ones in zip(*(table for _, table in every), strict=True))
    order = np.argsort(-ratios, axis=0, kind="stable")[:most]
    found = dict[int, tuple[NamedUnit, ...]]()
    for number in range(count):
        ones = tuple(
            NamedUnit(
                layer=layers[place],
                unit=int(units[place, number]),
                score=float(ratios[place, number]),
                mean=float(means[place, number]),
            )
            for place in order[:, number].tolist()
            if ratios[place, number] > 0
        )
        if ones:
            found[number] = ones
    return found


def _best_of_layer(file: Reader, layer: AtlasLayerRecord, count: int, most: int) -> BestOfClasses:
    found = best_of_classes(file, layer)
    if found.units.shape[1] != count:
        found = BestOfClasses(np.zeros((0, count), np.int64), np.zeros((0, count)), np.zeros((0, count)))
    return BestOfClasses(*(table[:most] for table in found))
