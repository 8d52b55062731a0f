"""The transactions of an atlas's one writer: what is put together is kept together, and a file that is let go of is one
file again."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from layerscope.atlas import rows
from layerscope.atlas.connection import enter_write_ahead_mode, leave_write_ahead_mode, open_for_writing, plain_errors
from layerscope.atlas.lock import WriterLock


class Transactions:
    """An atlas that is open for writing. lock: held until it is closed."""

    def __init__(self, path: Path, lock: WriterLock) -> None:
        self.path = path
        self._lock = lock
        self._connection = open_for_writing(path)

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Make the atlas one file again and let go of it; what no transaction finished is undone."""
        try:
            with plain_errors(self.path):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                leave_write_ahead_mode(self._connection)
        finally:
            self._connection.close()
            self._lock.release()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is put inside is kept, or, after an error, none of it; within another one it is a part of that."""
        if self._connection.in_transaction:
            yield
            return
        with plain_errors(self.path):
            enter_write_ahead_mode(self._connection)
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite has already rolled back by itself after some errors, a full disk among them.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _put(self, statement: str, values: Iterable[rows.SqlRow]) -> None:
        with self.transaction():
            self._connection.executemany(statement, values)

    def replace_rows(self, table: str, columns: str, layer_id: int, values: Iterable[rows.SqlRow]) -> None:
        """The rows of a layer in a table, in place of those that stood there."""
        with self.transaction():
            self._connection.execute(f"DELETE FROM {table} WHERE layer = ?", (layer_id,))
            self._put(rows.insert(table, columns), values)

    def forget(self, name: str, layer_id: int, *tables: str) -> bool:
        """Take a layer's statistic of this name out of the atlas, with its rows in tables. Whether there was one."""
        with self.transaction():
            for table in tables:
                if rows.has_table(self._connection, table):
                    self._connection.execute(f"DELETE FROM {table} WHERE layer = ?", (layer_id,))
            removed = "DELETE FROM statistic WHERE name = ? AND layer = ?"
            return self._connection.execute(removed, (name, layer_id)).rowcount > 0
