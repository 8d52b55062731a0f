"""What is known of a unit over all images: what the scan counted, what names it, the classes that it prefers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concepts import UnitConcept
from layerscope.core.records import UnitStatistics
from layerscope.facts.layer import class_counts
from layerscope.facts.wrapping import Reader

TOP_CLASSES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSummary:
    """What the scan counted for one unit.

    mean, std: over all positions of every fourth batch. maximum: over all images. images_above, positions_above:
    shares in 0..1 above zero.
    """

    mean: float
    std: float
    maximum: float
    images_above: float
    positions_above: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScannedUnit(UnitSummary):
    """All that the scan counted for one unit.

    histogram: counts of the images' maxima between core.records.HISTOGRAM_EDGES, the outermost bins open. class_means:
    per class the mean over its images of the image's maximum; empty without labels.
    """

    histogram: Int64[np.ndarray, " bins"]
    class_means: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMean:
    """A class. mean: over its images, of the image's maximum. share: of the labelled images, its prior. peaks: how
    many of the unit's peaks are from it."""

    name: str
    mean: float
    share: float
    peaks: int


NUMBERS = ("mean", "std", "maximum", "images_above", "positions_above")


def unit_numbers(statistics: UnitStatistics, unit: int) -> UnitSummary | None:
    """What the scan counted for a unit; None before its layer is scanned."""
    if unit >= len(statistics.mean):
        return None
    return UnitSummary(**{name: float(getattr(statistics, name)[unit]) for name in NUMBERS})


def scanned_unit(statistics: UnitStatistics, classes: Sequence[str], unit: int) -> ScannedUnit | None:
    """All that the scan counted for a unit; None before its layer is scanned."""
    if unit >= len(statistics.mean):
        return None
    means = statistics.class_means[unit].tolist()
    return ScannedUnit(
        **{name: float(getattr(statistics, name)[unit]) for name in NUMBERS},
        histogram=statistics.histogram[unit],
        class_means=dict(zip(classes, means, strict=True)) if means else {},
    )


def concept_of(concepts: Sequence[UnitConcept], unit: int) -> UnitConcept | None:
    """What a unit was found to detect; None where its layer was not dissected."""
    return next((one for one in concepts if one.unit == unit), None)


def top_classes(
    file: Reader, layer: AtlasLayerRecord, unit: int, labels: Sequence[str | None]
) -> tuple[ClassMean, ...]:
    """The classes with the highest means, each beside its prior; none without classes. labels: of the unit's peaks."""
    classes, counts = class_counts(file, layer)
    means = file.unit_statistics(layer.id).class_means
    if not len(counts) or len(means) <= unit:
        return ()
    order = np.argsort(-means[unit], kind="stable")
    order = order[counts[order] > 0][:TOP_CLASSES].tolist()
    return tuple(
        ClassMean(
            name=classes[index],
            mean=float(means[unit, index]),
            share=float(counts[index] / counts.sum()),
            peaks=labels.count(classes[index]),
        )
        for index in order
    )


def class_mean(file: Reader, layer: AtlasLayerRecord, unit: int) -> float | None:
    """The mean over all labelled images; None where there are none."""
    _, counts = class_counts(file, layer)
    means = file.unit_statistics(layer.id).class_means
    if not counts.any() or len(means) <= unit:
        return None
    return float(np.average(means[unit][counts > 0], weights=counts[counts > 0]))


def unshared(file: Reader, layer: AtlasLayerRecord, unit: int) -> str:
    """Why an atlas does not know what a unit's peaks are made of, as a clause."""
    refused = file.statistic("shares", layer.id)
    if refused:
        return str(refused["refused"])
    if not file.peaks(layer.id, unit):
        return "it was never above zero"
    if not any(one.record.auto and one.id < layer.id for one in file.layers):
        return 'no layer that "auto" means comes before it in this atlas'
    if layer.method is None:
        return "only projected layers are shared out"
    return "the atlas was made without it or for other units; the command that built it adds it"


def unkept(file: Reader, layer: AtlasLayerRecord, unit: int, method: str | None) -> str:
    """Why an atlas does not know what a unit's marked pixels keep, as a clause."""
    peaks = file.peaks(layer.id, unit)
    if not peaks:
        return "it was never above zero"
    if layer.method is None or method is None:
        return "only projected layers are asked"
    if method not in file.run.methods:
        return f'the atlas holds no projections by "{method}", only by {", ".join(file.run.methods)}'
    if peaks[0].value <= 0:
        return "its first peak is not above zero"
    if file.scales(layer.id, unit, "projections", method, file.run.views[0]) is None:
        return "it has no projections in this atlas"
    return "the method marks nothing there, or the atlas was made before this was measured: `--overwrite` measures it"
