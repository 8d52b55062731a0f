"""The units of a layer as rows: what lists of units, sorting, searching and their JSON are made of."""

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import SupportsFloat

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concept_words import concept_words, known_by
from layerscope.facts.finding import peak_classes
from layerscope.facts.layer import guesses, live, twins
from layerscope.facts.standing import at_peaks
from layerscope.viewer.shelf import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """One unit in a list.

    maximum, mean: of its activations. images_above, positions_above: shares above zero, 0..1. All four are None before
    the layer is scanned. dead: without a peak. shown: its tiles are in the atlas. name, score, level, category: the
    concept that names it; None without one. at_peaks: what its peaks show where that name is doubtful. label:
    the class whose images excite it most on average, where images have classes. twin, correlation: the unit that it
    nearly duplicates, and how closely. others: what else it is found by: the concept in words, its category, the label
    and the word of a list that name it, the classes of the images that its peaks lie in.
    """

    unit: int
    maximum: float | None
    mean: float | None
    images_above: float | None
    positions_above: float | None
    dead: bool
    shown: bool
    name: str | None = None
    score: float | None = None
    level: int | None = None
    category: str | None = None
    at_peaks: str = ""
    label: str | None = None
    twin: int | None = None
    correlation: float | None = None
    others: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Its name as people say it; "" without one."""
        return concept_words(self.name or "")

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is found by, beside its number."""
        return tuple(one for one in (self.name, self.at_peaks, self.label, *self.others) if one)


def unit_rows(book: Book, layer: AtlasLayerRecord) -> tuple[UnitRow, ...]:
    """All units of a layer, by number."""
    statistics, shown, near = (
        book.file.unit_statistics(layer.id),
        book.shown(layer),
        twins(book.file.neighbours(layer.id)),
    )
    scanned = len(statistics.mean)
    alive = live(book.file.all_peaks(layer.id))
    labels = _labels(book, layer)
    others = _others(book, layer)
    best, doubtful = guesses(book.file.concepts(layer.id)), at_peaks(book.file, layer)
    columns = (statistics.maximum, statistics.mean, statistics.images_above, statistics.positions_above)
    rows = []
    for unit in range(layer.record.units):
        maximum, mean, images, positions = (finite(column[unit]) if unit < scanned else None for column in columns)
        found, twin = best.get(unit), near.get(unit)
        rows.append(
            UnitRow(
                unit=unit,
                maximum=maximum,
                mean=mean,
                images_above=images,
                positions_above=positions,
                dead=unit < scanned and not alive[unit],
                shown=unit in shown,
                name=found.concept if found else None,
                score=found.score if found else None,
                level=found.level if found else None,
                category=found.category or None if found else None,
                at_peaks=doubtful.get(unit, ""),
                label=labels[unit] if labels else None,
                twin=twin.other if twin else None,
                correlation=twin.correlation if twin else None,
                others=tuple(dict.fromkeys(others[unit])),
            )
        )
    return tuple(rows)


def finite(value: SupportsFloat) -> float | None:
    """A measured number as JSON can say it."""
    return float(value) if math.isfinite(value) else None


def _labels(book: Book, layer: AtlasLayerRecord) -> list[str | None]:
    """By unit, the class of the highest mean; none where images have no classes or the unit is at zero for all."""
    means, classes = book.file.unit_statistics(layer.id).class_means, book.file.statistic("classes") or []
    if not means.shape[1] or means.shape[1] != len(classes):
        return []
    return [str(classes[top]) if row[top] > 0 else None for row, top in zip(means, means.argmax(1), strict=True)]


def _others(book: Book, layer: AtlasLayerRecord) -> defaultdict[int, list[str]]:
    """By unit, what it is found by beside its name."""
    found = defaultdict[int, list[str]](list)
    for unit, best in guesses(book.file.concepts(layer.id)).items():
        found[unit] += [*known_by(best.concept)[1:], *([best.category] if best.category else [])]
    for one in book.file.labels(layer.id):
        found[one.unit] += [one.best.label] if one.best is not None else []
    for one in book.file.words(layer.id):
        found[one.unit] += [one.best.word] if one.best is not None else []
    for unit, names in enumerate(peak_classes(book.file, layer)):
        found[unit] += names
    return found
