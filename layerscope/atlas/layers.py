"""Layers as rows of an atlas, and back: what has no column of its own stands in the JSON of the field."""

import json
import sqlite3
from collections.abc import Sequence
from fractions import Fraction

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.atlas.rows import LAYER, MOST_UNITS, SqlRow, select, to_json
from layerscope.core.geometry import Field, Window
from layerscope.core.records import LayerRecord


def _window_json(window: Window) -> list[int | str]:
    return [value if isinstance(value, int) else str(value) for value in (window.size, window.step, window.start)]


def _window(values: Sequence[int | str]) -> Window:
    size, step, start = map(Fraction, values)
    return Window(size=size, step=step, start=start)


def layer_row(layer_id: int, layer: LayerRecord) -> SqlRow:
    field = {"rows": _window_json(layer.field.rows), "cols": _window_json(layer.field.cols), "note": layer.field.note}
    if layer.field.beyond:
        field["beyond"] = layer.field.beyond
    if layer.scan_only:
        field["scan_only"] = layer.scan_only
    if layer.part:
        field["part"] = layer.part
    if layer.own_rules:
        field["own_rules"] = layer.own_rules
    map_rows, map_cols = layer.map or (None, None)
    return (
        *(layer_id, layer.name, layer.path, layer.node, layer.kind, layer.units, map_rows, map_cols),
        *(to_json(field), to_json(layer.aliases), int(layer.auto), int(layer.rectified)),
    )


def read_layers(connection: sqlite3.Connection) -> tuple[AtlasLayerRecord, ...]:
    """All layers, in execution order."""
    rows = connection.execute(select("layer", f"{LAYER} tile method method_why", "ORDER BY id")).fetchall()
    return tuple(map(_layer, rows))


def _layer(row: SqlRow) -> AtlasLayerRecord:
    layer_id, name, path, node, kind, units, map_rows, map_cols, field, aliases, auto, rectified, *shown = row
    seen = json.loads(field)
    if not 0 < units <= MOST_UNITS or (map_rows is not None and not min(map_rows, map_cols) > 0):
        raise ValueError(f"a layer of {units} units with maps of {map_rows} x {map_cols}")
    record = LayerRecord(
        name=name,
        path=path,
        node=node,
        kind=kind,
        units=units,
        map=None if map_rows is None else (map_rows, map_cols),
        field=Field(
            rows=_window(seen["rows"]), cols=_window(seen["cols"]), note=seen["note"], beyond=seen.get("beyond", "")
        ),
        auto=bool(auto),
        aliases=tuple(json.loads(aliases)),
        rectified=bool(rectified),
        scan_only=seen.get("scan_only", ""),
        part=seen.get("part", ""),
        own_rules=tuple((method, op, word) for method, op, word in seen.get("own_rules", ())),
    )
    tile, method, why = shown
    return AtlasLayerRecord(id=layer_id, record=record, tile=tile, method=method, method_why=why)
