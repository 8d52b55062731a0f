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
CATEGORY = "layer unit measure rank category"
CATEGORIES = "concept_category"
NOTE = "layer unit kind text"
DISSECTION = "dissection"


def concept_rows(layer_id: int, units: Iterable[UnitConcept]) -> Iterator[SqlRow]:
    """The rows of one layer's units: what they rank highest, and what Bau's measure names them."""
    for (*key, rank), one, named in _scores(units):
        # A concept of photographs has no level.
        yield (layer_id, *key, rank, one.concept, one.level or 0, one.score, one.iou, one.frequency, int(named))


def category_rows(layer_id: int, units: Iterable[UnitConcept]) -> Iterator[SqlRow]:
    """The categories of those that have one."""
    return ((layer_id, *key, one.category) for key, one, _ in _scores(units) if one.category)


def _scores(units: Iterable[UnitConcept]) -> Iterator[tuple[SqlRow, ConceptScore, bool]]:
    """Every score of every unit: unit, measure and rank; the score; and whether it names the unit."""
    for unit in units:
        for rank, one in enumerate(unit.ranked):
            yield (unit.unit, MEASURES[0], rank), one, rank == 0 and unit.best is not None
        if unit.bau is not None:
            yield (unit.unit, MEASURES[1], 0), unit.bau, True


def read_concepts(connection: sqlite3.Connection, layer_id: int) -> tuple[UnitConcept, ...]:
    """One record for every unit of the layer; none at all where it was not dissected."""
    plain = statistic(connection, DISSECTION, layer_id, None)
    if plain is None:
        return ()
    columns = "unit measure rank named concept level score iou frequency"
    query = select("concept", columns, "WHERE layer = ? ORDER BY unit, measure, rank")
    categories = _categories(connection, layer_id)
    found = {
        unit: _unit(unit, list(rows), categories)
        for unit, rows in groupby(connection.execute(query, (layer_id,)).fetchall(), key=lambda row: row[0])
    }
    units = plain["figures"]["units"]
    if not 0 <= units <= MOST_UNITS:
        raise ValueError(f"a dissection of {units} units")
    return tuple(found.get(unit, UnitConcept(unit=unit)) for unit in range(units))


def _categories(connection: sqlite3.Connection, layer_id: int) -> dict[SqlRow, str]:
    """By unit, measure and rank, of those that have one; early atlases have none."""
    if not has_table(connection, CATEGORIES):
        return {}
    query = select(CATEGORIES, "unit measure rank category", "WHERE layer = ?")
    return {tuple(key): category for *key, category in connection.execute(query, (layer_id,)).fetchall()}


def _unit(unit: int, rows: list[SqlRow], categories: Mapping[SqlRow, str]) -> UnitConcept:
    by_measure: dict[str, list[ConceptScore]] = {measure: [] for measure in MEASURES}
    for _, measure, rank, _, concept, level, score, iou, frequency in rows:
        by_measure[measure].append(
            ConceptScore(
                concept=concept, level=level or None, category=categories.get((unit, measure, rank), ""), score=score,
                iou=iou, frequency=frequency,
            )
        )  # fmt: skip
    ranked, bau = (tuple(by_measure[measure]) for measure in MEASURES)
    named = any(row[3] for row in rows if row[1] == MEASURES[0])
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
