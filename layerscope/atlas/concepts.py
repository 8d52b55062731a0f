"""What units detect, as rows and back: concepts, notes, and a layer's figures as JSON."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any

from layerscope.atlas.rows import MOST_UNITS, SqlRow, has_table, select, statistic
from layerscope.core.concepts import (
    MEASURES,
    ConceptScore,
    Dissection,
    Figures,
    LayerDissection,
    LayerFigures,
    Note,
    UnitConcept,
)

CONCEPT = "layer unit measure rank concept level score iou frequency named"
NOTE = "layer unit kind text"
DISSECTION = "dissection"


def concept_rows(layer_id: int, units: Iterable[UnitConcept]) -> Iterator[SqlRow]:
    """The rows of one layer's units: what they rank highest, and what Bau's measure names them."""
    for unit in units:
        for rank, one in enumerate(unit.ranked):
            yield _concept_row((layer_id, unit.unit, MEASURES[0], rank), one, named=rank == 0 and unit.best is not None)
        if unit.bau is not None:
            yield _concept_row((layer_id, unit.unit, MEASURES[1], 0), unit.bau, named=True)


def _concept_row(key: SqlRow, one: ConceptScore, *, named: bool) -> SqlRow:
    return (*key, one.concept, one.level, one.score, one.iou, one.frequency, int(named))


def read_concepts(connection: sqlite3.Connection, layer_id: int) -> tuple[UnitConcept, ...]:
    """One record for every unit of the layer; none at all where it was not dissected."""
    plain = statistic(connection, DISSECTION, layer_id, None)
    if plain is None:
        return ()
    columns = "unit measure named concept level score iou frequency"
    query = select("concept", columns, "WHERE layer = ? ORDER BY unit, measure, rank")
    found = {
        unit: _unit(unit, list(rows))
        for unit, rows in groupby(connection.execute(query, (layer_id,)).fetchall(), key=lambda row: row[0])
    }
    units = plain["figures"]["units"]
    if not 0 <= units <= MOST_UNITS:
        raise ValueError(f"a dissection of {units} units")
    return tuple(found.get(unit, UnitConcept(unit=unit)) for unit in range(units))


def _unit(unit: int, rows: list[SqlRow]) -> UnitConcept:
    names = ("concept", "level", "score", "iou", "frequency")
    by_measure: dict[str, list[ConceptScore]] = {measure: [] for measure in MEASURES}
    for row in rows:
        by_measure[row[1]].append(ConceptScore(**dict(zip(names, row[3:], strict=True))))
    ranked, bau = (tuple(by_measure[measure]) for measure in MEASURES)
    named = any(row[2] for row in rows if row[1] == MEASURES[0])
    return UnitConcept(unit=unit, ranked=ranked, best=ranked[0] if named else None, bau=bau[0] if bau else None)


def read_notes(connection: sqlite3.Connection, layer_id: int) -> tuple[Note, ...]:
    """What is said of the layer's units, by unit and kind."""
    if not has_table(connection, "note"):
        return ()
    query = (
        "SELECT layer.name, unit, note.kind, text FROM note JOIN layer ON layer.id = note.layer "
        "WHERE note.layer = ? ORDER BY unit, note.kind"
    )
    found = connection.execute(query, (layer_id,)).fetchall()
    return tuple(Note(layer=layer, unit=unit, kind=kind, text=text) for layer, unit, kind, text in found)


def layer_data(dissection: Dissection, layer: LayerDissection) -> dict[str, Any]:
    """A layer's figures and how they were measured, as plain values."""
    return {
        "figures": asdict(layer.figures),
        "bau": asdict(layer.bau),
        "baselines": {name: asdict(measured) for name, measured in layer.baselines.items()},
        "images": dissection.images,
        "settings": dict(dissection.settings),
        "left_out": list(dissection.left_out),
    }


def read_dissection(connection: sqlite3.Connection) -> Dissection | None:
    """The dissection of all layers that have one; None before the first."""
    layers, first = [], None
    for layer_id, name in connection.execute("SELECT id, name FROM layer ORDER BY id").fetchall():
        plain = statistic(connection, DISSECTION, layer_id, None)
        if plain is None:
            continue
        first = first or plain
        layers.append(
            LayerDissection(
                layer=name,
                units=read_concepts(connection, layer_id),
                figures=_figures(plain["figures"]),
                bau=_figures(plain["bau"]),
                baselines={key: _measured(value) for key, value in plain["baselines"].items()},
            )
        )
    if first is None:
        return None
    about = {name: first[name] for name in ("images", "settings")}
    return Dissection(layers=tuple(layers), **about, left_out=tuple(first["left_out"]))


def _figures(plain: Mapping[str, Any]) -> Figures:
    levels = {int(level): count for level, count in plain["levels"].items()}
    return Figures(**{**plain, "levels": dict(sorted(levels.items()))})


def _measured(plain: Mapping[str, Any]) -> LayerFigures:
    return LayerFigures(figures=_figures(plain["figures"]), bau=_figures(plain["bau"]))
