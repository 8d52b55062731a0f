"""One layer of two atlases, unit by unit: which unit of one goes with which of the other."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.errors import UsageError
from layerscope.facts.layer import class_counts
from layerscope.facts.run import same_images
from layerscope.facts.standing import names_shown
from layerscope.viewer.addresses import SheetKey
from layerscope.facts.matching import correlations, greedy, shared_images
from layerscope.viewer.shelf import Book

SHOWN = 48  # matched pairs on the page
MOST_UNITS = 4096  # of a layer that is matched


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedPair:
    """Two units. score: what they were matched by. shared: the share of their peaks' images in common, 0..1, None from
    different images. first_name, second_name: their guesses, or ""."""

    first: int
    second: int
    score: float
    shared: float | None
    first_name: str
    second_name: str
    first_sheet: SheetKey | None
    second_sheet: SheetKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Two layers. other: the second atlas's short name. by: "class means", "shared images", or "" where the atlases
    have neither in common. matched: how many pairs; pairs: the best of them. median: of all their scores. unmatched:
    units of either that are left over."""

    first: AtlasLayerRecord
    second: AtlasLayerRecord
    first_network: str
    second_network: str
    other: str
    by: str
    matched: int
    median: float | None
    pairs: tuple[MatchedPair, ...]
    unmatched: tuple[int, int]


def matched(book: Book, first: AtlasLayerRecord, other: Book, second: AtlasLayerRecord) -> Matched:
    """The units of two layers, matched greedily: the highest score first, each unit once, scores above zero only.

    By the correlation of their class means where both atlases have the same classes; else by the share of their
    peaks' images in common where both have the same images. Raises UsageError for layers of very many units.
    """
    if max(first.record.units, second.record.units) > MOST_UNITS:
        raise UsageError(f"layers of more than {MOST_UNITS:,} units are not matched: choose another layer")
    by, scores, shared = _scores(book, first, other, second)
    pairs = greedy(scores, least=0.0)
    named = [names_shown(where.file, layer) for where, layer in ((book, first), (other, second))]
    return Matched(
        first=first,
        second=second,
        first_network=book.run.network,
        second_network=other.run.network,
        other=other.slug,
        by=by,
        matched=len(pairs),
        median=float(np.median([scores[pair] for pair in pairs])) if pairs else None,
        pairs=tuple(
            MatchedPair(
                first=one,
                second=two,
                score=float(scores[one, two]),
                shared=None if shared is None else float(shared[one, two]),
                first_name=named[0].get(one, ""),
                second_name=named[1].get(two, ""),
                first_sheet=book.sheet(first, one, "patches"),
                second_sheet=other.sheet(second, two, "patches"),
            )
            for one, two in pairs[:SHOWN]
        ),
        unmatched=(first.record.units - len(pairs), second.record.units - len(pairs)),
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
