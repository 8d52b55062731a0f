"""How an atlas is asked: one connection, one question at a time, and plain sentences where a file cannot answer."""

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from layerscope.atlas import rows
from layerscope.atlas.connection import open_for_reading, plain_errors, plain_values
from layerscope.core.errors import AtlasError
from layerscope.core.failures import plain_failures

AnswerT = TypeVar("AnswerT")


class Questions:
    """An atlas opened for reading. Raises what its `AtlasFile` raises."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._connection = open_for_reading(self.path)
        self._open = True
        # A handle that is dropped, not closed, must not keep a build from making its file one again.
        weakref.finalize(self, self._connection.close)

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        with self._lock:
            self._open = False
            self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        failures = plain_failures(self.path, kind=AtlasError)
        with self._lock, failures, plain_errors(self.path), plain_values(self.path):
            if not self._open:
                raise AtlasError(f"{self.path} was closed; open it again to read it")
            yield self._connection

    def _ask(self, question: Callable[..., AnswerT], *values: Any) -> AnswerT:
        with self._reading() as connection:
            return question(connection, *values)

    def _rows(self, query: str, *values: Any) -> list[rows.SqlRow]:
        with self._reading() as connection:
            return connection.execute(query, values).fetchall()

    def _row(self, query: str, *values: Any) -> rows.SqlRow | None:
        return next(iter(self._rows(query, *values)), None)
