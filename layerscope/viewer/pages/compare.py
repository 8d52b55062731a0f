"""Side by side: two to four units, two layers, or one layer of two atlases with its units matched."""

import re
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from layerscope.atlas.codecs import shape_of_grid
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.changes.matching import correlations
from layerscope.changes.sides import Side, side_of
from layerscope.core.errors import UsageError
from layerscope.facts.layer import class_counts
from layerscope.facts.peaks import SeenPeak, seen_peaks
from layerscope.facts.run import images_scanned, same_images
from layerscope.facts.standing import at_peaks
from layerscope.facts.unit import ClassMean, UnitSummary, concept_of, top_classes, unit_numbers
from layerscope.figures.gather import check_unit
from layerscope.viewer.addresses import SheetKey, layer_key
from layerscope.viewer.pages.query import Query
from layerscope.viewer.pages.two_atlases import Matched, matched, other_atlas, same_classes
from layerscope.viewer.pages.two_layers import ComparedLayer, ComparedStatistic, compared_layer, compared_statistics
from layerscope.viewer.shelf import Book, Shelf

MOST = 4  # units side by side


class UnitPlace(NamedTuple):
    """A unit of some atlas."""

    book: Book
    layer: AtlasLayerRecord
    unit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedUnit:
    """A unit in its column. spec: how the address names it. slug: of its atlas; side: which one that is. name: its
    closest concept, or "", and its score. dissected: whether its layer was. at_peaks: what its peaks show where that is
    doubtful. of_images: how many were scanned."""

    spec: str
    slug: str
    side: Side
    layer: AtlasLayerRecord
    unit: int
    columns: int
    rows: int
    name: str
    score: float | None
    dissected: bool
    at_peaks: str
    of_images: int
    patches: SheetKey | None
    projections: SheetKey | None
    numbers: UnitSummary | None
    classes: tuple[ClassMean, ...]
    peaks: tuple[SeenPeak, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPair:
    """What two units have in common. first, second: their columns, from 0. shared: images among the peaks of both, None
    from different image sets; of: the fewer peaks that either has. correlation: of their class means, -1..1, None
    without the same classes."""

    first: int
    second: int
    shared: int | None
    of: int
    correlation: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLayer:
    """A layer that an address may name. sheets: of its first unit with tiles, the patches and its own projections."""

    layer: AtlasLayerRecord
    key: str
    example: int | None
    sheets: tuple[SheetKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePage:
    """One of the three comparisons, all of them empty where the address asks for none. known: what can be named.
    columns: of a sheet. others: further atlases that are shown. of_two: the units are of more than one atlas."""

    units: tuple[ComparedUnit, ...] = ()
    pairs: tuple[UnitPair, ...] = ()
    layers: tuple[ComparedLayer, ...] = ()
    statistics: tuple[ComparedStatistic, ...] = ()
    matched: Matched | None = None
    known: tuple[KnownLayer, ...] = ()
    columns: int = 3
    others: tuple[str, ...] = ()
    of_two: bool = False


def facts(book: Book, query: Query, *, shelf: Shelf | None = None) -> ComparePage:
    """What the address asks to compare: ?u=layer:unit (up to four), ?l=layer&l=layer, or ?a=atlas&l=layer.

    A unit of another atlas on the shelf is ?u=atlas/layer:unit. The two atlases' layers have one name, or are named
    both. Raises UsageError for what does not exist.
    """
    units, layers = ([one for one in query.all(name) if one.strip()] for name in ("u", "l"))
    about = {
        "known": tuple(_known(book, layer) for layer in book.layers),
        "columns": shape_of_grid(book.run.k)[1],
        "others": tuple(slug for slug in (shelf.slugs if shelf else ()) if slug != book.slug),
    }
    if units:
        if len(units) > MOST:
            raise UsageError(f"at most {MOST} units stand side by side, this address names {len(units)}")
        places = [_place(book, shelf, spec) for spec in units]
        columns = tuple(_unit(place, spec.strip()) for place, spec in zip(places, units, strict=True))
        of_two = len({place.book.slug for place in places}) > 1
        return ComparePage(units=columns, pairs=_pairs(places), of_two=of_two, **about)
    if query.one("a"):
        return ComparePage(matched=_atlases(book, shelf, query, layers), **about)
    if layers:
        if len(layers) != 2:
            raise UsageError(f"two layers stand side by side, this address names {len(layers)}")
        first, second = (book.layer(name) for name in layers)
        columns = (compared_layer(book, first), compared_layer(book, second))
        return ComparePage(layers=columns, statistics=compared_statistics(book, first, second), **about)
    return ComparePage(**about)


def _known(book: Book, layer: AtlasLayerRecord) -> KnownLayer:
    units = range(layer.record.units if layer.tile is not None else 0)
    example = next((unit for unit in units if book.sheet(layer, unit, "patches") is not None), None)
    found = () if example is None else (book.sheet(layer, example, "patches"), book.own_projections(layer, example))
    sheets = tuple(sheet for sheet in found if sheet is not None)
    return KnownLayer(layer=layer, key=layer_key(layer), example=example, sheets=sheets)


def _place(book: Book, shelf: Shelf | None, spec: str) -> UnitPlace:
    """The unit that "layer:unit" or "atlas/layer:unit" names."""
    name, colon, unit = spec.strip().rpartition(":")
    if not colon or not re.fullmatch(r"\d{1,9}", unit):
        raise UsageError(f'"{spec[:80]}" names no unit: write the layer, a colon and a number, as in conv1:17')
    slug, slash, rest = name.partition("/")
    if slash and shelf is not None and slug in shelf.slugs:
        book, name = shelf.book(slug), rest
    layer = book.layer(name)
    return UnitPlace(book, layer, check_unit(layer, int(unit)))


def _unit(place: UnitPlace, spec: str) -> ComparedUnit:
    book, layer, unit = place
    peaks, statistics = seen_peaks(book.file, layer, unit), book.file.unit_statistics(layer.id)
    concept = concept_of(book.file.concepts(layer.id), unit)
    best = concept.best if concept else None
    rows, columns = shape_of_grid(book.run.k)
    return ComparedUnit(
        spec=spec,
        slug=book.slug,
        side=side_of(book.file),
        layer=layer,
        unit=unit,
        columns=columns,
        rows=rows,
        name=best.concept if best else "",
        score=best.score if best else None,
        dissected=concept is not None,
        at_peaks=at_peaks(book.file, layer).get(unit, ""),
        of_images=images_scanned(statistics),
        patches=book.sheet(layer, unit, "patches"),
        projections=book.own_projections(layer, unit),
        numbers=unit_numbers(statistics, unit),
        classes=top_classes(book.file, layer, unit, [peak.label for peak in peaks])[:3],
        peaks=peaks,
    )


def _pairs(places: list[UnitPlace]) -> tuple[UnitPair, ...]:
    return tuple(_pair(places, *pair) for pair in combinations(range(len(places)), 2))


def _pair(places: list[UnitPlace], first: int, second: int) -> UnitPair:
    one, other = places[first], places[second]
    images = [{peak.image for peak in place.book.file.peaks(place.layer.id, place.unit)} for place in (one, other)]
    same = one.book is other.book or same_images(one.book.run, other.book.run)
    return UnitPair(
        first=first,
        second=second,
        shared=len(images[0] & images[1]) if same else None,
        of=min(map(len, images)),
        correlation=_correlation(one, other),
    )


def _correlation(one: UnitPlace, other: UnitPlace) -> float | None:
    """Of the two units' class means; None where they have not the same classes."""
    if not same_classes(one.book, other.book) or not all(
        class_counts(place.book.file, place.layer)[0] for place in (one, other)
    ):
        return None
    rows = [
        place.book.file.unit_statistics(place.layer.id).class_means[place.unit : place.unit + 1]
        for place in (one, other)
    ]
    return float(correlations(*rows)[0, 0]) if all(map(len, rows)) else None


def _atlases(book: Book, shelf: Shelf | None, query: Query, layers: list[str]) -> Matched:
    other = other_atlas(book, shelf, query.one("a"))
    if not 1 <= len(layers) <= 2:
        raise UsageError("name the layer of both atlases to compare, or one layer of each: &l=layer")
    return matched(book, book.layer(layers[0]), other, other.layer(layers[-1]), query)
