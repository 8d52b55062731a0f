"""A new atlas without rows: complete from its first moment, and never in the place of something else."""

import os
import sqlite3
from pathlib import Path

from layerscope.atlas.connection import plain_errors, side_files
from layerscope.atlas.schema import APPLICATION_ID, TABLES, VERSION
from layerscope.core.errors import AtlasError
from layerscope.core.failures import plain_failures

# For 5,760 sheets of 22 kB: pages of 4, 8, 16, 32 kB took 1.9, 1.4, 1.2, 1.2 s and wasted 4, 7, 11, 24 %.
PAGE_SIZE = 8192


def _is_replaceable(path: Path) -> bool:
    """An atlas, whole or damaged, or an empty file: what may be overwritten without losing anything else."""
    with plain_failures(path, kind=AtlasError), path.open("rb") as file:
        header = file.read(100)
    # Byte 68 of a database's header holds its application id (sqlite.org/fileformat.html).
    return not header or header[68:72] == APPLICATION_ID.to_bytes(4, "big")


def require_target(path: Path, overwrite: bool) -> None:
    """Refuse a place where no new atlas may be made."""
    if path.is_dir():
        raise AtlasError(f"{path} is a folder; name a file in it")
    if not path.exists():
        return
    if not overwrite:
        raise AtlasError(f"{path} exists already; choose another file, or overwrite it")
    if not _is_replaceable(path):
        raise AtlasError(f"{path} is not an atlas and will not be overwritten; choose another file")


def create_empty(path: Path, *, overwrite: bool = False) -> None:
    """Make an atlas without rows at `path`; a crash leaves what was there or the new one, never a half.

    The caller holds the writer's lock. Raises AtlasError if the path is taken and may not be overwritten.
    """
    require_target(path, overwrite)
    new = path.with_name(path.name + ".new")
    for leftover in (new, *side_files(new)):
        leftover.unlink(missing_ok=True)
    try:
        with plain_errors(path):
            _write_schema(new)
        if any(side.exists() for side in side_files(path)):
            # The log of an interrupted build belongs to the old file: neither may meet the other's successor.
            for stale in (path, *side_files(path)):
                stale.unlink(missing_ok=True)
        os.replace(new, path)
    finally:
        for leftover in (new, *side_files(new)):
            leftover.unlink(missing_ok=True)


def _write_schema(path: Path) -> None:
    """The tables of an atlas in a file of its own, in one transaction."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript(
            f"PRAGMA page_size={PAGE_SIZE}; BEGIN; PRAGMA application_id={APPLICATION_ID}; "
            f"PRAGMA user_version={VERSION}; {TABLES} COMMIT;"
        )
    finally:
        connection.close()
