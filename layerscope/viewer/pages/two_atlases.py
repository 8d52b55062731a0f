"""One layer of two atlases, unit by unit: which unit of one goes with which of the other."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.changes.matching import correlations, greedy, shared_images
from layerscope.changes.sides import Side, differing_in, side_of
from layerscope.core.errors import UsageError, nearest
from layerscope.facts.layer import class_counts
from layerscope.facts.run import same_images
from layerscope.facts.standing import names_shown
from layerscope.viewer.addresses import SheetKey, layer_key
from layerscope.viewer.pages.query import Query, page_of
from layerscope.viewer.shelf import Book, Shelf

SHOWN = 48  # matched pairs on the page, and units of either atlas that are left over
MOST_UNITS = 4096  # of a layer that is matched
ORDERS = ("best", "worst")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedPair:
    """Two units. score: what they were matched by. shared: the share of their peaks' images in common, 0..1, None from
    different images. first_name, second_name: what they are called, or "". first_sheets, second_sheets: their tiles.
    first_spec, second_spec: how an address that sets them side by side names them."""

    first: int
    second: int
    score: float
    shared: float | None
    first_name: str
    second_name: str
    first_sheets: tuple[SheetKey, ...]
    second_sheets: tuple[SheetKey, ...]
    first_spec: str
    second_spec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftUnit:
    """A unit without a partner. name: what it is called, or ""."""

    unit: int
    name: str
    sheet: SheetKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Two layers. first_side, second_side: which atlas is which; differing: in what they differ. other:
    the second's short name. by: "class means", "shared images", or "" where the atlases have neither in common.
    matched: how many pairs; order: of them, a word of ORDERS; pairs: some of them in this order, behind `start` others;
    step: how many stand on a page. median: of all their scores. unmatched: how many units of either are left over;
    left, right: the first of these."""

    first: AtlasLayerRecord
    second: AtlasLayerRecord
    first_side: Side
    second_side: Side
    differing: tuple[str, ...]
    other: str
    by: str
    matched: int
    median: float | None
    order: str
    start: int
    pairs: tuple[MatchedPair, ...]
    unmatched: tuple[int, int]
    left: tuple[LeftUnit, ...]
    right: tuple[LeftUnit, ...]
    step: int = SHOWN


def other_atlas(book: Book, shelf: Shelf | None, slug: str) -> Book:
    """Another atlas on the shelf, by its short name. Raises UsageError, with the names that there are."""
    slugs = [one for one in (shelf.slugs if shelf else ()) if one != book.slug]
    if shelf is None or slug not in slugs:
        there = f"; there are {', '.join(slugs)}" if slugs else "; this is the only one that is shown"
        raise UsageError(f'there is no other atlas "{slug[:80]}" here{there}{nearest(slug, slugs)}')
    return shelf.book(slug)


def matched(book: Book, first: AtlasLayerRecord, other: Book, second: AtlasLayerRecord, query: Query) -> Matched:
    """The units of two layers, matched greedily: the highest score first, each unit once, scores above zero only.

    By the correlation of their class means where both atlases have the same classes; else by the share of their
    peaks' images in common where both have the same images. query: ?order=worst puts the lowest score first; &from=48.
    Raises UsageError for layers of very many units.
    """
    if max(first.record.units, second.record.units) > MOST_UNITS:
        raise UsageError(f"layers of more than {MOST_UNITS:,} units are not matched: choose another layer")
    order, asked = query.choice("order", ORDERS, "best"), query.one("from")
    by, scores, shared = _scores(book, first, other, second)
    pairs = greedy(scores, least=0.0)
    start = page_of(asked, len(pairs), SHOWN)
    named = [names_shown(where.file, layer) for where, layer in ((book, first), (other, second))]
    ordered = pairs if order == "best" else pairs[::-1]
    sides = side_of(book.file), side_of(other.file)
    taken = [{pair[side] for pair in pairs} for side in (0, 1)]
    return Matched(
        first=first,
        second=second,
        first_side=sides[0],
        second_side=sides[1],
        differing=differing_in(*sides),
        other=other.slug,
        by=by,
        matched=len(pairs),
        median=float(np.median([scores[pair] for pair in pairs])) if pairs else None,
        order=order,
        start=start,
        pairs=tuple(
            MatchedPair(
                first=one,
                second=two,
                score=float(scores[one, two]),
                shared=None if shared is None else float(shared[one, two]),
                first_name=named[0].get(one, ""),
                second_name=named[1].get(two, ""),
                first_sheets=_sheets(book, first, one),
                second_sheets=_sheets(other, second, two),
                first_spec=f"{layer_key(first)}:{one}",
                second_spec=f"{other.slug}/{layer_key(second)}:{two}",
            )
            for one, two in ordered[start : start + SHOWN]
        ),
        unmatched=(first.record.units - len(pairs), second.record.units - len(pairs)),
        left=_left(book, first, taken[0], named[0]),
        right=_left(other, second, taken[1], named[1]),
    )


def _sheets(book: Book, layer: AtlasLayerRecord, unit: int) -> tuple[SheetKey, ...]:
    found = (book.sheet(layer, unit, *each) for each in book.sheets(layer))
    return tuple(sheet for sheet in found if sheet is not None)


def _left(book: Book, layer: AtlasLayerRecord, taken: set[int], named: dict[int, str]) -> tuple[LeftUnit, ...]:
    free = [unit for unit in range(layer.record.units) if unit not in taken]
    return tuple(
        LeftUnit(unit=unit, name=named.get(unit, ""), sheet=book.sheet(layer, unit, "patches")) for unit in free[:SHOWN]
    )


def same_classes(book: Book, other: Book) -> bool:
    ours, theirs = (where.file.statistic("classes") for where in (book, other))
    return bool(ours) and ours == theirs


def _scores(
    book: Book, first: AtlasLayerRecord, other: Book, second: AtlasLayerRecord
) -> tuple[str, Float64[np.ndarray, "a b"], Float64[np.ndarray, "a b"] | None]:
    """By what the units are matched, how well each goes with each, and their images in common."""
    shared = (
        shared_images(book.file.all_peaks(first.id), other.file.all_peaks(second.id))
        if same_images(book.run, other.run)
        else None
    )
    if same_classes(book, other) and class_counts(book.file, first)[0] and class_counts(other.file, second)[0]:
        means = (book.file.unit_statistics(first.id).class_means, other.file.unit_statistics(second.id).class_means)
        return "class means", correlations(*means), shared
    if shared is not None:
        return "shared images", shared, shared
    return "", np.zeros((first.record.units, second.record.units)), None
