"""A unit's page: its nine patches, its projections beside them, and how it behaves over all images."""

from dataclasses import dataclass

import numpy as np

from layerscope.atlas.codecs import shape_of_grid
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.atlas.retention import KeptByMarks
from layerscope.core.concepts import ConceptScore
from layerscope.core.labels import UnitLabels
from layerscope.core.strata import NEAR_DUPLICATE, PERCENTILES
from layerscope.core.uses import ClassUse
from layerscope.facts.misfits import SeenMisfit, misfits_among
from layerscope.facts.peaks import SeenPeak, seen_peaks
from layerscope.facts.run import images_scanned, is_lossy
from layerscope.facts.standing import NameStanding, names_shown, shown_at_peaks, standing_of
from layerscope.facts.unit import ClassMean, UnitSummary, class_mean, concept_of, top_classes, unit_numbers
from layerscope.figures import words
from layerscope.figures.gather import check_unit
from layerscope.figures.histogram import histogram
from layerscope.figures.tree import Chart
from layerscope.viewer.addresses import SheetKey, layer_key
from layerscope.viewer.pages.around import UnitsAround, units_around
from layerscope.viewer.pages.parts import PartUnit, UnitParts, made_units, unit_parts
from layerscope.viewer.pages.query import Query
from layerscope.viewer.shelf import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownProjections:
    """One way to see the unit's projections. own: the layer's own method in the first view, which is shown first.

    empty: the ranks whose tiles hold no signal.
    """

    sheet: SheetKey
    own: bool
    empty: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodTrust:
    """What a method's projections are worth here, measured, and the sentences on it. kept: the mean retention; None
    where it was not measured."""

    method: str
    specificity: float | None
    kept: float | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumTile:
    """A patch of the strata's sheet. rank: its column there. shown: its place is known."""

    rank: int
    value: float
    image: int
    label: str | None
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumRow:
    percentile: int
    row: int
    tiles: tuple[StratumTile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearUnit:
    """Another unit of the layer whose image maxima go with this one's. duplicate: nearly the same. name: its guess, or
    "". sheet: its patches."""

    unit: int
    correlation: float
    duplicate: bool
    name: str
    sheet: SheetKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPage:
    """All that stands on a unit's page.

    of_images: how many were scanned. k: peaks kept of each unit; columns, rows: of their sheets. dead: without a peak.
    patches: its sheet, None where the atlas shows only some units. guess: the concept that names it; standing: whether
    that name stands, None where nobody tried. at_peaks: what is drawn there, "" where that is not known. runners_up:
    further concepts that score, best first. labels: what labels of images say of it, None where they were not tried.
    misfits: of its peaks' images those that do not fit their labels. made_of: None where the atlas does not know.
    makes: units of the nearest later layer. uses: classes that it speaks for and against, of `use_images` images.
    previous, next: units, as `around` says more of; layer_before, layer_after: by execution.
    """

    layer: AtlasLayerRecord
    key: str
    unit: int
    network: str
    images: str
    of_images: int
    k: int
    columns: int
    rows: int
    lossy: bool
    dead: bool
    dissected: bool
    guess: ConceptScore | None
    standing: NameStanding | None
    at_peaks: str
    runners_up: tuple[ConceptScore, ...]
    labels: UnitLabels | None
    misfits: tuple[SeenMisfit, ...]
    notes: tuple[str, ...]
    field: str
    ties: str
    patches: SheetKey | None
    looks: tuple[ShownProjections, ...]
    trust: tuple[MethodTrust, ...]
    peaks: tuple[SeenPeak, ...]
    numbers: UnitSummary | None
    histogram: Chart | None
    classes: tuple[ClassMean, ...]
    class_mean: float | None
    class_count: int
    peak_classes: tuple[tuple[str, int], ...]
    strata: tuple[StratumRow, ...]
    sampled: int | None
    near: tuple[NearUnit, ...]
    kept: tuple[KeptByMarks, ...]
    made_of: UnitParts | None
    makes: tuple[PartUnit, ...]
    uses: tuple[ClassUse, ...]
    use_images: int
    previous: int | None
    next: int | None
    around: UnitsAround
    layer_before: AtlasLayerRecord | None
    layer_after: AtlasLayerRecord | None


def facts(book: Book, query: Query, *, layer: str, unit: int) -> UnitPage:
    """A unit's page. Raises UsageError for a layer or unit that the atlas does not hold."""
    shown = book.layer(layer)
    number = check_unit(shown, unit)
    file, run = book.file, book.run
    peaks = seen_peaks(file, shown, number)
    statistics = file.unit_statistics(shown.id)
    numbers = unit_numbers(statistics, number)
    concept = concept_of(file.concepts(shown.id), number)
    best = concept.best if concept else None
    rows, columns = shape_of_grid(run.k)
    before, after = _layers_beside(book, shown)
    around = units_around(book, shown, number, query)
    labels = [peak.label for peak in peaks if peak.label is not None]
    classes = top_classes(file, shown, number, labels)
    return UnitPage(
        layer=shown,
        key=layer_key(shown),
        unit=number,
        network=run.network,
        images=run.images,
        of_images=images_scanned(statistics),
        k=run.k,
        columns=columns,
        rows=rows,
        lossy=is_lossy(run),
        dead=numbers is not None and not peaks,
        dissected=concept is not None,
        guess=best,
        standing=standing_of(file, shown.name, number, best),
        at_peaks=shown_at_peaks(file, shown.name, number),
        runners_up=tuple(one for one in concept.ranked if one != best) if concept else (),
        labels=next((one for one in file.labels(shown.id) if one.unit == number), None),
        misfits=misfits_among(file, [peak.image for peak in peaks]),
        notes=tuple(note.text for note in file.notes(shown.id) if note.unit == number),
        field=words.field_words(shown, file),
        ties=words.tie_words(file, shown, [number]) if peaks and peaks[0].value == peaks[-1].value else "",
        patches=book.sheet(shown, number, "patches"),
        looks=_looks(book, shown, number, len(peaks)),
        trust=_trust(book, shown),
        peaks=peaks,
        numbers=numbers,
        histogram=_histogram(statistics.histogram[number], peaks) if numbers else None,
        classes=classes,
        class_mean=class_mean(file, shown, number) if classes else None,
        class_count=len(file.statistic("classes") or ()),
        peak_classes=tuple(
            (name, labels.count(name)) for name in sorted(dict.fromkeys(labels), key=lambda n: -labels.count(n))
        ),
        strata=_strata(book, shown, number),
        sampled=file.sampled(shown.id),
        near=_near(book, shown, number),
        kept=file.kept_by(shown.id, number),
        made_of=unit_parts(book, shown, number),
        makes=made_units(book, shown, number),
        uses=file.used_for(shown.id, number),
        use_images=(file.statistic("use") or {}).get("images", 0),
        previous=around.previous,
        next=around.next,
        around=around,
        layer_before=before,
        layer_after=after,
    )


def _histogram(counts: np.ndarray, peaks: tuple[SeenPeak, ...]) -> Chart | None:
    return histogram(counts, tuple(peak.value for peak in peaks)) if counts.any() else None


def _layers_beside(book: Book, layer: AtlasLayerRecord) -> tuple[AtlasLayerRecord | None, AtlasLayerRecord | None]:
    ids = [one.id for one in book.layers]
    place = ids.index(layer.id)
    before = book.layers[place - 1] if place else None
    return before, book.layers[place + 1] if place + 1 < len(ids) else None


def _looks(book: Book, layer: AtlasLayerRecord, unit: int, peaks: int) -> tuple[ShownProjections, ...]:
    """The unit's projections, those by the layer's own method in the run's first view foremost."""
    run = book.run
    ways = [(method, view) for method in run.methods for view in run.views]
    ways.sort(key=lambda way: way[0] != layer.method)
    found = []
    for method, view in ways:
        scales = book.file.scales(layer.id, unit, "projections", method, view)
        if scales is not None:
            key = SheetKey(layer=layer.id, unit=unit, kind="projections", method=method, view=view)
            empty = tuple(int(rank) for rank in np.flatnonzero(scales[:peaks] == 0))
            found.append(ShownProjections(sheet=key, own=not found, empty=empty))
    return tuple(found)


def _trust(book: Book, layer: AtlasLayerRecord) -> tuple[MethodTrust, ...]:
    if layer.method is None:
        return ()
    return tuple(
        MethodTrust(
            method=method,
            specificity=found.median if found else None,
            kept=kept.own.mean if kept else None,
            sentence=f"{words.rule_words([layer], method)} {words.trust_words(book.file, layer, method)}".strip(),
        )
        for method in book.run.methods
        for found, kept in [(book.file.specificity(layer.id, method), book.file.retention(layer.id, method))]
    )


def _strata(book: Book, layer: AtlasLayerRecord, unit: int) -> tuple[StratumRow, ...]:
    found = book.file.strata(layer.id, unit)
    labels = {one.image: book.file.image(one.image).label for one in found}
    return tuple(
        StratumRow(
            percentile=percentile,
            row=row,
            tiles=tuple(
                StratumTile(
                    rank=one.rank,
                    value=one.value,
                    image=one.image,
                    label=labels[one.image],
                    shown=one.source_box is not None,
                )
                for one in found
                if one.percentile == percentile
            ),
        )
        for row, percentile in enumerate(PERCENTILES)
        if any(one.percentile == percentile for one in found)
    )


def _near(book: Book, layer: AtlasLayerRecord, unit: int) -> tuple[NearUnit, ...]:
    found = [one for one in book.file.neighbours(layer.id) if one.unit == unit]
    named = names_shown(book.file, layer) if found else {}
    return tuple(
        NearUnit(
            unit=one.other,
            correlation=one.correlation,
            duplicate=one.correlation >= NEAR_DUPLICATE,
            name=named.get(one.other, ""),
            sheet=book.sheet(layer, one.other, "patches"),
        )
        for one in found
    )
