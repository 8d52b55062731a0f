"""How a unit behaves over all images: its numbers, the spread of its image maxima, the classes that it prefers."""

from dataclasses import dataclass

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.figures.histogram import histogram
from layerscope.figures.sheet import Chart
from layerscope.viewer.pages.seen import SeenPeak
from layerscope.viewer.shelf import Book

TOP_CLASSES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMean:
    """A class. mean: over its images, of the image's maximum. share: of the labelled images, its prior. peaks: how
    many of the unit's peaks are from it."""

    name: str
    mean: float
    share: float
    peaks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitNumbers:
    """What the scan counted; shares in 0..1."""

    mean: float
    std: float
    maximum: float
    images_above: float
    positions_above: float


def numbers_of(book: Book, layer: AtlasLayerRecord, unit: int) -> UnitNumbers:
    names = ("mean", "std", "maximum", "images_above", "positions_above")
    statistics = book.statistics(layer)
    return UnitNumbers(**{name: float(getattr(statistics, name)[unit]) for name in names})


def histogram_of(book: Book, layer: AtlasLayerRecord, unit: int, peaks: tuple[SeenPeak, ...]) -> Chart | None:
    counts = book.statistics(layer).histogram[unit]
    return histogram(counts, tuple(peak.value for peak in peaks)) if counts.any() else None


def class_counts_of(book: Book, layer: AtlasLayerRecord) -> tuple[list[str], np.ndarray]:
    """The classes and how many images each has; none where the scan knew no labels."""
    classes, counts = book.file.statistic("classes"), book.file.statistic("class_counts")
    if not classes or not counts or book.statistics(layer).class_means.shape[1] != len(classes):
        return [], np.zeros(0)
    return classes, np.asarray(counts, np.float64)


def classes_of(book: Book, layer: AtlasLayerRecord, unit: int, peaks: tuple[SeenPeak, ...]) -> tuple[ClassMean, ...]:
    """The classes with the highest means, each beside its prior."""
    classes, counts = class_counts_of(book, layer)
    if not len(counts) or len(book.statistics(layer).mean) <= unit:
        return ()
    means, labels = book.statistics(layer).class_means[unit], [peak.label for peak in peaks]
    order = [int(index) for index in np.argsort(-means, kind="stable") if counts[index]][:TOP_CLASSES]
    return tuple(
        ClassMean(
            name=classes[index],
            mean=float(means[index]),
            share=float(counts[index] / counts.sum()),
            peaks=labels.count(classes[index]),
        )
        for index in order
    )


def class_mean_of(book: Book, layer: AtlasLayerRecord, unit: int) -> float:
    """The mean over all labelled images."""
    _, counts = class_counts_of(book, layer)
    return float(np.average(book.statistics(layer).class_means[unit][counts > 0], weights=counts[counts > 0]))
