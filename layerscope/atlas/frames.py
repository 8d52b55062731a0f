"""An atlas as flat tables for a data frame: one query per table, with the names that a reader knows."""

import sqlite3

from layerscope.atlas.labels import LABEL, MISFIT
from layerscope.atlas.retention import KEPT
from layerscope.atlas.rows import SqlRow, has_table
from layerscope.atlas.words import WORD
from layerscope.core.errors import UsageError, nearest

_FIELD = ", ".join(
    f"json_extract(field, '$.{axis}[{place}]') AS field_{axis}_{name}"
    for axis in ("rows", "cols")
    for place, name in enumerate(("size", "step", "start"))
)
_BOXES = ", ".join(
    f"{box}_{edge}" for box in ("field", "tile", "source") for edge in ("top", "left", "bottom", "right")
)

_SCORES = (
    "SELECT layer.name AS layer, unit, measure, rank, concept, nullif(level, 0) AS level, score, iou, frequency, "
    "named, "
)
_OF_LAYERS = "FROM concept JOIN layer ON layer.id = concept.layer"
_IN_ORDER = "ORDER BY concept.layer, unit, measure, rank"

FRAMES = {
    "layers": (
        "SELECT layer.name AS layer, kind, units, map_rows AS rows, map_cols AS cols, "
        f"{_FIELD}, auto, rectified, tile, method, method_why FROM layer ORDER BY id"
    ),
    "units": (
        "SELECT layer.name AS layer, unit.unit, mean, std, maximum, images_above, positions_above, "
        "(SELECT count(*) FROM peak WHERE peak.layer = unit.layer AND peak.unit = unit.unit) AS peaks "
        "FROM unit JOIN layer ON layer.id = unit.layer ORDER BY unit.layer, unit.unit"
    ),
    "peaks": (
        "SELECT layer.name AS layer, unit, rank, value, image, image.source AS source, image.label AS label, row, col, "
        f"{_BOXES} FROM peak JOIN layer ON layer.id = peak.layer JOIN image ON image.id = peak.image "
        "ORDER BY peak.layer, unit, rank"
    ),
    "images": (
        "SELECT id AS image, source, sha256, size, height, width, label, skipped, duplicate_of, "
        "(SELECT count(*) FROM peak WHERE peak.image = image.id) AS peaks FROM image ORDER BY id"
    ),
    "shares": (
        "SELECT layer.name AS layer, unit, earlier.name AS earlier, other, share, spread, row, col FROM share "
        "JOIN layer ON layer.id = share.layer JOIN layer AS earlier ON earlier.id = share.earlier "
        "ORDER BY share.layer, unit, share.earlier DESC, rank"
    ),
    "kept": (
        "SELECT layer.name AS layer, unit, kept.method, own, random FROM kept "
        "JOIN layer ON layer.id = kept.layer ORDER BY kept.layer, unit, kept.method"
    ),
    "uses": (
        "SELECT layer.name AS layer, unit, used_for.rank, output, used_for.name AS class, amount, images FROM used_for "
        "JOIN layer ON layer.id = used_for.layer ORDER BY used_for.layer, unit, used_for.rank"
    ),
    "concepts": (
        f"{_SCORES} coalesce(category, '') AS category {_OF_LAYERS} "
        f"LEFT JOIN concept_category USING (layer, unit, measure, rank) {_IN_ORDER}"
    ),
    "labels": (
        "SELECT layer.name AS layer, unit, rank, form, label, level, auc, z, p, images, named "
        "FROM label JOIN layer ON layer.id = label.layer ORDER BY label.layer, unit, rank"
    ),
    "words": (
        "SELECT layer.name AS layer, unit, rank, word, share, auc, z, p, images, named "
        "FROM word JOIN layer ON layer.id = word.layer ORDER BY word.layer, unit, rank"
    ),
    "misfits": "SELECT rank, image, label, other, score, own, others FROM misfit ORDER BY rank",
}

# The tables that early atlases lack, by the frame that is then empty, and its columns.
_LATER = {
    "kept": ("kept", KEPT), "labels": ("label", LABEL), "words": ("word", WORD), "misfits": ("misfit", MISFIT),
}  # fmt: skip

# What early atlases answer where they lack a table.
_EARLY = {"concepts": ("concept_category", f"{_SCORES} '' AS category {_OF_LAYERS} {_IN_ORDER}")}


def framed(connection: sqlite3.Connection, name: str) -> tuple[list[str], list[SqlRow]]:
    """Column names and rows of a frame. Raises UsageError for a name that is none."""
    if name not in FRAMES:
        raise UsageError(f'no table "{name}": choose one of {", ".join(FRAMES)}{nearest(name, FRAMES)}')
    table, columns = _LATER.get(name, ("", ""))
    if table and not has_table(connection, table):
        return columns.split(), []
    further, early = _EARLY.get(name, ("", ""))
    cursor = connection.execute(early if further and not has_table(connection, further) else FRAMES[name])
    return [column for column, *_ in cursor.description], cursor.fetchall()
