"""How alike a network finds the pictures that excite one unit: what says that they are of a kind that nobody named.

Two pictures are as alike as what other units make of them: by the deepest layer's means over their classes, where the
images have classes; else by how often both are among the peaks of one unit. The unit itself does not count.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64, Int64

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.facts.cached import derived
from layerscope.facts.layer import class_counts
from layerscope.facts.wrapping import Reader

# So many sets of pictures are drawn at random, and of so many of the last layers the peaks are counted.
DRAWS, SEED, LAYERS = 500, 0, 3
# Fewer pictures say nothing of a kind.
FEWEST = 3
# Of so many units, the most alike, it is asked whether two have pictures of one kind.
PARTED = 48
# Sets of pictures that are compared at once; and up to so many classes each is multiplied with each, once for all.
SETS, MANY_CLASSES = 32, 4096


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

    def cosines(self, images: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, "n n"]:
        """Of each of these images with each."""
        ...

    def alike(
        self, images: Int64[np.ndarray, "sets n"], without: tuple[int, Sequence[int]] | None = None
    ) -> Float64[np.ndarray, " sets"]:
        """Of each set of images the mean cosine of two. without: a layer's id and of each set a unit that does not
        count; all images of the set are among its peaks."""
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
    for count in sorted({len(ones) for ones in images.values()} - set(range(FEWEST))):
        chances[count] = _chance(profiles, drawn_from, count)
        asked = [unit for unit, ones in images.items() if len(ones) == count]
        found = profiles.alike(np.array([images[unit] for unit in asked], np.int64), (layer.id, asked))
        alike |= {unit: one for unit, one in zip(asked, found.tolist(), strict=True) if one > chances[count]}
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
    if not units:
        return {}
    counts = np.array([len(images) for _, _, images in units])
    starts, every = np.cumsum(counts) - counts, np.array([image for *_, images in units for image in images], np.int64)
    sums = np.add.reduceat(np.add.reduceat(profiles.cosines(every), starts, 0), starts, 1)
    own = np.sqrt([alike for _, alike, _ in units])
    same = sums / np.outer(counts, counts) >= np.outer(own, own) / 2
    first: list[int] = []
    found: dict[int, int] = {}
    for place, (unit, _, _) in enumerate(units):
        kind = next((other for other in first if same[place, other]), place)
        found[unit] = units[kind][0]
        if kind == place:
            first.append(place)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _ByClasses:
    """By the means of a layer's units over classes. of: of every unit mean 0 over the classes; products: of its rows,
    each with each, None where these are too many; number: by image, its class's."""

    layer: int
    of: Float64[np.ndarray, "classes units"]
    products: Float64[np.ndarray, "classes classes"] | None
    number: Mapping[int, int]

    @property
    def known(self) -> Collection[int]:
        return self.number

    def _numbers(self, images: np.ndarray) -> np.ndarray:
        return np.array([self.number[image] for image in images.ravel().tolist()], np.int64).reshape(images.shape)

    def _products(self, numbers: Int64[np.ndarray, "... n"]) -> Float64[np.ndarray, "... n n"]:
        if self.products is not None:
            return self.products[numbers[..., :, None], numbers[..., None, :]]
        rows = self.of[numbers]
        return rows @ np.swapaxes(rows, -1, -2)

    def cosines(self, images: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, "n n"]:
        return _cosines(self._products(self._numbers(images)))

    def alike(
        self, images: Int64[np.ndarray, "sets n"], without: tuple[int, Sequence[int]] | None = None
    ) -> Float64[np.ndarray, " sets"]:
        found, numbers = [np.zeros(0)], self._numbers(images)
        for first in range(0, len(numbers), SETS):
            part = numbers[first : first + SETS]
            products = self._products(part)
            if without is not None and without[0] == self.layer:
                own = self.of[part, np.array(without[1][first : first + SETS], np.int64)[:, None]]
                products = products - own[:, :, None] * own[:, None, :]
            found.append(_of_two(_cosines(products)))
        return np.concatenate(found)


@dataclass(frozen=True, slots=True, eq=False)
class _ByPeaks:
    """By the units that count a picture among their peaks.

    layers: whose units are counted, by id. units: by image, how many count it. pairs: of every two pictures of one unit
    the number that `_pair` gives them, in order, and a last one that is none; shared: how many units count both.
    """

    layers: frozenset[int]
    known: frozenset[int]
    units: Int64[np.ndarray, " images"]
    pairs: Int64[np.ndarray, " pairs"]
    shared: Int64[np.ndarray, " pairs"]

    def cosines(self, images: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, "n n"]:
        return self._cosines(images[:, None], images[None], None)

    def alike(
        self, images: Int64[np.ndarray, "sets n"], without: tuple[int, Sequence[int]] | None = None
    ) -> Float64[np.ndarray, " sets"]:
        found, layer = np.zeros(len(images)), None if without is None else without[0]
        # One pair after the other of all sets at once: a set by itself is too little to compute.
        twos = list(combinations(images.T, 2))
        for one, other in twos:
            found += self._cosines(one, other, layer)
        return found / max(len(twos), 1)

    def _cosines(
        self, one: Int64[np.ndarray, "..."], other: Int64[np.ndarray, "..."], without: int | None
    ) -> Float64[np.ndarray, "..."]:
        """without: the layer of a unit that does not count: which one makes no difference, since all are its peaks."""
        asked = _pair(one, other, len(self.units))
        place = np.searchsorted(self.pairs[:-1], asked)
        both = np.where(self.pairs[place] == asked, self.shared[place], 0)
        both = np.where(one == other, self.units[one], both)
        own = int(without in self.layers)
        counted = (self.units[one] - own) * (self.units[other] - own)
        return (both - own) / np.sqrt(np.maximum(counted, 1))


def _pair(one: Int64[np.ndarray, "..."], other: Int64[np.ndarray, "..."], images: int) -> Int64[np.ndarray, "..."]:
    """A number for every two of so many images, whichever is named first."""
    return np.minimum(one, other) * images + np.maximum(one, other)


def _by_classes(file: Reader, layer: AtlasLayerRecord) -> _Profiles | None:
    """By the last layer with means over classes; None where the layer's peaks have no classes."""
    labels = file.peak_labels(layer.id)
    for last in file.layers[::-1] if labels else ():
        classes, counts = class_counts(file, last)
        means = file.class_means(last.id) if classes else np.zeros((0, 0))
        if len(means) and means.shape[1] == len(counts):
            place = {name: number for number, name in enumerate(classes)}
            number = {image: place[name] for image, name in labels.items() if name in place}
            of, products = derived(file, ("standardised classes", last.id), partial(_standardised, means, counts))
            return _ByClasses(layer=last.id, of=of, products=products, number=number)
    return None


def _standardised(
    means: np.ndarray, counts: np.ndarray
) -> tuple[Float64[np.ndarray, "classes units"], Float64[np.ndarray, "classes classes"] | None]:
    """Of every unit the means over classes, to mean 0 and standard deviation 1; and the products of classes."""
    held = np.where(np.isfinite(means) & (counts > 0), means, 0.0).astype(np.float64)
    held -= held.mean(1, keepdims=True)
    held /= np.maximum(held.std(1, keepdims=True), 1e-9)
    of = np.ascontiguousarray(held.T)
    return of, of @ of.T if len(of) <= MANY_CLASSES else None


def _by_peaks(file: Reader) -> _Profiles:
    """By the peaks of the last layers with a map."""
    layers = [layer.id for layer in file.layers if layer.record.map][-LAYERS:]
    return _counted({layer: file.all_peaks(layer).image for layer in layers})


def _counted(peaks: Mapping[int, np.ndarray]) -> _ByPeaks:
    """By the images of the peaks of some layers' units, int[units, k] by layer; -1 is none."""
    images = np.concatenate([np.zeros(0, np.int64), *(rows[rows >= 0] for rows in peaks.values())])
    units, twos = np.bincount(images), [np.zeros(0, np.int64)]
    for rows in peaks.values():
        left, right = (rows[:, places].astype(np.int64) for places in np.triu_indices(rows.shape[1], 1))
        twos.append(_pair(left, right, len(units))[(left >= 0) & (right >= 0)])
    pairs, shared = np.unique(np.concatenate(twos), return_counts=True)
    return _ByPeaks(
        layers=frozenset(peaks), known=frozenset(np.flatnonzero(units).tolist()), units=units,
        pairs=np.append(pairs, -1), shared=np.append(shared, 0),
    )  # fmt: skip


def _cosines(products: Float64[np.ndarray, "... n n"]) -> np.ndarray:
    """Of vectors, by the products of each with each."""
    lengths = np.sqrt(np.maximum(np.diagonal(products, axis1=-2, axis2=-1), 1e-18))
    return products / (lengths[..., :, None] * lengths[..., None, :])


def _of_two(cosines: Float64[np.ndarray, "sets n n"]) -> Float64[np.ndarray, " sets"]:
    """The mean of each with every other."""
    count = cosines.shape[-1]
    return (cosines.sum((1, 2)) - np.trace(cosines, axis1=1, axis2=2)) / (count * (count - 1))


def _chance(profiles: _Profiles, images: np.ndarray, count: int) -> float:
    """The highest likeness of so many images drawn at random, each once."""
    random = np.random.default_rng(SEED)
    drawn = np.stack([random.choice(images, count, replace=False) for _ in range(DRAWS)])
    return float(profiles.alike(drawn).max())
