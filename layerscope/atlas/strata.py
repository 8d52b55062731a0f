"""Strata and neighbours as rows and back. Early atlases lack these tables: they have none."""

import sqlite3
from collections.abc import Iterator, Sequence

import numpy as np

from layerscope.atlas.records import Neighbour, Stratum
from layerscope.atlas.rows import BOX, MOST_UNITS, SqlRow, columns, has_table, read_box, select, to_json
from layerscope.core.strata import PERCENTILES, Neighbours, Strata

KEY = "layer unit percentile rank"
STRATUM = f"{KEY} value image row col"
NEIGHBOUR = "layer unit rank other correlation"
SAMPLE = "sample"

Key = tuple[int, int, int, int]
# A row of strata that has no boxes yet: its key, its image, and its row and column in the layer's map.
StratumPlace = tuple[Key, int, int, int]


def stratum_rows(layer_id: int, strata: Strata) -> Iterator[SqlRow]:
    """The rows of all units of a layer; empty places make none."""
    unit, percentile, rank = places = np.nonzero(strata.image >= 0)
    values = (array[places] for array in (strata.value, strata.image, strata.row, strata.col))
    return columns(layer_id, unit, np.array(PERCENTILES)[percentile], rank, *values)


def neighbour_rows(layer_id: int, neighbours: Neighbours) -> Iterator[SqlRow]:
    """The rows of all units of a layer; empty places make none."""
    unit, rank = places = np.nonzero(neighbours.other >= 0)
    return columns(layer_id, unit, rank, neighbours.other[places], neighbours.correlation[places])


def read_strata(connection: sqlite3.Connection, layer_id: int, unit: int) -> tuple[Stratum, ...]:
    """A unit's strata, the highest percentile first."""
    if not has_table(connection, "stratum"):
        return ()
    names = ("percentile", "rank", "value", "image", "row", "col")
    boxes = [f"{box}_{edge}" for box in ("tile", "source") for edge in BOX.split()]
    rest = "WHERE layer = ? AND unit = ? ORDER BY percentile DESC, rank"
    query = select("stratum", " ".join((*names, *boxes)), rest)
    return tuple(
        Stratum(**dict(zip(names, row[:6], strict=True)), tile_box=read_box(row[6:10]), source_box=read_box(row[10:14]))
        for row in connection.execute(query, (layer_id, unit)).fetchall()
    )


_STRATUM = "unit percentile rank value image row col"
_OF_ALL = np.dtype([(name, "f8" if name == "value" else "i8") for name in _STRATUM.split()])


def read_all_strata(connection: sqlite3.Connection, layer_id: int, units: int) -> Strata:
    """The strata of all units of a layer; none in early atlases."""
    if units > MOST_UNITS:
        raise ValueError(f"{units} units")
    found = Strata.empty(units)
    if has_table(connection, "stratum"):
        query = select("stratum", _STRATUM, "WHERE layer = ?")
        rows = np.fromiter(connection.execute(query, (layer_id,)), _OF_ALL)
        index = {percentile: place for place, percentile in enumerate(PERCENTILES)}
        at = (rows["unit"], np.array([index[one] for one in rows["percentile"].tolist()], np.int64), rows["rank"])
        for name in ("value", "image", "row", "col"):
            getattr(found, name)[at] = rows[name]
    return found


def read_neighbours(connection: sqlite3.Connection, layer_id: int) -> tuple[Neighbour, ...]:
    """The neighbours of all units of a layer, by unit and rank."""
    if not has_table(connection, "neighbour"):
        return ()
    query = select("neighbour", "unit rank other correlation", "WHERE layer = ? ORDER BY unit, rank")
    return tuple(
        Neighbour(unit=unit, rank=rank, other=other, correlation=correlation)
        for unit, rank, other, correlation in connection.execute(query, (layer_id,)).fetchall()
    )


def sampled(connection: sqlite3.Connection, layer_id: int | None) -> int | None:
    """How many images one layer's sample holds, or the smallest of all layers' samples; None where there is none."""
    query = "SELECT min(json_extract(value, '$.images')) FROM statistic WHERE name = ? AND (? IS NULL OR layer = ?)"
    return connection.execute(query, (SAMPLE, layer_id, layer_id)).fetchone()[0]


def images_to_place(connection: sqlite3.Connection, tiles_known: bool) -> list[int]:
    """The images, in order, with strata that have no boxes yet; only in layers whose tiles are known, or in all."""
    known = " AND tile IS NOT NULL" if tiles_known else ""
    rest = f"JOIN layer ON layer.id = layer WHERE tile_top IS NULL{known} ORDER BY image"
    return [image for (image,) in connection.execute(f"SELECT DISTINCT image FROM stratum {rest}")]


def to_place(connection: sqlite3.Connection, images: Sequence[int]) -> list[StratumPlace]:
    """The strata of these images that have no boxes yet, in layers whose tiles are known."""
    among = "image IN (SELECT value FROM json_each(?)) AND tile_top IS NULL AND tile IS NOT NULL"
    query = select("stratum", f"{KEY} image row col", f"JOIN layer ON layer.id = layer WHERE {among}")
    found = connection.execute(query, (to_json(list(images)),)).fetchall()
    return [((layer, unit, percentile, rank), *place) for layer, unit, percentile, rank, *place in found]


def without_picture(connection: sqlite3.Connection, images: Sequence[int]) -> list[int]:
    """Those of these images, in order, that have no small picture."""
    query = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT image FROM picture) ORDER BY value"
    return [image for (image,) in connection.execute(query, (to_json(list(images)),))]
