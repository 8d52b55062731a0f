"""What a notebook shows of an atlas, a layer and a unit: plain tables and stored pictures, readable unstyled."""

from collections.abc import Iterator

from layerscope.api import html
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.numbers import four_digits
from layerscope.facts.run import first_view
from layerscope.facts.wrapping import Reader

UNITS_SHOWN = 64
# Bytes of one stored picture that still leave room for the others of its page.
PICTURE_BYTES = 40_000


def _map_words(layer: AtlasLayerRecord) -> str:
    size = layer.record.map
    return "dense" if size is None else f"{size[0]} × {size[1]}"


def _field_words(layer: AtlasLayerRecord) -> str:
    field = layer.record.field
    return "whole picture" if field.sees_all else f"{field.rows.size} × {field.cols.size} px"


def atlas_html(file: Reader) -> str:
    """The run in a sentence, and a table of the layers."""
    state = "" if file.finished else " Its build is not finished."
    run, names = file.run, ("layer", "kind", "units", "map", "field", "tiles, px", "plate shows")
    head = (
        f"<p><b>{html.words(file.path.name)}</b>: {html.words(run.network)} over {html.words(run.images)}, "
        f"{run.k} peaks a unit.{state}</p><table>{html.table_row(names, 'th')}"
    )
    rows = (
        html.table_row(
            (
                *(layer.name, layer.record.kind, layer.record.units, _map_words(layer), _field_words(layer)),
                *(layer.tile or "", layer.method or "patches only"),
            )
        )
        for layer in file.layers
    )
    return html.page(head, rows, "</table>")


def _side(count: int) -> int:
    """The side of a picture in px, so that twice `count` of them fit on a page."""
    return 160 if count <= 12 else 112 if count <= 32 else 80


def layer_html(file: Reader, layer: AtlasLayerRecord) -> str:
    """The first units, each with its projections, where there are any, beside its patches."""
    count = min(layer.record.units, UNITS_SHOWN)
    shown = f"the first {count} of " if count < layer.record.units else ""
    view = first_view(file.run)
    method = layer.method
    what = f"{method} projections ({view} view) beside patches" if method else "patches"
    head = (
        f"<p><b>{html.words(layer.name)}</b>: {html.words(layer.record.kind)}, {shown}{layer.record.units} units, map "
        f"{_map_words(layer)}, field {_field_words(layer)}; {html.words(what)}, best first.</p><div>"
    )
    return html.page(head, (_unit_figure(file, layer, unit, view, _side(count)) for unit in range(count)), "</div>")


def _unit_figure(file: Reader, layer: AtlasLayerRecord, unit: int, view: str, side: int) -> str:
    stored = {"patches": file.encoded_sheet(layer.id, unit, "patches")}
    if layer.method:
        stored = {"projections": file.encoded_sheet(layer.id, unit, "projections", layer.method, view), **stored}
    pictures = [html.thumbnail(sheet, side, f"{kind} of unit {unit}") for kind, sheet in stored.items() if sheet]
    return f'<span style="display:inline-block">{unit}<br>{" ".join(pictures) or "no peaks"}&nbsp;</span> '


def unit_html(file: Reader, layer: AtlasLayerRecord, unit: int) -> str:
    """Patches and each method's projections as they are stored, and a table of the peaks."""
    peaks = file.peaks(layer.id, unit)
    found = (
        f"{len(peaks)} peaks, the highest {four_digits(peaks[0].value)}"
        if peaks
        else "no peaks: it was never above zero"
    )
    head = f"<p><b>{html.words(layer.name)}, unit {unit}</b>: {found}.</p>"
    return html.page(head, [*_unit_pictures(file, layer, unit), *_peak_table(file, layer, unit)])


def _unit_pictures(file: Reader, layer: AtlasLayerRecord, unit: int) -> Iterator[str]:
    view = first_view(file.run)
    sheets = {"patches": ("patches", "", "")} | {
        f"{method}, {view} view": ("projections", method, view) for method in file.run.methods
    }
    for title, key in sheets.items():
        stored = file.encoded_sheet(layer.id, unit, *key)
        if stored:
            picture = html.picture(stored, f"{title} of unit {unit}", PICTURE_BYTES)
            yield f'<span style="display:inline-block">{html.words(title)}<br>{picture}&nbsp;</span> '


def _peak_table(file: Reader, layer: AtlasLayerRecord, unit: int) -> Iterator[str]:
    peaks = file.peaks(layer.id, unit)
    if not peaks:
        return
    rows = [html.table_row(("rank", "value", "image", "label", "row", "col"), "th")]
    for peak in peaks[:UNITS_SHOWN]:
        image = file.image(peak.image)
        rows.append(
            html.table_row((peak.rank, four_digits(peak.value), image.source, image.label or "", peak.row, peak.col))
        )
    yield f"<table>{''.join(rows)}</table>"
