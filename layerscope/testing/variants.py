"""Atlases that pages must bear: one atlas, and copies of it that lack something, or have deceiving names."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

# What a stranger may call a layer, a class, a concept or a file: markup, a script, a way out of a folder.
HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{7*7}}../../x\u202e"


def _undissected(atlas: sqlite3.Connection) -> None:
    atlas.execute("DELETE FROM statistic WHERE name IN ('dissection', 'intervention')")
    _emptied(atlas, "concept", "note", "intervention", "peak_kind")


def _empty_dissection(atlas: sqlite3.Connection) -> None:
    """Every layer was dissected, and nothing was found."""
    _undissected(atlas)
    for layer, units in atlas.execute("SELECT id, units FROM layer").fetchall():
        figures = {"units": units, "dead": 0, "detectors": 0, "distinct_concepts": 0, "mean_concept_level": None}
        measured = {"figures": figures | {"levels": {}}, "bau": figures | {"levels": {}}}
        about = {"baselines": {}, "images": 0, "settings": {}, "left_out": []}
        value = json.dumps(measured | about)
        atlas.execute("INSERT INTO statistic (name, layer, value) VALUES ('dissection', ?, ?)", (layer, value))


def _unlabelled(atlas: sqlite3.Connection) -> None:
    atlas.execute("UPDATE image SET label = NULL")
    atlas.execute("DELETE FROM statistic WHERE name IN ('classes', 'class_counts', 'labels', 'misfits')")
    _emptied(atlas, "label", "misfit")


def _unpictured(atlas: sqlite3.Connection) -> None:
    _emptied(atlas, "picture")


def _untiled(atlas: sqlite3.Connection) -> None:
    _emptied(atlas, "sheet")


def _unfinished(atlas: sqlite3.Connection) -> None:
    """The build was stopped before anything was scanned."""
    atlas.execute("UPDATE run SET finished = NULL")
    _undissected(atlas)
    _emptied(atlas, "sheet", "picture", "peak", "stratum", "neighbour", "unit", "filter", "statistic")
    atlas.execute("UPDATE layer SET tile = NULL, method = NULL, method_why = NULL")


# What an atlas says by names of others, beside those of layers, images and classes.
NAMES = (
    ("concept", "concept"), ("note", "text"), ("label", "label"), ("misfit", "image"), ("misfit", "label"),
    ("misfit", "other"), ("intervention", "concept"), ("peak_kind", "kind"),
)  # fmt: skip


def _hostile(atlas: sqlite3.Connection) -> None:
    atlas.execute("UPDATE layer SET name = ? || id, path = ? || id, kind = ?, method_why = ?", (HOSTILE,) * 4)
    atlas.execute("UPDATE layer SET aliases = ?", (json.dumps([HOSTILE]),))
    atlas.execute(
        "UPDATE image SET source = ? || id, label = CASE WHEN label IS NULL THEN NULL ELSE ? END", (HOSTILE,) * 2
    )
    atlas.execute("UPDATE image SET skipped = ? WHERE skipped IS NOT NULL", (HOSTILE,))
    atlas.execute(
        "UPDATE run SET network = ?, images = ?, settings = ?", (HOSTILE, HOSTILE, json.dumps({HOSTILE: HOSTILE}))
    )
    for (value,) in atlas.execute("SELECT value FROM statistic WHERE name = 'classes'").fetchall():
        names = json.dumps([f"{HOSTILE} {number}" for number in range(len(json.loads(value)))])
        atlas.execute("UPDATE statistic SET value = ? WHERE name = 'classes'", (names,))
    for table, column in NAMES:
        if _has(atlas, table):
            atlas.execute(f"UPDATE {table} SET {column} = ? || {column}", (HOSTILE,))


VARIANTS: Mapping[str, Callable[[sqlite3.Connection], None]] = {
    "as it is": lambda atlas: None,
    "not dissected": _undissected,
    "dissected in vain": _empty_dissection,
    "without labels": _unlabelled,
    "without small pictures": _unpictured,
    "without tiles": _untiled,
    "begun": _unfinished,
    "of hostile names": _hostile,
}


def variants(atlas: Path, folder: Path) -> dict[str, Path]:
    """By name, the atlas and copies of it that were changed so, written into a folder."""
    found = {}
    for number, (name, change) in enumerate(VARIANTS.items()):
        found[name] = folder / f"variant-{number}.atlas"
        with closing(sqlite3.connect(atlas)) as source, closing(sqlite3.connect(found[name])) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            with copy:
                change(copy)
    return found


def _has(atlas: sqlite3.Connection, table: str) -> bool:
    return bool(atlas.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table,)).fetchall())


def _emptied(atlas: sqlite3.Connection, *tables: str) -> None:
    for table in tables:
        if _has(atlas, table):
            atlas.execute(f"DELETE FROM {table}")
