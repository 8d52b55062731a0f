"""A page for one unit: its peaks in their pictures, its patches and projections, and how it behaves over all images."""

from dataclasses import dataclass, replace

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord, Peak
from layerscope.core.geometry import Box
from layerscope.core.numbers import in_words, measured, number, percent
from layerscope.core.records import UnitStatistics
from layerscope.facts.boxes import on_picture
from layerscope.facts.places import place_of
from layerscope.facts.run import images_scanned
from layerscope.facts.unit import UnitSummary, class_mean, top_classes, unit_numbers
from layerscope.facts.wrapping import Reader
from layerscope.figures import words
from layerscope.figures.gather import BLANK_SIDE, check_unit, patches, projections
from layerscope.figures.histogram import histogram
from layerscope.figures.sheet import Sheet
from layerscope.figures.tree import MID_GRAY, Bar, Chart, Grid, Mark, Panel, Tile

MOST_PEAKS = 9  # columns of the page


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownOfUnit:
    """What of a unit's page is on screen. method, view: the projections that are seen, "" for all; peak: the one that
    is enlarged, from 0, None for all."""

    method: str = ""
    view: str = ""
    peak: int | None = None


def unit_page(file: Reader, layer: str, unit: int, seen: ShownOfUnit = ShownOfUnit()) -> Sheet:
    """All that the atlas knows of one unit, on one page; seen: or what of it is on screen.

    A column is a peak: the whole picture with the field (dashed) and the tiles' box, the patch, then the projections by
    every method and view. Below: the spread of the images' maxima with the peaks marked, the classes with the highest
    means beside their share of the images, and the unit's numbers.
    Raises UsageError for a layer or unit that the atlas does not hold.
    """
    shown = file.layer(layer)
    number = check_unit(shown, unit)
    statistics = file.unit_statistics(shown.id)
    peaks = file.peaks(shown.id, number)
    return Sheet(
        panels=_panels(file, shown, number, statistics, peaks, seen) if peaks else (),
        columns=2,
        title=f"Unit {number} of {shown.name} of {file.run.network}",
        caption=_caption(file, shown, number, statistics, peaks, seen),
        footer=words.footer(file),
        provenance=words.provenance(file, kind="unit", layer=shown.name, unit=number),
    )


def _panels(
    file: Reader, layer: AtlasLayerRecord, unit: int, statistics: UnitStatistics, peaks: tuple[Peak, ...],
    seen: ShownOfUnit,
) -> tuple[Panel, ...]:  # fmt: skip
    if seen.peak is not None:
        return (_one_peak_panel(file, layer, unit, peaks[seen.peak], seen),)
    return _peaks_panel(file, layer, unit, peaks, seen), *_charts(file, layer, unit, statistics, peaks)


def _peaks_panel(file: Reader, layer: AtlasLayerRecord, unit: int, peaks: tuple[Peak, ...], seen: ShownOfUnit) -> Panel:
    """One row of tiles for each way to look at the peaks."""
    columns = min(file.run.k, MOST_PEAKS)
    rows: list[tuple[str, tuple[Tile, ...]]] = [("picture", _whole_pictures(file, layer, peaks[:columns], columns))]
    rows.append(("patch", patches(file, layer, unit).tiles[:columns]))
    for method, view in _ways(file, layer, unit, seen):
        rows.append((f"{method}\n{view}", projections(file, layer, unit, method, view).tiles[:columns]))
    grid = Grid(
        tiles=tuple(tile for _, tiles in rows for tile in tiles),
        columns=columns,
        row_labels=tuple(label for label, _ in rows),
        spaced=True,
    )
    return Panel(parts=(grid,), span=2)


def _one_peak_panel(file: Reader, layer: AtlasLayerRecord, unit: int, peak: Peak, seen: ShownOfUnit) -> Panel:
    """One peak's tiles side by side, projections left and the picture right, as on screen."""
    tiles = [
        replace(projections(file, layer, unit, method, view).tiles[peak.rank], caption=f"{method}, {view}")
        for method, view in _ways(file, layer, unit, seen)
    ]
    tiles.append(replace(patches(file, layer, unit).tiles[peak.rank], caption="patch"))
    tiles.append(_whole_picture(file, layer, peak))
    return Panel(parts=(Grid(tiles=tuple(tiles), columns=len(tiles), spaced=True),), span=2)


def _ways(file: Reader, layer: AtlasLayerRecord, unit: int, seen: ShownOfUnit) -> list[tuple[str, str]]:
    """Of the methods and views that the unit has projections by, those that are seen."""
    return [
        (method, view)
        for method in file.run.methods if layer.method is not None and seen.method in ("", method)
        for view in file.run.views if seen.view in ("", view)
        if file.sheet(layer.id, unit, "projections", method, view) is not None
    ]  # fmt: skip


def _whole_pictures(file: Reader, layer: AtlasLayerRecord, peaks: tuple[Peak, ...], columns: int) -> tuple[Tile, ...]:
    """The small whole pictures with both boxes, each with value and class below; gray where there is none."""
    blank = np.full((BLANK_SIDE, BLANK_SIDE, 3), MID_GRAY, np.uint8)
    tiles = [_whole_picture(file, layer, peak) for peak in peaks]
    return tuple(tiles) + (Tile(picture=blank),) * (columns - len(tiles))


def _whole_picture(file: Reader, layer: AtlasLayerRecord, peak: Peak) -> Tile:
    picture, record = file.picture(peak.image), file.image(peak.image)
    caption = "\n".join([measured(peak.value), *([record.label] if record.label else [])])
    if picture is None:
        expected = file.run.input
        picture = np.full((expected.height, expected.width, 3), MID_GRAY, np.uint8)
        return Tile(picture=picture, caption=caption, note="not kept")
    if record.height is None or record.width is None:
        return Tile(picture=picture, caption=caption)
    scale = picture.shape[0] / record.height, picture.shape[1] / record.width
    return Tile(picture=picture, caption=caption, marks=_marks(file, layer, peak, scale))


def _marks(file: Reader, layer: AtlasLayerRecord, peak: Peak, scale: tuple[float, float]) -> tuple[Mark, ...]:
    """The field and the tiles' box in px of the small picture; of a unit without tiles the field alone. scale: px of
    the small picture per px of the source picture, along rows and columns."""
    found = on_picture(peak, scale)
    if found is not None:
        field, tile = found
        return Mark(box=field, dashed=True), Mark(box=tile)
    place = place_of(file, layer, peak, file.image(peak.image))
    return (Mark(box=_scaled(place.field, scale), dashed=True),) if place.field is not None else ()


def _scaled(box: Box, scale: tuple[float, float]) -> Box:
    rows, cols = scale
    return Box(top=round(box.top * rows), left=round(box.left * cols), bottom=round(box.bottom * rows),
               right=round(box.right * cols))  # fmt: skip


def _charts(
    file: Reader, layer: AtlasLayerRecord, unit: int, statistics: UnitStatistics, peaks: tuple[Peak, ...]
) -> list[Panel]:
    charts = []
    if statistics.histogram[unit : unit + 1].any():
        charts.append(histogram(statistics.histogram[unit], tuple(peak.value for peak in peaks)))
    classes = _classes(file, layer, unit, peaks)
    if classes is not None:
        charts.append(classes)
    return [Panel(parts=(chart,)) for chart in charts]


def _classes(file: Reader, layer: AtlasLayerRecord, unit: int, peaks: tuple[Peak, ...]) -> Chart | None:
    """The classes with the highest means, each with its share of the images and of the peaks; None without classes."""
    found = top_classes(file, layer, unit, [file.image(peak.image).label for peak in peaks])
    bars = []
    for place, one in enumerate(found):
        note = f"{measured(one.mean)}   {percent(one.share)} of images"
        note += f", {one.peaks} of {len(peaks)} peaks" if one.peaks else ""
        bars.append(Bar(place=place, value=one.mean, label=one.name, note=note))
    return (
        Chart(
            kind="bars",
            bars=tuple(bars),
            values="mean over a class's images of the maximum",
            reference=class_mean(file, layer, unit),
        )
        if found
        else None
    )


def _caption(
    file: Reader,
    layer: AtlasLayerRecord,
    unit: int,
    statistics: UnitStatistics,
    peaks: tuple[Peak, ...],
    seen: ShownOfUnit,
) -> str:
    shown = min(len(peaks), MOST_PEAKS)
    columns = f"Columns: the {in_words(shown)} highest peaks, best first"
    if seen.peak is not None:
        columns = f"Peak {seen.peak + 1} of {len(peaks)}"
    opening = (
        f"{columns}, with value{_and_class(file)}; "
        f"the picture shows the field (dashed, clipped at the border; {words.field_words(layer, file)}) and the tiles' "
        f"box{', each centred on the energy of its projection' if layer.method else ''}."
        if peaks
        else f"No peaks: {words.dead_words(images_scanned(statistics))}."
    )
    counted = unit_numbers(statistics, unit)
    numbers = _numbers(counted) if counted else ""
    below = "Triangles: the peaks." if peaks and seen.peak is None else ""
    if below and file.statistic("classes"):
        below += " Thin line across the classes: the mean over all labelled images."
    method = (seen.method or layer.method) if layer.method else None
    trust = words.trust_words(file, layer, method) if method and peaks else ""
    ties = words.tie_words(file, layer, [unit])
    sunken = words.below_zero_words(file, layer, [unit]) if trust else ""
    named, source = words.named_words(file, layer, unit), words.source_words(file, layer)
    own = words.rule_words([layer], method) if trust and method else ""
    return " ".join(part for part in (named, opening, numbers, below, ties, sunken, source, own, trust) if part)


def _numbers(found: UnitSummary) -> str:
    mean, std, maximum = map(number, (found.mean, found.std, found.maximum))
    images, positions = map(percent, (found.images_above, found.positions_above))
    return (
        f"Mean {mean}, standard deviation {std} (over the positions of every fourth batch), maximum {maximum}; "
        f"above zero in {images} of the images and at {positions} of the positions."
    )


def _and_class(file: Reader) -> str:
    return " and class" if file.statistic("classes") else ""
