"""Two layers of one atlas side by side: what each is, and in which statistics of their units they differ most."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.records import UnitStatistics
from layerscope.facts.layer import live, live_units, names
from layerscope.figures import words
from layerscope.viewer.addresses import SheetKey, layer_key
from layerscope.viewer.shelf import Book

EXAMPLES = 6
# Statistics that can be compared between layers: free of the scale of their activations. Shares in 0..1, but the last.
STATISTICS = {
    "images above zero": lambda of: of.images_above,
    "positions above zero": lambda of: of.positions_above,
    "maximum, in standard deviations above the mean": lambda of: (of.maximum - of.mean) / np.maximum(of.std, 1e-30),
    "highest class mean, of the sum over classes": lambda of: class_share(of),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A statistic over a layer's live units: its quartiles."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLayer:
    """A layer in its column. dead: units without a peak. distinct: images that are a peak of any unit. named, concepts:
    units with a name and their different names, None without a dissection. specificity: median by method; kept:
    mean retention by method. examples: a few units whose patches the atlas holds; sheets: these."""

    layer: AtlasLayerRecord
    key: str
    field: str
    dead: int
    distinct: int
    named: int | None
    concepts: int | None
    specificity: tuple[tuple[str, float | None], ...]
    kept: tuple[tuple[str, float | None], ...]
    examples: tuple[int, ...]
    sheets: tuple[SheetKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedStatistic:
    """A statistic of the live units of both layers. share: it lies in 0..1. distance: between the two distributions
    (Kolmogorov and Smirnov's): 0 where they are the same, 1 where they do not overlap."""

    name: str
    share: bool
    first: Spread
    second: Spread
    distance: float


def compared_layer(book: Book, layer: AtlasLayerRecord) -> ComparedLayer:
    """A layer's figures."""
    peaks, concepts = book.file.all_peaks(layer.id), book.file.concepts(layer.id)
    best = list(names(concepts).values())
    methods = book.run.methods if layer.method else ()
    examples = _examples(book, layer, live_units(peaks))
    found = {method: book.file.specificity(layer.id, method) for method in methods}
    kept = {method: book.file.retention(layer.id, method) for method in methods}
    return ComparedLayer(
        layer=layer,
        key=layer_key(layer),
        field=words.field_words(layer, book.file),
        dead=int((~live(peaks)).sum()),
        distinct=len(np.unique(peaks.image[peaks.image >= 0])),
        named=len(best) if concepts else None,
        concepts=len(set(best)) if concepts else None,
        specificity=tuple((method, one.median if one else None) for method, one in found.items()),
        kept=tuple((method, one.own.mean if one else None) for method, one in kept.items()),
        examples=examples,
        sheets=tuple(SheetKey(layer=layer.id, unit=unit, kind="patches") for unit in examples),
    )


def _examples(book: Book, layer: AtlasLayerRecord, among: np.ndarray) -> tuple[int, ...]:
    """The first units of a seeded shuffle whose patches the atlas holds."""
    found: list[int] = []
    for unit in np.random.default_rng(0).permutation(among)[:512].tolist():
        if len(found) < EXAMPLES and unit in book.file.units_with_sheets(layer.id, "patches"):
            found.append(unit)
    return tuple(sorted(found))


def compared_statistics(book: Book, first: AtlasLayerRecord, second: AtlasLayerRecord) -> tuple[ComparedStatistic, ...]:
    """The statistics of both layers' live units, those that differ most foremost."""
    found = []
    for name, take in STATISTICS.items():
        one, other = (_live(book, layer, take(book.file.unit_statistics(layer.id))) for layer in (first, second))
        if len(one) and len(other):
            found.append(
                ComparedStatistic(
                    name=name,
                    share="standard deviations" not in name,
                    first=_spread(one),
                    second=_spread(other),
                    distance=distance(one, other),
                )
            )
    return tuple(sorted(found, key=lambda one: -one.distance))


def _live(book: Book, layer: AtlasLayerRecord, values: Float32[np.ndarray, " u"]) -> Float32[np.ndarray, " live"]:
    if not len(values):
        return values
    chosen = values[live(book.file.all_peaks(layer.id)) & np.isfinite(values)]
    return chosen.astype(np.float32)


def class_share(of: UnitStatistics) -> Float32[np.ndarray, " u"]:
    """How much one class stands out: the highest class mean over the sum of all, 0..1; nothing without classes."""
    means = np.maximum(of.class_means, 0)
    if not means.shape[1]:
        return np.zeros(0, np.float32)
    total = means.sum(1)
    return np.divide(means.max(1), total, out=np.zeros_like(total), where=total > 0)


def _spread(values: Float32[np.ndarray, " n"]) -> Spread:
    low, median, high = np.quantile(values.astype(np.float64), (0.25, 0.5, 0.75)).tolist()
    return Spread(low=low, median=median, high=high)


def distance(one: Float32[np.ndarray, " n"], other: Float32[np.ndarray, " m"]) -> float:
    """The greatest difference between the two empirical distribution functions, 0..1."""
    every = np.concatenate([one, other])
    shares = (np.searchsorted(np.sort(values), every, side="right") / len(values) for values in (one, other))
    return float(np.abs(np.subtract(*shares)).max())
