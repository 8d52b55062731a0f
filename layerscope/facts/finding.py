"""Units by a word: whatever is known of a unit under a name, asked once for the command line, Python and the viewer.

Six kinds of names: the concept that names a unit, in its words too, or its category (score: the IoU above chance), the
label and the word of a list that name it (the AUC), a class whose images excite it (their mean maximum, over that of
all classes), a class of the images that its peaks lie in (how many of the peaks), and the notes on it (no score). A
concept that names a unit but is doubtful is told with what the unit's peaks show.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concept_words import concept_words, known_by
from layerscope.facts.cached import derived
from layerscope.facts.layer import class_counts, guesses
from layerscope.facts.standing import at_peaks
from layerscope.facts.wrapping import Reader

CONCEPT, LABEL, WORD, CLASS, PEAKS, NOTE = KINDS = ("concept", "label", "word", "class", "peaks", "note")
# Of each layer so many units that follow a class, and so many with peaks in its images.
FOLLOWERS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A unit that something known of it leads to. kind: of KINDS. name: the whole name, or the note. score: by its
    kind; None of a note. at_peaks: what its peaks show where the concept is doubtful; else ""."""

    layer: AtlasLayerRecord
    unit: int
    kind: str
    name: str
    score: float | None
    at_peaks: str = ""

    @property
    def said(self) -> str:
        """The name as it is shown: a concept in words."""
        return said_as(self.kind, self.name, self.at_peaks)

    @property
    def names(self) -> tuple[str, ...]:
        """All that the name may be asked for by."""
        return known_by(self.name) if self.kind == CONCEPT else (self.name,)


def said_as(kind: str, name: str, at_peaks: str = "") -> str:
    """A name of one of KINDS as it is shown, behind what the unit's peaks show where it is doubtful."""
    words = concept_words(name) if kind == CONCEPT else name
    return f"{at_peaks} (by overlap {words})" if at_peaks else words


def find(file: Reader, text: str) -> tuple[Finding, ...]:
    """The units of which a concept, a label, a word, a class, a peak or a note holds the text, in any case.

    Names that are the text come before those that only hold it; then by kind, score, layer and unit.
    """
    folded = " ".join(text.split()).casefold()
    if not folded:
        return ()

    def order(one: Finding) -> tuple[bool, int, float, int, int]:
        other = folded not in (name.casefold() for name in one.names)
        return other, KINDS.index(one.kind), -(one.score or 0), one.layer.id, one.unit

    return tuple(sorted((one for layer in file.layers for one in _in_layer(file, layer, folded)), key=order))


def _in_layer(file: Reader, layer: AtlasLayerRecord, folded: str) -> Iterator[Finding]:
    doubtful = at_peaks(file, layer)
    for unit, best in guesses(file.concepts(layer.id)).items():
        if holds(known_by(best.concept), folded) or folded == best.category.casefold():
            kinds = doubtful.get(unit, "")
            yield Finding(layer=layer, unit=unit, kind=CONCEPT, name=best.concept, score=best.score, at_peaks=kinds)
    for one in file.labels(layer.id):
        if one.best is not None and folded in one.best.label.casefold():
            yield Finding(layer=layer, unit=one.unit, kind=LABEL, name=one.best.label, score=one.best.auc)
    for one in file.words(layer.id):
        if one.best is not None and folded in one.best.word.casefold():
            yield Finding(layer=layer, unit=one.unit, kind=WORD, name=one.best.word, score=one.best.auc)
    # Class means are read only where some class is meant: of a wide layer they are megabytes.
    wanted = [number for number, name in enumerate(classes(file)) if folded in name.casefold()]
    if wanted:
        yield from _followers(file, layer, wanted)
        yield from _in_peaks(file, layer, folded)
    for note in file.notes(layer.id):
        if folded in note.text.casefold():
            yield Finding(layer=layer, unit=note.unit, kind=NOTE, name=note.text, score=None)


def holds(names: Sequence[str], folded: str) -> bool:
    """Whether any of these names holds a text, which is folded already."""
    return any(folded in name.casefold() for name in names)


def classes(file: Reader) -> list[str]:
    """The classes of the images, by number; none where they have none."""
    return [str(name) for name in file.statistic("classes") or ()]


def names_known(file: Reader) -> dict[str, set[str]]:
    """All that units can be found by, by kind. Classes of peaks are classes."""
    return {
        CONCEPT: {
            name
            for layer in file.layers
            for best in guesses(file.concepts(layer.id)).values()
            for name in known_by(best.concept)
        },
        LABEL: {one.best.label for layer in file.layers for one in file.labels(layer.id) if one.best is not None},
        WORD: {one.best.word for layer in file.layers for one in file.words(layer.id) if one.best is not None},
        CLASS: set(classes(file)),
        NOTE: {note.text for layer in file.layers for note in file.notes(layer.id)},
    }


def _followers(file: Reader, layer: AtlasLayerRecord, wanted: Sequence[int]) -> Iterator[Finding]:
    """For each of these classes the layer's units of the highest ratio."""
    names, counts = class_counts(file, layer)
    best = best_of_classes(file, layer)
    for number in wanted if len(counts) == best.units.shape[1] else ():
        for unit, ratio in zip(best.units[:, number].tolist(), best.ratios[:, number].tolist(), strict=True):
            if ratio > 0:
                yield Finding(layer=layer, unit=unit, kind=CLASS, name=str(names[number]), score=ratio)


class BestOfClasses(NamedTuple):
    """Of every class the best units of a layer, FOLLOWERS at most: their numbers, ratios and means."""

    units: Int64[np.ndarray, "n classes"]
    ratios: Float64[np.ndarray, "n classes"]
    means: Float64[np.ndarray, "n classes"]


def best_of_classes(file: Reader, layer: AtlasLayerRecord) -> BestOfClasses:
    """The units of the highest ratios for every class that means are kept of; of equal ones the earlier units."""
    return derived(file, ("best of classes", layer.id), lambda: _best_of_classes(file, layer))


def _best_of_classes(file: Reader, layer: AtlasLayerRecord) -> BestOfClasses:
    means = file.class_means(layer.id).astype(np.float64)
    # Images may have no member of a class: its mean is then no number.
    means[~np.isfinite(means)] = 0.0
    ratios = class_ratios(means)
    count, classes = min(FOLLOWERS, len(means)), np.arange(means.shape[1])
    best = BestOfClasses(*(np.zeros((count, len(classes)), kind) for kind in (np.int64, np.float64, np.float64)))
    for place in range(count):
        # The first of the highest, again and again: sorting all of a wide layer takes ten times as long and as much.
        units = ratios.argmax(0)
        best.units[place], best.ratios[place], best.means[place] = units, ratios[units, classes], means[units, classes]
        ratios[units, classes] = -np.inf
    return best


def _in_peaks(file: Reader, layer: AtlasLayerRecord, folded: str) -> Iterator[Finding]:
    """For each class that holds the text the layer's units with the most peaks in its images."""
    for name, most in peaks_by_class(file, layer).items():
        if folded in name.casefold():
            for unit, count in most:
                yield Finding(layer=layer, unit=unit, kind=PEAKS, name=name, score=float(count))


def peaks_by_class(file: Reader, layer: AtlasLayerRecord) -> Mapping[str, Sequence[tuple[int, int]]]:
    """By class, the units with the most peaks in its images, FOLLOWERS at most, and how many these are."""
    return derived(file, ("peaks by class", layer.id), lambda: _peaks_by_class(file, layer))


def _peaks_by_class(file: Reader, layer: AtlasLayerRecord) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, dict[int, int]] = {}
    for unit, names in enumerate(peak_classes(file, layer)):
        for name in names:
            units = found.setdefault(name, {})
            units[unit] = units.get(unit, 0) + 1
    return {name: sorted(units.items(), key=lambda one: (-one[1], one[0]))[:FOLLOWERS] for name, units in found.items()}


def peak_classes(file: Reader, layer: AtlasLayerRecord) -> tuple[tuple[str, ...], ...]:
    """Of every unit the classes of the images that its peaks lie in, the best peak first; those without a class left
    out. None at all where no image has one."""
    labels = file.peak_labels(layer.id)
    images: Int64[np.ndarray, "u k"] = file.all_peaks(layer.id).image
    if not labels:
        return ()
    return tuple(tuple(labels[image] for image in row if image in labels) for row in images.tolist())


def class_ratios(means: Float64[np.ndarray, "u classes"]) -> Float64[np.ndarray, "u classes"]:
    """Of every unit and class the mean over the class's images to that over all classes.

    0 where the mean is not above the layer's average: a unit that fires once favours some class by chance.
    """
    overall = means.mean(1, keepdims=True)
    ratio = np.divide(means, overall, out=np.zeros_like(means), where=overall > 0)
    ratio[means <= means.mean()] = 0
    return ratio
