"""What labels say of units, and units of labels, as rows and back. Atlases without these tables have none of it."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from layerscope.atlas.questions import Questions
from layerscope.atlas.rows import MOST_UNITS, SqlRow, has_table, insert, select, statistic
from layerscope.atlas.transactions import Transactions
from layerscope.core.labels import (
    LABEL_FORM,
    LabelDissection,
    LabelScore,
    LayerLabels,
    Misfit,
    Misfits,
    UnitLabels,
)

LABEL = "layer unit rank form label level auc z p images named"
MISFIT = "rank image label other score own others"
LABELS, MISFITS = "labels", "misfits"
_SCORE = "form label level auc z p images"


class LabelQuestions(Questions):
    """What an atlas file can be asked of labels."""

    def labels(self, layer_id: int) -> tuple[UnitLabels, ...]:
        """What labels say of every unit of a layer; empty where they were not tried on it."""
        return self._ask(read_labels, layer_id)

    def misfits(self) -> Misfits | None:
        """The images that do not fit their labels, of those that were labelled last; None where nobody looked."""
        return self._ask(read_misfits)

    def misfit_images(self) -> tuple[int | None, ...]:
        """Of each of the misfits, in their order, the atlas's image of the same bytes; None where it holds none."""
        return self._ask(read_misfit_images)


class LabelWriting(Transactions):
    """How an atlas's writer puts labels."""

    def put_labels(self, layer_id: int, units: Iterable[UnitLabels]) -> None:
        """What labels say of the layer's units, in place of what stood there."""
        self.replace_rows("label", LABEL, layer_id, label_rows(layer_id, units))

    def images_of_bytes(self, hashes: Iterable[str]) -> dict[str, int]:
        """By SHA-256 the first image of these bytes, where there is one."""
        wanted = set(hashes)
        every = self._connection.execute("SELECT sha256, id FROM image ORDER BY id DESC")
        return {sha256: image for sha256, image in every if sha256 in wanted}

    def put_misfits(self, images: Iterable[Misfit]) -> None:
        """The images that do not fit their labels, in place of those that stood there."""
        with self.transaction():
            self._put("DELETE FROM misfit", [()])
            self._put(insert("misfit", MISFIT), misfit_rows(images))


def label_rows(layer_id: int, units: Iterable[UnitLabels]) -> Iterator[SqlRow]:
    """The rows of one layer's units: a compound that names one, and what it ranks highest."""
    for unit in units:
        best = unit.best
        every = unit.ranked if best is None or best in unit.ranked else (best, *unit.ranked)
        for rank, one in enumerate(every):
            scores = (getattr(one, name) for name in _SCORE.split())
            yield (layer_id, unit.unit, rank, *scores, int(one == best))


def misfit_rows(images: Iterable[Misfit]) -> Iterator[SqlRow]:
    """The rows of images that do not fit their labels."""
    for rank, one in enumerate(images):
        yield (rank, *(getattr(one, name) for name in MISFIT.split()[1:]))


def layer_data(layer: LayerLabels) -> dict[str, Any]:
    """A layer's figures as plain values."""
    return {"figures": asdict(layer.figures), "shuffled": asdict(layer.shuffled), "margin": layer.margin}


def run_data(found: LabelDissection, images: Mapping[str, int]) -> dict[str, Any]:
    """What is told of all layers together, as plain values. images: of the atlas, by the hash of their bytes."""
    misfits = found.misfits
    return {
        **{name: getattr(misfits, name) for name in ("judged", "planted", "found")},
        **{name: getattr(found, name) for name in ("images", "labels")},
        "settings": dict(found.settings),
        "left_out": list(found.left_out),
        "here": [images.get(found.sha256.get(one.image, "")) for one in misfits.images],
    }


def read_labels(connection: sqlite3.Connection, layer_id: int) -> tuple[UnitLabels, ...]:
    """One record for every unit of the layer; none at all where labels were not tried on it."""
    found = scored_units(connection, layer_id, LABELS, "label", _SCORE)
    return tuple(_unit(unit, rows) for unit, rows in enumerate(found))


def scored_units(
    connection: sqlite3.Connection, layer_id: int, kept_as: str, table: str, score: str
) -> Sequence[Sequence[SqlRow]]:
    """Of every unit of a layer the rows of what was ranked for it, each with whether it names the unit, then its score.

    kept_as: the statistic that tells whether this was tried on the layer: none at all where it was not. score: columns.
    """
    plain = statistic(connection, kept_as, layer_id, None)
    if plain is None or not has_table(connection, table):
        return ()
    units = plain["figures"]["units"]
    if not 0 <= units <= MOST_UNITS:
        raise ValueError(f"{kept_as} of {units} units")
    query = select(table, f"unit named {score}", "WHERE layer = ? ORDER BY unit, rank")
    found: list[list[SqlRow]] = [[] for _ in range(units)]
    for unit, *row in connection.execute(query, (layer_id,)).fetchall():
        if 0 <= unit < units:
            found[unit].append(tuple(row))
    return found


def _unit(unit: int, rows: Sequence[SqlRow]) -> UnitLabels:
    scores = [LabelScore(**dict(zip(_SCORE.split(), row[1:], strict=True))) for row in rows]
    named = [score for score, row in zip(scores, rows, strict=True) if row[0]]
    ranked = tuple(score for score in scores if score.form == LABEL_FORM)
    return UnitLabels(unit=unit, ranked=ranked, best=named[0] if named else None)


def read_misfits(connection: sqlite3.Connection) -> Misfits | None:
    """The images that do not fit their labels; None where nobody looked."""
    plain = statistic(connection, MISFITS, None, None)
    if plain is None or not has_table(connection, "misfit"):
        return None
    names = MISFIT.split()[1:]
    query = select("misfit", " ".join(names), "ORDER BY rank")
    images = (Misfit(**dict(zip(names, row, strict=True))) for row in connection.execute(query).fetchall())
    return Misfits(images=tuple(images), judged=plain["judged"], planted=plain["planted"], found=plain["found"])


def read_misfit_images(connection: sqlite3.Connection) -> tuple[int | None, ...]:
    """Of each misfit the atlas's image; None where it holds none, or where it was not looked for."""
    found, plain = read_misfits(connection), statistic(connection, MISFITS, None, None)
    if found is None:
        return ()
    here = plain.get("here", [None] * len(found.images))
    if len(here) != len(found.images) or not all(one is None or isinstance(one, int) for one in here):
        raise ValueError("misfits of other images than those that are listed")
    return tuple(here)
