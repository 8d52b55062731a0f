"""How alike a network finds the pictures that excite one unit: what says that they are of a kind that nobody named.

Two pictures are as alike as what other units make of them: by the deepest layer's means over their classes, where the
images have classes; else by how often both are among the peaks of one unit. The unit itself does not count.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.facts.layer import class_counts
from layerscope.facts.wrapping import Reader

# So many sets of pictures are drawn at random, and of so many of the last layers the peaks are counted.
DRAWS, SEED, LAYERS = 500, 0, 3
# Fewer pictures say nothing of a kind.
FEWEST = 3
# Of so many units, the most alike, it is asked whether two have pictures of one kind.
PARTED = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """How alike the pictures of a unit's peaks are. alike: the mean cosine of two of them. pictures: how many they are.
    chance: the highest that as many of the layer's peaks drawn at random reach, in DRAWS draws. kind: the unit of the
    most alike pictures of the same kind, itself where that is the first or was not asked."""

    alike: float
    pictures: int
    chance: float
    kind: int


@runtime_checkable
class _Profiles(Protocol):
    """What units make of pictures."""

    @property
    def known(self) -> Collection[int]:
        """The images that it knows."""
        ...

    def cosines(
        self, one: Sequence[int], other: Sequence[int], without: tuple[int, int] | None = None
    ) -> Float64[np.ndarray, "a b"]:
        """Of each of these images with each of those. without: a layer's id and a unit that does not count."""
        ...


def kinship(file: Reader, layer: AtlasLayerRecord, units: Collection[int]) -> dict[int, Kin]:
    """By unit, how alike its pictures are, where that is more than by chance; the most alike first.

    Units with fewer than FEWEST pictures that anything is known of are not there.
    """
    profiles = _by_classes(file, layer) or _by_peaks(file)
    rows = file.all_peaks(layer.id).image
    images = {
        unit: [one for one in row.tolist() if one in profiles.known] for unit, row in enumerate(rows) if unit in units
    }
    drawn_from = np.array([one for one in np.unique(rows).tolist() if one in profiles.known], np.int64)
    chances: dict[int, float] = {}
    alike: dict[int, float] = {}
    for unit, ones in images.items():
        if len(ones) >= FEWEST:
            if len(ones) not in chances:
                chances[len(ones)] = _chance(profiles, drawn_from, len(ones))
            likeness = _of_two(profiles.cosines(ones, ones, (layer.id, unit)))
            if likeness > chances[len(ones)]:
                alike[unit] = likeness
    order = sorted(alike, key=lambda unit: (-alike[unit], unit))
    kinds = _kinds(profiles, [(unit, alike[unit], images[unit]) for unit in order[:PARTED]])
    return {
        unit: Kin(
            alike=alike[unit], pictures=len(images[unit]), chance=chances[len(images[unit])], kind=kinds.get(unit, unit)
        )
        for unit in order
    }


def _kinds(profiles: _Profiles, units: Sequence[tuple[int, float, Sequence[int]]]) -> dict[int, int]:
    """By unit, the first whose pictures are half as alike to its own as either's are among themselves, or more."""
    first: list[tuple[int, float, Sequence[int]]] = []
    found: dict[int, int] = {}
    for unit, alike, images in units:
        same = (
            other
            for other, of, those in first
            if profiles.cosines(images, those).mean() >= float(np.sqrt(of * alike)) / 2
        )
        found[unit] = next(same, unit)
        if found[unit] == unit:
            first.append((unit, alike, images))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _ByClasses:
    """By the means of a layer's units over classes. of: each row of mean 0; number: by image, its class's."""

    layer: int
    of: Float64[np.ndarray, "units classes"]
    number: Mapping[int, int]

    @property
    def known(self) -> Collection[int]:
        return self.number

    def cosines(
        self, one: Sequence[int], other: Sequence[int], without: tuple[int, int] | None = None
    ) -> Float64[np.ndarray, "a b"]:
        mine, theirs = (self.of[:, [self.number[image] for image in images]] for images in (one, other))
        if without is not None and without[0] == self.layer:
            mine, theirs = (np.delete(each, without[1], axis=0) for each in (mine, theirs))
        mine, theirs = (each / np.maximum(np.linalg.norm(each, axis=0), 1e-9) for each in (mine, theirs))
        return mine.T @ theirs


@dataclass(frozen=True, slots=True, eq=False)
class _ByPeaks:
    """By the units that count a picture among their peaks. of: by image."""

    of: Mapping[int, frozenset[tuple[int, int]]]

    @property
    def known(self) -> Collection[int]:
        return self.of

    def cosines(
        self, one: Sequence[int], other: Sequence[int], without: tuple[int, int] | None = None
    ) -> Float64[np.ndarray, "a b"]:
        left_out = frozenset() if without is None else frozenset({without})
        mine, theirs = ([self.of[image] - left_out for image in images] for images in (one, other))
        return np.array(
            [[len(a & b) / max(len(a) * len(b), 1) ** 0.5 for b in theirs] for a in mine], np.float64
        ).reshape(len(mine), len(theirs))


def _by_classes(file: Reader, layer: AtlasLayerRecord) -> _Profiles | None:
    """By the last layer with means over classes; None where the layer's peaks have no classes."""
    labels = file.peak_labels(layer.id)
    for last in file.layers[::-1] if labels else ():
        classes, counts = class_counts(file, last)
        means = file.unit_statistics(last.id).class_means
        if classes and len(means) and means.shape[1] == len(counts):
            place = {name: number for number, name in enumerate(classes)}
            held = np.where(np.isfinite(means) & (counts > 0), means, 0.0).astype(np.float64)
            held -= held.mean(1, keepdims=True)
            held /= np.maximum(held.std(1, keepdims=True), 1e-9)
            number = {image: place[name] for image, name in labels.items() if name in place}
            return _ByClasses(layer=last.id, of=held, number=number)
    return None


def _by_peaks(file: Reader) -> _Profiles:
    """By the peaks of the last layers with a map."""
    found: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for layer in [layer for layer in file.layers if layer.record.map][-LAYERS:]:
        for unit, row in enumerate(file.all_peaks(layer.id).image):
            for image in row[row >= 0].tolist():
                found[image].add((layer.id, unit))
    return _ByPeaks(of={image: frozenset(units) for image, units in found.items()})


def _of_two(cosines: np.ndarray) -> float:
    """The mean of each with every other."""
    count = len(cosines)
    return float((cosines.sum() - np.trace(cosines)) / (count * (count - 1)))


def _chance(profiles: _Profiles, images: np.ndarray, count: int) -> float:
    """The highest likeness of so many images drawn at random, each once."""
    random = np.random.default_rng(SEED)
    drawn = (random.choice(images, count, replace=False).tolist() for _ in range(DRAWS))
    return max(_of_two(profiles.cosines(ones, ones)) for ones in drawn)
