"""What became of units when concepts were taken out and shown alone, as rows and back. Early atlases lack them."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, astuple
from typing import Any

from layerscope.atlas.rows import MOST_UNITS, SqlRow, has_table, select, statistic
from layerscope.core.concepts import (
    Intervention,
    Interventions,
    LayerInterventions,
    NamesThatStand,
    Necessity,
    Sufficiency,
    UnitInterventions,
)

INTERVENTION, KIND = "intervention", "peak_kind"
_TAKEN = "gone gone_low gone_high control pictures more untied gone_p"
_ALONE = "reached reached_low reached_high drawn rival rival_reached reached_p"
COLUMNS = f"layer unit rank concept level part {_TAKEN} {_ALONE}"
KINDS = "layer unit kind peaks"
_TAKEN_COUNT, _ALONE_COUNT = len(_TAKEN.split()), len(_ALONE.split())


def intervention_rows(layer_id: int, units: Iterable[UnitInterventions]) -> Iterator[SqlRow]:
    """The rows of one layer's units: a concept each; NULL for what could not be judged."""
    for unit in units:
        for rank, one in enumerate(unit.tried):
            taken = astuple(one.necessity) if one.necessity else (None,) * _TAKEN_COUNT
            alone = astuple(one.sufficiency) if one.sufficiency else (None,) * _ALONE_COUNT
            yield (layer_id, unit.unit, rank, one.concept, one.level, one.part, *taken, *alone)


def kind_rows(layer_id: int, units: Iterable[UnitInterventions]) -> Iterator[SqlRow]:
    """What is drawn at the units' peaks."""
    return ((layer_id, unit.unit, kind, peaks) for unit in units for kind, peaks in unit.kinds)


def layer_data(found: Interventions, layer: LayerInterventions) -> dict[str, Any]:
    """How a layer's names stand and how that was measured, as plain values."""
    return {
        "standing": asdict(layer.standing),
        "baselines": {name: asdict(one) for name, one in layer.baselines.items()},
        "pictures": found.pictures,
        "drawn": found.drawn,
        "settings": dict(found.settings),
        "fixed": dict(found.fixed),
        "absent": list(found.absent),
    }


def read_interventions(connection: sqlite3.Connection) -> Interventions | None:
    """The interventions on all layers that have some; None before the first."""
    if not has_table(connection, INTERVENTION):
        return None
    layers, first = [], None
    for layer_id, name in connection.execute("SELECT id, name FROM layer ORDER BY id").fetchall():
        plain = statistic(connection, INTERVENTION, layer_id, None)
        if plain is None:
            continue
        first = first or plain
        standing = NamesThatStand(**plain["standing"])
        baselines = {key: NamesThatStand(**value) for key, value in plain["baselines"].items()}
        units = _units(connection, layer_id, standing.units)
        layers.append(LayerInterventions(layer=name, units=units, standing=standing, baselines=baselines))
    if first is None:
        return None
    about = {name: first[name] for name in ("pictures", "drawn", "settings", "fixed")}
    return Interventions(layers=tuple(layers), **about, absent=tuple(first["absent"]))


def _units(connection: sqlite3.Connection, layer_id: int, count: int) -> tuple[UnitInterventions, ...]:
    if not 0 <= count <= MOST_UNITS:
        raise ValueError(f"interventions on {count} units")
    tried: dict[int, list[Intervention]] = defaultdict(list)
    query = select(INTERVENTION, COLUMNS.removeprefix("layer "), "WHERE layer = ? ORDER BY unit, rank")
    for unit, _, concept, level, part, *numbers in connection.execute(query, (layer_id,)).fetchall():
        tried[unit].append(_one(concept, level, part, numbers[:_TAKEN_COUNT], numbers[_TAKEN_COUNT:]))
    kinds: dict[int, list[tuple[str, int]]] = defaultdict(list)
    query = select(KIND, "unit kind peaks", "WHERE layer = ? ORDER BY unit, peaks DESC, kind")
    for unit, kind, peaks in connection.execute(query, (layer_id,)).fetchall():
        kinds[unit].append((kind, peaks))
    return tuple(
        UnitInterventions(unit=unit, tried=tuple(tried[unit]), kinds=tuple(kinds[unit])) for unit in range(count)
    )


def _one(concept: str, level: int, part: str, taken: list[Any], alone: list[Any]) -> Intervention:
    names = ("gone", "low", "high", "control", "pictures", "more", "untied", "p")
    necessity = None if taken[0] is None else Necessity(**dict(zip(names, taken, strict=True)))
    names = ("reached", "low", "high", "pictures", "rival", "rival_reached", "p")
    sufficiency = None if alone[0] is None else Sufficiency(**dict(zip(names, alone, strict=True)))
    return Intervention(concept=concept, level=level, part=part, necessity=necessity, sufficiency=sufficiency)
