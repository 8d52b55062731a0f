"""What a notebook shows of what users hold, atlas, layer, unit and network: plain tables and stored pictures."""

from collections.abc import Iterator, Sequence

from layerscope.api import html
from layerscope.api.inputs import input_text
from layerscope.api.sentences import unit_sentences
from layerscope.atlas.codecs import shape_of_grid, size
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.geometry import Field
from layerscope.core.numbers import counted, four_digits
from layerscope.core.records import Input, LayerRecord
from layerscope.facts.known_as import known_as, naming_concepts
from layerscope.facts.run import first_view
from layerscope.facts.standing import names_shown
from layerscope.facts.wrapping import Reader

UNITS_SHOWN = 64
# Bytes of one stored picture that still leave room for the others of its page.
PICTURE_BYTES = 40_000
# A tile of a unit's own page is at least so wide, px, as long as the picture of all its tiles is no wider than that.
TILE_SIDE, SHEET_SIDE = 72, 432
CONCEPTS = 3


def _map_words(size: tuple[int, int] | None) -> str:
    """The rows and columns of a map; a dense layer has none."""
    return "dense" if size is None else f"{size[0]} × {size[1]}"


def _field_words(field: Field) -> str:
    return "whole picture" if field.sees_all else f"{field.rows.size} × {field.cols.size} px"


def atlas_html(file: Reader) -> str:
    """The run in a sentence, and a table of the layers, with what names their units where that is known."""
    state = "" if file.finished else " Its build is not finished."
    run, names = file.run, ("layer", "kind", "units", "map", "field", "tiles, px", "plate shows")
    named = [_concepts(file, layer) for layer in file.layers]
    names = (*names, "most units are named") if any(named) else names
    head = (
        f"<p><b>{html.words(file.path.name)}</b>: {html.words(run.network)} over {html.words(run.images)}, "
        f"{run.k} peaks a unit.{state}</p><table>{html.table_row(names, 'th')}"
    )
    rows: list[str] = []
    for layer, concepts in zip(file.layers, named, strict=True):
        record = layer.record
        sizes = (record.units, _map_words(record.map), _field_words(record.field), layer.tile or "")
        cells = (layer.name, record.kind, *sizes, layer.method or "patches only")
        rows.append(html.table_row((*cells, concepts) if any(named) else cells))
    return html.page(head, rows, "</table>")


def _concepts(file: Reader, layer: AtlasLayerRecord) -> str:
    return ", ".join(f"{one.words} {one.units}" for one in naming_concepts(file, layer)[:CONCEPTS])


def _side(count: int) -> int:
    """The side of a picture in px, so that twice `count` of them fit on a page."""
    return 160 if count <= 12 else 112 if count <= 32 else 80


def layer_html(file: Reader, layer: AtlasLayerRecord) -> str:
    """The first units, each with its projections, where there are any, beside its patches."""
    count = min(layer.record.units, UNITS_SHOWN)
    shown = f"the first {count} of " if count < layer.record.units else ""
    view = first_view(file.run)
    record, method = layer.record, layer.method
    what = f"{method} projections ({view} view) beside patches" if method else "patches"
    head = (
        f"<p><b>{html.words(layer.name)}</b>: {html.words(record.kind)}, {shown}{record.units} units, map "
        f"{_map_words(record.map)}, field {_field_words(record.field)}; {html.words(what)}, best first.</p><div>"
    )
    said, side = names_shown(file, layer), _side(count)
    parts = (_unit_figure(file, layer, unit, view, side, said.get(unit, "")) for unit in range(count))
    return html.page(head, parts, "</div>")


def _unit_figure(file: Reader, layer: AtlasLayerRecord, unit: int, view: str, side: int, said: str) -> str:
    stored = {"patches": file.encoded_sheet(layer.id, unit, "patches")}
    if layer.method:
        stored = {"projections": file.encoded_sheet(layer.id, unit, "projections", layer.method, view), **stored}
    pictures = [html.thumbnail(sheet, side, f"{kind} of unit {unit}") for kind, sheet in stored.items() if sheet]
    head = f"{unit} {html.words(said)}".strip()
    return f'<span style="display:inline-block">{head}<br>{" ".join(pictures) or "no peaks"}&nbsp;</span> '


def unit_html(file: Reader, layer: AtlasLayerRecord, unit: int) -> str:
    """What names the unit, each method's projections and the patches, large enough to be seen, and its peaks."""
    peaks = file.peaks(layer.id, unit)
    found = (
        f"{counted(len(peaks), 'peak')}, the highest {four_digits(peaks[0].value)}"
        if peaks
        else "no peaks: it was never above zero"
    )
    few = known_as(file, layer, [unit]).get(unit, "")
    named = f", <b>{html.words(few)}</b>" if few else ""
    head = f"<p><b>{html.words(layer.name)}, unit {unit}</b>{named}: {found}.</p>"
    said = (f"<p>{html.words(sentence, html.SENTENCE)}</p>" for sentence in unit_sentences(file, layer, unit))
    return html.page(head, [*said, *_unit_pictures(file, layer, unit), *_peak_table(file, layer, unit)])


def unit_sheets(file: Reader, layer: AtlasLayerRecord) -> dict[str, tuple[str, str, str]]:
    """The pictures of tiles that a unit of the layer may have, by title: kind, method and view.

    Projections by the layer's own method stand left of the patches, as in a plate; other methods behind them.
    """
    view = first_view(file.run)
    methods = [name for name in file.run.methods if layer.method]
    methods.sort(key=lambda name: name != layer.method)
    ways = {f"{method}, {view} view": ("projections", method, view) for method in methods}
    titles = list(ways)
    return {
        **{title: ways[title] for title in titles[:1]},
        "patches": ("patches", "", ""),
        **{title: ways[title] for title in titles[1:]},
    }


def _unit_pictures(file: Reader, layer: AtlasLayerRecord, unit: int) -> Iterator[str]:
    fair = min(shape_of_grid(file.run.k)[1] * TILE_SIDE, SHEET_SIDE)
    for title, key in unit_sheets(file, layer).items():
        stored = file.encoded_sheet(layer.id, unit, *key)
        if stored:
            width = size(stored.pixels, stored.codec)[1]
            picture = html.picture(stored, f"{title} of unit {unit}", PICTURE_BYTES, fair if width < fair else None)
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


def network_html(name: str, expected: Input, layers: Sequence[LayerRecord], said: str) -> str:
    """What a network expects, what came of its replay, and a table of its layers, those of "auto" with a star."""
    head = (
        f"<p><b>{html.words(name)}</b> expects {html.words(input_text(expected))}; {counted(len(layers), 'layer')}, * "
        f"chosen by auto.{f' {html.words(said, html.SENTENCE)}.' if said else ''}</p>"
        f"<table>{html.table_row(('', 'layer', 'kind', 'units', 'map', 'field'), 'th')}"
    )
    rows = (
        html.table_row(
            (
                *("*" if layer.auto else "", layer.name, layer.kind, layer.units),
                *(_map_words(layer.map), _field_words(layer.field)),
            )
        )
        for layer in layers
    )
    return html.page(head, rows, "</table>")
