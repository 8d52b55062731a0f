"""Opening an atlas's SQLite file: is it one, is it whole, and what SQLite's errors mean in plain words.

While a build writes, the file is in write-ahead mode: readers may open it at any time, and a crash leaves the last
finished transaction. A finished atlas is an ordinary single file.
"""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layerscope.atlas.disk import INSTEAD, lack_of
from layerscope.atlas.schema import APPLICATION_ID, VERSION
from layerscope.core.errors import AtlasError, LayerscopeError, NotAnAtlas, UnknownVersion, UsageError
from layerscope.core.failures import plain_failures

# What SQLite may leave beside a database while it is in use, or after a crash.
SIDE_FILES = ("-wal", "-shm", "-journal")


# What SQLite says where locks or the memory that readers and writer share do not work (sqlite.org/rescode.html).
LOCKING = (
    sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_IOERR_LOCK, sqlite3.SQLITE_IOERR_RDLOCK, sqlite3.SQLITE_IOERR_UNLOCK,
    sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK, sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMMAP,
    sqlite3.SQLITE_IOERR_SHMLOCK,
)  # fmt: skip
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)
# Seconds that somebody else's lock is waited for: while a build writes, and where nothing says that one does.
WAIT, WAIT_WITHOUT_A_LOG = 30, 2


def side_files(path: Path) -> tuple[Path, ...]:
    """The files that SQLite keeps beside this one while it is in use."""
    return tuple(path.with_name(path.name + suffix) for suffix in SIDE_FILES)


def _explain(path: Path, error: sqlite3.Error) -> AtlasError | None:
    """The error as a sentence for the user; None for what is a bug of ours."""
    # The low byte is the kind of error; the others say more (sqlite.org/rescode.html).
    whole = getattr(error, "sqlite_errorcode", -1)
    code = whole & 0xFF
    # Text that is no text has no code at all (CPython's sqlite3 finds it, not SQLite).
    if code == 0xFF and "decode to UTF-8" in str(error):
        return NotAnAtlas(f"{path} is damaged: a text in it is not readable")
    if code == sqlite3.SQLITE_FULL:
        return AtlasError(
            f"the disk is full: {path} could not grow; free space and run the same command again, "
            "nothing that was finished is lost"
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return NotAnAtlas(f"{path} is not an atlas, or is truncated or damaged ({error})")
    if whole in LOCKING or code in BUSY:
        # SQLite says "busy" for every lock that fails, whether somebody holds it or the disk has none.
        lack = lack_of(path.parent) or (f"file locks or shared memory ({error})" if whole in LOCKING else None)
        if lack is not None:
            return AtlasError(f"{path} cannot be read or written: this disk has no {lack}; {INSTEAD}")
        return AtlasError(f"{path} is held by another program; close it there and try again")
    if code in UNWRITABLE:
        return AtlasError(f"{path} or its folder cannot be opened or written ({error}); check the permissions")
    if code == sqlite3.SQLITE_IOERR:
        return AtlasError(
            f"{path} could not be read or written ({error}); check the disk and its free space and run the same "
            "command again, nothing that was finished is lost"
        )
    return None


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says about the file or the disk into an AtlasError; other errors pass."""
    try:
        yield
    except sqlite3.Error as error:
        explained = _explain(path, error)
        if explained is None:
            raise
        raise explained from error


# What reading may stumble over where a file holds something else than layerscope writes.
_SENSELESS = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, AssertionError, RecursionError,
    zlib.error,
)  # fmt: skip


@contextmanager
def plain_values(path: Path) -> Iterator[None]:
    """Turn the errors of reading what no atlas holds into NotAnAtlas, those of impossible numbers into UsageError.

    To be put around what depends on the file alone: a bug of ours would be told as damage.
    """
    try:
        yield
    except LayerscopeError:
        raise
    except OverflowError as error:
        raise UsageError(f"{path} has nothing of so large a number") from error
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", -1) & 0xFF != sqlite3.SQLITE_ERROR:
            raise
        raise NotAnAtlas(f"{path} is damaged or was changed by another program ({error})") from error
    except _SENSELESS as error:
        kind = type(error).__name__
        raise NotAnAtlas(f"{path} is damaged: it holds what layerscope does not write ({kind})") from error


def _check_schema(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse what no atlas has: views and triggers, which compute when they are read, and loosely typed tables."""
    strange = connection.execute(
        "SELECT type, name FROM sqlite_schema WHERE type NOT IN ('table', 'index') OR sql LIKE 'CREATE VIRTUAL%' "
        "UNION ALL SELECT 'loose ' || type, name FROM pragma_table_list "
        "WHERE schema = 'main' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND NOT strict"
    ).fetchone()
    if strange is not None:
        raise NotAnAtlas(f"{path} is not an atlas that layerscope wrote: it holds a {strange[0]} {strange[1][:40]!r}")


def _check(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse whatever is not an atlas of this version."""
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if mark != APPLICATION_ID:
        raise NotAnAtlas(f"{path} is not an atlas: it is another SQLite database")
    if version != VERSION:
        raise UnknownVersion(
            f"{path} is an atlas of version {version}, this layerscope reads version {VERSION}; "
            f"{'update layerscope' if version > VERSION else 'build it again'}"
        )
    # Reads the schema: SQLite sees here that pages are missing, all but a part of the last one.
    with plain_values(path):
        connection.execute("SELECT count(*) FROM layer").fetchone()
        _check_schema(path, connection)
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    if path.stat().st_size % page_size:
        raise NotAnAtlas(f"{path} is truncated or damaged: its last page is cut")


def _connect(path: Path, query: str, *, wait: float = WAIT) -> sqlite3.Connection:
    """A connection to an atlas that was checked, closed again if it is none. wait: seconds for others' locks."""
    with plain_errors(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{query}",
            uri=True,
            timeout=wait,
            isolation_level=None,
            check_same_thread=False,
        )
    try:
        with plain_errors(path):
            # A file may come from anywhere: its schema must not be able to call functions, its cells are checked.
            connection.executescript(
                "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA foreign_keys=ON;"
            )
            _check(path, connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_path(path: Path) -> None:
    """Refuse what SQLite would describe less plainly, without opening the file.

    Opening and closing it here would drop the locks that this process may hold on it through SQLite
    (sqlite.org/howtocorrupt.html, 2.2).
    """
    if path.is_dir():
        raise NotAnAtlas(f"{path} is a folder, not an atlas file")
    if not path.exists():
        raise AtlasError(f"{path} does not exist; layerscope build makes an atlas")
    if path.stat().st_size == 0:
        raise NotAnAtlas(f"{path} is empty, not an atlas")


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A read-only connection; raises AtlasError, NotAnAtlas or UnknownVersion."""
    with plain_failures(path, kind=AtlasError):
        return _opened_for_reading(path)


def _opened_for_reading(path: Path) -> sqlite3.Connection:
    _check_path(path)
    try:
        connection = _connect(path, "mode=ro", wait=0)
    except NotAnAtlas:
        raise
    except AtlasError as error:
        connection = _read_otherwise(path, error)
    try:
        with plain_errors(path):
            connection.executescript(f"PRAGMA busy_timeout={1000 * WAIT}; PRAGMA query_only=ON;")
    except BaseException:
        connection.close()
        raise
    return connection


def _read_otherwise(path: Path, error: AtlasError) -> sqlite3.Connection:
    """A connection for reading where the plain one failed: later, or without locks; else raises what is to be done."""
    code = getattr(error.__cause__, "sqlite_errorcode", -1)
    logged, lack = any(side.exists() for side in side_files(path)), lack_of(path.parent)
    if code & 0xFF in BUSY and lack is None:
        # A disk without locks would say "busy" for as long as it is asked; this one has them, so somebody holds one.
        try:
            return _connect(path, "mode=ro", wait=WAIT if logged else WAIT_WITHOUT_A_LOG)
        except AtlasError:
            if logged:
                raise
    if not logged:
        # In a folder that cannot be written, write-ahead mode has no place for its index. Without a log beside it
        # the file is complete and nobody can be writing it.
        return _connect(path, "mode=ro&immutable=1")
    if lack is None and code & 0xFF not in UNWRITABLE:
        raise error
    why = f"this disk has no {lack}" if lack is not None else f"the folder {path.parent} cannot be written"
    raise AtlasError(
        f"{path} is unfinished, and {why}, which reading it needs; copy it to a folder that can be written, on a "
        f"local disk, together with {path.name}-wal"
    ) from error


def open_for_writing(path: Path) -> sqlite3.Connection:
    """A connection for the one writer; raises AtlasError, NotAnAtlas or UnknownVersion."""
    _check_path(path)
    connection = _connect(path, "mode=rw")
    try:
        with plain_errors(path):
            # A commit that power loss undoes is done again; what stands before it stays whole.
            connection.execute("PRAGMA synchronous=NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def enter_write_ahead_mode(connection: sqlite3.Connection) -> None:
    """From here on readers are not disturbed. The mode stands in the file itself: entered before the first change."""
    connection.execute("PRAGMA journal_mode=WAL")


def leave_write_ahead_mode(connection: sqlite3.Connection) -> None:
    """One file again, as far as nobody reads it just now."""
    connection.execute("PRAGMA busy_timeout=2000")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        # Somebody reads: the file is complete, only its mode stays until the next writer closes it.
        if error.sqlite_errorcode & 0xFF not in BUSY:
            raise
