"""What units are made of and used for, as rows and back. Early atlases lack these tables: they have none."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence

from layerscope.atlas.rows import SqlRow, has_table, insert, select
from layerscope.core.shares import MadeOf, Makes, UnitShare
from layerscope.core.uses import ClassUse

MADE_OF = "layer unit earlier peaks units constants past rest"
SHARE = "layer unit earlier rank other share spread row col"
USED_FOR = "layer unit rank output name amount images"
PUT_MADE_OF = insert("made_of", MADE_OF, key="layer unit earlier")
PUT_SHARE = insert("share", SHARE, key="layer unit earlier rank")


def made_of_rows(layer_id: int, found: Mapping[int, MadeOf]) -> Iterator[SqlRow]:
    """A row for each earlier layer. found: by its id."""
    for earlier, one in found.items():
        yield layer_id, one.unit, earlier, one.peaks, one.units, one.constants, one.past, one.rest


def share_rows(layer_id: int, found: Mapping[int, MadeOf]) -> Iterator[SqlRow]:
    """A row for each unit of an earlier layer."""
    for earlier, one in found.items():
        for rank, part in enumerate(one.strongest):
            yield layer_id, one.unit, earlier, rank, part.unit, part.share, part.spread, part.row, part.col


def read_made_of(connection: sqlite3.Connection, layer_id: int, unit: int) -> tuple[MadeOf, ...]:
    """What a unit is made of, as each earlier layer sees it, the nearest first."""
    if not has_table(connection, "made_of"):
        return ()
    names = dict(connection.execute("SELECT id, name FROM layer").fetchall())
    where = "WHERE layer = ? AND unit = ? ORDER BY earlier DESC"
    shares = dict[int, list[UnitShare]]()
    for earlier, other, share, spread, row, col in connection.execute(
        select("share", "earlier other share spread row col", f"{where}, rank"), (layer_id, unit)
    ).fetchall():
        part = UnitShare(unit=other, share=share, spread=spread, row=row, col=col)
        shares.setdefault(earlier, []).append(part)
    return tuple(
        MadeOf(
            layer=names[layer_id], unit=unit, earlier=names[earlier], peaks=peaks, units=units, constants=constants,
            past=past, rest=rest, strongest=tuple(shares.get(earlier, ())),
        )
        for earlier, peaks, units, constants, past, rest in connection.execute(
            select("made_of", "earlier peaks units constants past rest", where), (layer_id, unit)
        ).fetchall()
    )  # fmt: skip


def read_makes(connection: sqlite3.Connection, layer_id: int, unit: int) -> tuple[Makes, ...]:
    """Of which later units a unit is among the strongest parts; by layer, the highest share first."""
    if not has_table(connection, "share"):
        return ()
    query = (
        "SELECT layer.name, unit, share FROM share JOIN layer ON layer.id = share.layer "
        "WHERE earlier = ? AND other = ? ORDER BY share.layer, share DESC, unit"
    )
    found = connection.execute(query, (layer_id, unit)).fetchall()
    return tuple(Makes(layer=layer, unit=later, share=share) for layer, later, share in found)


def used_for_rows(layer_id: int, found: Iterable[tuple[int, Sequence[ClassUse]]]) -> Iterator[SqlRow]:
    """A row for each class of each unit."""
    for unit, uses in found:
        for rank, one in enumerate(uses):
            yield layer_id, unit, rank, one.output, one.name, one.amount, one.images


def read_used_for(connection: sqlite3.Connection, layer_id: int, unit: int) -> tuple[ClassUse, ...]:
    """The classes that a unit speaks for, the most first, then those that it speaks against."""
    if not has_table(connection, "used_for"):
        return ()
    query = select("used_for", "output name amount images", "WHERE layer = ? AND unit = ? ORDER BY rank")
    return tuple(
        ClassUse(output=output, name=name, amount=amount, images=images)
        for output, name, amount, images in connection.execute(query, (layer_id, unit)).fetchall()
    )


def statements(layer_id: int, found: Mapping[int, MadeOf]) -> Iterable[tuple[str, Iterator[SqlRow]]]:
    """What stores one unit's parts: a statement and its rows, for each table."""
    return (PUT_MADE_OF, made_of_rows(layer_id, found)), (PUT_SHARE, share_rows(layer_id, found))
