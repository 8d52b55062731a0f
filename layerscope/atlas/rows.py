"""Records as rows and rows as records: the one place that knows how each is spelled in the tables."""

import json
import re
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

import numpy as np

from layerscope.atlas.records import EdgeRecord, NodeRecord, Peak, RunRecord
from layerscope.core.geometry import Box, Field, Window
from layerscope.core.records import ImageRecord, Input, Peaks, UnitStatistics

SqlRow = tuple[Any, ...]

# What kind of JSON a statistic is, by its name.
MEASURED: dict[str, type] = {
    **dict.fromkeys(("classes", "class_counts", "colour", "spectrum"), list),
    **dict.fromkeys(("specificity", "retention", "sample", "dissection", "intervention", "labels", "misfits"), dict),
    **dict.fromkeys(("replay", "shares", "use", "words"), dict),
    **dict.fromkeys(("images", "pictures"), int),
}

# More than any atlas holds: of units in a layer, of peaks in a layer, and of bytes in one packed array. A file from a
# stranger may claim any number, and memory is taken by what it claims.
MOST_UNITS, MOST_PEAKS, MOST_BYTES = 1 << 20, 1 << 25, 1 << 27


def to_json(value: Any) -> str:
    """Compact JSON with sorted keys, so that equal values are equal bytes; NumPy values become lists and numbers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=lambda v: v.tolist())


def pack(array: np.ndarray, dtype: str) -> bytes:
    """An array as zlib-compressed little-endian bytes."""
    return zlib.compress(np.ascontiguousarray(array, dtype).tobytes())


def unpack(data: bytes, dtype: str) -> np.ndarray:
    """The values that `pack` packed, flat. Raises ValueError for more than MOST_BYTES of them."""
    opened = zlib.decompressobj()
    values = opened.decompress(data, MOST_BYTES)
    if not opened.eof:
        raise ValueError("packed values that are cut, or too many")
    return np.frombuffer(values, dtype)


def insert(table: str, columns: str, *, key: str = "") -> str:
    """An INSERT of these columns; with a key, a row that has the same one is updated in place and keeps its id."""
    names = columns.split()
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    if not key:
        return statement
    rest = [name for name in names if name not in key.split()]
    updates = ", ".join(f"{name} = excluded.{name}" for name in rest)
    return f"{statement} ON CONFLICT ({', '.join(key.split())}) DO UPDATE SET {updates}"


RUN = "network images k methods views input settings fingerprint versions started finished"
NODE = "id name op module shape args"
EDGE = "node position source"
LAYER = "id name path node kind units map_rows map_cols field aliases auto rectified"
IMAGE = "id source sha256 size height width label skipped duplicate_of"
UNIT = "layer unit mean std maximum images_above positions_above histogram class_means"
BOX = "top left bottom right"
PEAK = "layer unit rank value image row col " + " ".join(f"field_{edge}" for edge in BOX.split())
SET_BOXES = ", ".join(f"{box}_{edge} = ?" for box in ("tile", "source") for edge in BOX.split())
SHEET = "layer unit kind method view scales codec pixels"
SIGNAL = "layer unit rank method top left shape scale pixels"


def select(table: str, columns: str, rest: str = "") -> str:
    """A SELECT of these columns."""
    return f"SELECT {', '.join(columns.split())} FROM {table} {rest}"


def run_row(run: RunRecord) -> SqlRow:
    plain = (run.methods, run.views, asdict(run.input), run.settings, run.fingerprint, run.versions)
    return (run.network, run.images, run.k, *map(to_json, plain), run.started, run.finished)


def _input(plain: dict[str, Any]) -> Input:
    lists: dict[str, Any] = {name: tuple(value) for name, value in plain.items() if isinstance(value, list)}
    return Input(**(plain | lists))


def read_run(connection: sqlite3.Connection) -> RunRecord | None:
    """The latest run, or None before the first."""
    row = connection.execute(select("run", RUN, "ORDER BY id DESC LIMIT 1")).fetchone()
    if row is None:
        return None
    network, images, k, *plain, started, finished = row
    methods, views, expected, settings, fingerprint, versions = map(json.loads, plain)
    return RunRecord(
        network=network,
        images=images,
        k=k,
        methods=tuple(methods),
        views=tuple(views),
        input=_input(expected),
        settings=settings,
        fingerprint=fingerprint,
        versions=versions,
        started=started,
        finished=finished,
    )


def node_row(node: NodeRecord) -> SqlRow:
    return node.id, node.name, node.op, node.module, to_json(node.shape), to_json(_told(node.args))


def _told(value: Any) -> Any:
    """An argument of a call as JSON can tell it: what max pooling is padded with (minus infinity) in words."""
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _told(part) for name, part in value.items()}
    return [_told(part) for part in value] if isinstance(value, list | tuple) else value


def read_nodes(connection: sqlite3.Connection) -> tuple[NodeRecord, ...]:
    rows = connection.execute(select("node", NODE, "ORDER BY id")).fetchall()
    return tuple(
        NodeRecord(id=i, name=name, op=op, module=module, shape=tuple(json.loads(shape)), args=json.loads(args))
        for i, name, op, module, shape, args in rows
    )


def read_edges(connection: sqlite3.Connection) -> tuple[EdgeRecord, ...]:
    rows = connection.execute(select("edge", EDGE, "ORDER BY node, position")).fetchall()
    return tuple(EdgeRecord(node=node, position=position, source=source) for node, position, source in rows)


def image_row(image: ImageRecord) -> SqlRow:
    return tuple(getattr(image, name) for name in IMAGE.split())


def read_images(connection: sqlite3.Connection, rest: str = "ORDER BY id", values: SqlRow = ()) -> list[ImageRecord]:
    rows = connection.execute(select("image", IMAGE, rest), values).fetchall()
    return [ImageRecord(**dict(zip(IMAGE.split(), row, strict=True))) for row in rows]


def read_images_named(connection: sqlite3.Connection, text: str, most: int) -> list[ImageRecord]:
    """The images whose source or label holds a text, those with a small picture first."""
    pictures = "(SELECT image FROM picture)"
    pattern = "%" + re.sub("([!%_])", r"!\1", text) + "%"
    found: list[ImageRecord] = []
    for pictured in ("id IN", "id NOT IN"):
        query = f"WHERE (source LIKE ? ESCAPE '!' OR label LIKE ? ESCAPE '!') AND {pictured} {pictures}"
        found += read_images(connection, f"{query} ORDER BY id LIMIT ?", (pattern, pattern, most - len(found)))
    return found


def box_row(box: Box) -> SqlRow:
    return box.top, box.left, box.bottom, box.right


def read_box(edges: SqlRow) -> Box | None:
    """The box of four edges; None where they are NULL."""
    if edges[0] is None:
        return None
    return Box(top=edges[0], left=edges[1], bottom=edges[2], right=edges[3])


_PEAK_COLUMNS = "rank value image row col " + " ".join(
    f"{box}_{edge}" for box in ("field", "tile", "source") for edge in BOX.split()
)


def read_peaks(connection: sqlite3.Connection, layer_id: int, unit: int) -> tuple[Peak, ...]:
    """A unit's peaks, best first."""
    query = select("peak", _PEAK_COLUMNS, "WHERE layer = ? AND unit = ? ORDER BY rank")
    return tuple(map(_peak, connection.execute(query, (layer_id, unit)).fetchall()))


def read_peaks_in(connection: sqlite3.Connection, image: int) -> tuple[tuple[int, int, Peak], ...]:
    """The peaks in an image, by the index peak_by_image, each with its layer and unit."""
    query = select("peak", f"layer unit {_PEAK_COLUMNS}", "WHERE image = ? ORDER BY layer, rank, unit")
    return tuple((row[0], row[1], _peak(row[2:])) for row in connection.execute(query, (image,)).fetchall())


def _peak(row: SqlRow) -> Peak:
    field_box = read_box(row[5:9])
    assert field_box is not None
    return Peak(
        rank=row[0],
        value=row[1],
        image=row[2],
        row=row[3],
        col=row[4],
        box=field_box,
        tile_box=read_box(row[9:13]),
        source_box=read_box(row[13:17]),
    )


def columns(layer_id: int, *arrays: np.ndarray) -> Iterator[SqlRow]:
    """The rows of a layer, of one array for each column behind the layer's id."""
    # Flat lists of numbers: the garbage collector would go through a list for each row again and again.
    return zip(*(array.tolist() for array in (np.full(len(arrays[0]), layer_id), *arrays)), strict=True)


def unit_rows(layer_id: int, units: UnitStatistics) -> Iterator[SqlRow]:
    """The rows of what the scan counted for every unit of a layer."""
    numbers = (units.mean, units.std, units.maximum, units.images_above, units.positions_above)
    unlabelled = None if units.class_means.size else pack(units.class_means, "<f4")
    for scalars, counts, means in zip(
        columns(layer_id, np.arange(len(units.mean)), *numbers), units.histogram, units.class_means, strict=True
    ):
        yield (*scalars, pack(counts, "<i8"), pack(means, "<f4") if unlabelled is None else unlabelled)


def statistics_of(found: Sequence[SqlRow]) -> UnitStatistics:
    """What the rows of a layer's units say. Raises ValueError where they do not fit one another."""
    if [row[1] for row in found] != list(range(len(found))):
        raise ValueError("units that are missing or twice there")
    numbers = np.array([row[2:7] for row in found], np.float32).reshape(len(found), 5)
    mean, std, maximum, images_above, positions_above = np.ascontiguousarray(numbers.T)
    counts = [unpack(row[7], "<i8") for row in found]
    means = [unpack(row[8], "<f4") for row in found]
    return UnitStatistics(
        mean=mean,
        std=std,
        maximum=maximum,
        images_above=images_above,
        positions_above=positions_above,
        histogram=np.array(counts, np.int64).reshape(len(found), len(counts[0]) if found else 0),
        class_means=np.array(means, np.float32).reshape(len(found), len(means[0]) if found else 0),
    )


def peak_rows(layer_id: int, peaks: Peaks, field: Field) -> Iterator[SqlRow]:
    """The rows of a layer's peaks with their receptive fields; empty places make none."""
    unit, rank = np.nonzero(peaks.image >= 0)
    value, image, row, col = (array[unit, rank] for array in (peaks.value, peaks.image, peaks.row, peaks.col))
    (top, bottom), (left, right) = _spans(field.rows, row), _spans(field.cols, col)
    return columns(layer_id, unit, rank, value, image, row, col, top, left, bottom, right)


def _spans(window: Window, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the spans of these places along one axis begin and end; places are few, peaks are many."""
    found, which = np.unique(places, return_inverse=True)
    low, high = np.array([window.span(place) for place in found.tolist()], np.int64).reshape(-1, 2).T
    return low[which], high[which]


_FOUND = np.dtype([("unit", "i8"), ("rank", "i8"), ("value", "f8"), ("image", "i8"), ("row", "i8"), ("col", "i8")])


def peaks_of(connection: sqlite3.Connection, layer_id: int, k: int, units: int) -> Peaks:
    """The peaks of all units of a layer; empty places hold -inf and image -1."""
    query = f"SELECT {', '.join(_FOUND.names or ())} FROM peak WHERE layer = ?"
    if units * k > MOST_PEAKS:
        raise ValueError(f"{units} units with {k} peaks each")
    found = np.fromiter(connection.execute(query, (layer_id,)), _FOUND)
    peaks = Peaks.empty(units, k)
    for name in ("value", "image", "row", "col"):
        getattr(peaks, name)[found["unit"], found["rank"]] = found[name]
    return peaks


def tile_boxes(connection: sqlite3.Connection, layer_id: int) -> dict[tuple[int, int], Box]:
    """The boxes of a layer's tiles by (unit, rank), in input px, of the peaks that have one."""
    columns = " ".join(f"tile_{edge}" for edge in BOX.split())
    query = select("peak", f"unit rank {columns}", "WHERE layer = ? AND tile_top IS NOT NULL")
    found = connection.execute(query, (layer_id,)).fetchall()
    return {
        (unit, rank): Box(top=top, left=left, bottom=bottom, right=right)
        for unit, rank, top, left, bottom, right in found
    }


def statistic(connection: sqlite3.Connection, name: str, layer_id: int | None, method: str | None) -> Any:
    """What was measured under a name, as plain lists and numbers; None if it was not."""
    query = "SELECT value FROM statistic WHERE name = ? AND layer IS ? AND method IS ?"
    row = connection.execute(query, (name, layer_id, method)).fetchone()
    if row is None:
        return None
    value = json.loads(row[0])
    if not isinstance(value, MEASURED.get(name, object)):
        raise ValueError(f"the statistic {name} is a {type(value).__name__}")
    return value


def has_table(connection: sqlite3.Connection, table: str) -> bool:
    """Whether the atlas has this table: early ones lack some."""
    query = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"
    return connection.execute(query, (table,)).fetchone() is not None
