"""Atlases whose units are changed by hand, row by row: what became of each is known."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

# The tables that are compared.
TABLES = ("peak", "stratum", "unit")


class Rows:
    """The rows of one layer of an atlas, by its id."""

    def __init__(self, connection: sqlite3.Connection, layer: int) -> None:
        self._connection, self._layer = connection, layer

    def swap(self, one: int, other: int) -> None:
        """Two units change places."""
        for table in TABLES:
            for old, new in ((one, 1000), (other, one), (1000, other)):
                self._run(f"UPDATE {table} SET unit = ? WHERE layer = ? AND unit = ?", new, self._layer, old)

    def kill(self, unit: int) -> None:
        """A unit that never fires."""
        for table in ("peak", "stratum"):
            self._run(f"DELETE FROM {table} WHERE layer = ? AND unit = ?", self._layer, unit)
        self._run("UPDATE unit SET maximum = 0 WHERE layer = ? AND unit = ?", self._layer, unit)

    def replace(self, unit: int, other: Path, by: int) -> None:
        """A unit becomes the same as one of the same layer of an atlas."""
        self._connection.commit()  # databases are neither attached nor detached within a transaction
        self._run("ATTACH DATABASE ? AS other", str(other))
        for table in TABLES:
            columns = [name for _, name, *_ in self._connection.execute(f"PRAGMA main.table_info({table})")]
            self._run(f"DELETE FROM main.{table} WHERE layer = ? AND unit = ?", self._layer, unit)
            taken = ", ".join("?" if name == "unit" else name for name in columns)
            self._run(
                f"INSERT INTO main.{table} ({', '.join(columns)}) SELECT {taken} FROM other.{table} "
                "WHERE layer = ? AND unit = ?",
                unit, self._layer, by,
            )  # fmt: skip
        self._connection.commit()
        self._run("DETACH DATABASE other")

    def _run(self, statement: str, *values: object) -> None:
        self._connection.execute(statement, values)


@contextmanager
def changed(path: Path, atlas: Path, layer: int) -> Iterator[Rows]:
    """A copy of an atlas under `path`, one of whose layers is to be changed; its weights have another hash."""
    shutil.copy(atlas, path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        yield Rows(connection, layer)
        connection.execute("UPDATE run SET fingerprint = replace(fingerprint, '51fe', 'a0c4')")
        connection.commit()
