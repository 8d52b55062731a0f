"""A unit's page: of each of its peaks a column - picture, patch, projection - and how it behaves over all images."""

from dataclasses import dataclass

import numpy as np

from layerscope.atlas.codecs import shape_of_grid
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.atlas.retention import KeptByMarks
from layerscope.core.concepts import ConceptScore
from layerscope.core.labels import UnitLabels
from layerscope.core.uses import ClassUse
from layerscope.facts.known_as import favourites
from layerscope.facts.misfits import SeenMisfit, misfits_among
from layerscope.facts.peaks import SeenPeak, seen_peaks
from layerscope.facts.run import images_scanned, is_lossy
from layerscope.facts.standing import NameStanding, shown_at_peaks, standing_of
from layerscope.facts.unit import (
    ClassMean,
    UnitSummary,
    class_mean,
    concept_of,
    top_classes,
    unit_numbers,
)
from layerscope.figures import words
from layerscope.figures.gather import check_unit
from layerscope.figures.histogram import histogram
from layerscope.figures.tree import Chart
from layerscope.viewer.addresses import SheetKey, layer_key
from layerscope.viewer.pages.around import UnitsAround, units_around
from layerscope.viewer.pages.below import NearUnit, StratumRow, near_units, strata_rows
from layerscope.viewer.pages.methods import MethodTrust, ShownProjections, trust_of, ways_to_see
from layerscope.viewer.pages.parts import PartUnit, UnitParts, made_units, unit_parts
from layerscope.viewer.pages.query import Query
from layerscope.viewer.shelf import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPage:
    """All that stands on a unit's page.

    of_images: how many were scanned. k: peaks kept of each unit; columns, rows: of their sheets. dead: without a peak.
    patches: its sheet, None where the atlas shows only some units. guess: the concept that names it; standing: whether
    that name stands, None where nobody tried. at_peaks: what is drawn there, "" where that is not known. runners_up:
    further concepts that score, best first. labels: what labels of images say of it, None where they were not tried.
    most_for: classes that it fires most for. misfits: of its peaks' images those that do not fit their labels. made_of:
    None where the atlas does not know. makes: units of the nearest later layer. uses: classes that it speaks for and
    against, of `use_images` images. previous, next: units, as
    `around` says more of; layer_before, layer_after: by execution.
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
    most_for: tuple[str, ...]
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
    overall = class_mean(file, shown, number) if classes else None
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
        runners_up=concept.runners_up if concept else (),
        labels=next((one for one in file.labels(shown.id) if one.unit == number), None),
        most_for=favourites(file, shown, [number]).get(number, ()),
        misfits=misfits_among(file, [peak.image for peak in peaks]),
        notes=tuple(note.text for note in file.notes(shown.id) if note.unit == number),
        field=words.field_words(shown, file),
        ties=words.tie_words(file, shown, [number]) if peaks and peaks[0].value == peaks[-1].value else "",
        patches=book.sheet(shown, number, "patches"),
        looks=ways_to_see(book, shown, number, len(peaks)),
        trust=trust_of(file, shown),
        peaks=peaks,
        numbers=numbers,
        histogram=_histogram(statistics.histogram[number], peaks) if numbers else None,
        classes=classes,
        class_mean=overall,
        class_count=len(file.statistic("classes") or ()),
        peak_classes=tuple(
            (name, labels.count(name)) for name in sorted(dict.fromkeys(labels), key=lambda n: -labels.count(n))
        ),
        strata=strata_rows(book, shown, number),
        sampled=file.sampled(shown.id),
        near=near_units(book, shown, number),
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
