"""Do two atlases hold the same? A hash per table, over everything but when and in how many steps it was made."""

import hashlib
import os
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

from layerscope.atlas.connection import open_for_reading, plain_errors

# Tables that tell of the making, not of what was made.
_OF_THE_MAKING = ("run", "shard")
# Tables whose id says nothing but in which order the rows were put, with what else tells their rows apart.
NUMBERED = {"sheet": "layer unit kind method view", "statistic": "name layer method"}


def _cell_bytes(cell: str | bytes | int | float | None) -> bytes:
    """A cell as bytes that no other cell has: its type, its length, its value."""
    if isinstance(cell, float):
        cell, kind = struct.pack("<d", cell), b"f"
    else:
        kind = type(cell).__name__[:1].encode()
    data = cell if isinstance(cell, bytes) else str(cell).encode()
    return kind + len(data).to_bytes(8, "little") + data


def _columns(connection: sqlite3.Connection, table: str) -> tuple[str, str]:
    """A table's columns, and those that order its rows, each as SQL.

    Ids of NUMBERED tables only count rows as they came: they are left out, and the key takes their place.
    """
    info = connection.execute("SELECT name, pk FROM pragma_table_info(?)", (table,)).fetchall()
    if table in NUMBERED:
        return ", ".join(name for name, _ in info if name != "id"), ", ".join(NUMBERED[table].split())
    keys = sorted((place, name) for name, place in info if place)
    return ", ".join(name for name, _ in info), ", ".join(name for _, name in keys)


def content_digest(path: str | os.PathLike[str]) -> dict[str, str]:
    """SHA-256 (hex) over all rows of each table but `run` and `shard`, whatever the order in which they were put.

    Two atlases with equal digests are the same to every reader. Raises NotAnAtlas for a damaged file.
    """
    path = Path(path)
    digests = {}
    with closing(open_for_reading(path)) as connection, plain_errors(path):
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for name in sorted(set(names) - set(_OF_THE_MAKING)):
            columns, order = _columns(connection, name)
            digest = hashlib.sha256()
            for row in connection.execute(f"SELECT {columns} FROM {name} ORDER BY {order}"):
                digest.update(b"".join(map(_cell_bytes, row)))
            digests[name] = digest.hexdigest()
    return digests
