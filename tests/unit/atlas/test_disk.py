"""Disks without locks or shared memory are told from files that somebody holds."""

import errno
import fcntl
import mmap
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from layerscope.atlas import connection
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.write import AtlasWriter
from layerscope.core.errors import AtlasError, UsageError
from layerscope.viewer.export.folder import written_whole

# How flock and fcntl fail on disks that have none (flock(2), fcntl(2)), and how they fail where somebody holds one.
ABSENT = (errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.EPERM)
HELD = (errno.EWOULDBLOCK, errno.EACCES)


@pytest.fixture
def own(tmp_path: Path, finished: Path) -> Path:
    """A finished atlas of one's own."""
    path = tmp_path / "own.atlas"
    path.write_bytes(finished.read_bytes())
    return path


def failing(number: int):
    """A call of the system that fails with this error."""

    def call(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize("number", ABSENT)
@pytest.mark.parametrize("call", ("flock", "lockf"))
def test_a_disk_without_locks_is_named_before_anything_is_written(tmp_path, monkeypatch, call, number):
    """A lock that fails for want of locks is told so, with the system's reason and a way out; no file is left."""
    monkeypatch.setattr(fcntl, call, failing(number))
    with pytest.raises(AtlasError) as raised:
        AtlasWriter.create(tmp_path / "a.atlas")
    assert str(raised.value) == (
        f"{tmp_path}/a.atlas cannot be written: this disk has no file locks ({os.strerror(number)}); build on a local "
        "disk and copy the finished atlas here"
    )
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("number", HELD)
def test_a_lock_that_is_held_is_told_as_held(tmp_path, monkeypatch, number):
    """What the system says of a lock that another has is told as another writer, of an atlas or of an export."""
    monkeypatch.setattr(fcntl, "flock", failing(number))
    with pytest.raises(AtlasError, match=r"is being written by another build .*; wait for it or choose another file"):
        AtlasWriter.create(tmp_path / "a.atlas")
    with (
        pytest.raises(UsageError, match=r"is being written by another export .* or choose another folder"),
        written_whole(tmp_path / "site", marker=".marker"),
    ):
        raise AssertionError("an export began")


def test_a_disk_without_shared_memory_is_named(tmp_path, monkeypatch):
    """A build needs a memory map that readers share; a disk without one is told so, and no file is left."""
    monkeypatch.setattr(mmap, "mmap", failing(errno.ENODEV))
    with pytest.raises(AtlasError, match=r"this disk has no shared memory \(No such device\); build on a local disk"):
        AtlasWriter.create(tmp_path / "a.atlas")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "sentence"),
    (
        (errno.EACCES, 'site" cannot be written: Permission denied (the folder '),
        (errno.EROFS, 'site" cannot be written: Read-only file system (the folder '),
    ),
)
def test_an_export_into_a_folder_that_may_not_be_written_says_so(tmp_path, monkeypatch, number, sentence):
    """The permission is named, and no other export."""
    monkeypatch.setattr(os, "open", failing(number))
    with pytest.raises(UsageError) as raised, written_whole(tmp_path / "site", marker=".marker"):
        raise AssertionError("an export began")
    assert sentence in str(raised.value) and "another" not in str(raised.value)


def test_an_export_onto_a_disk_without_locks_says_so(tmp_path, monkeypatch):
    """It names the disk, and the way out is a copy."""
    monkeypatch.setattr(fcntl, "flock", failing(errno.ENOLCK))
    with pytest.raises(UsageError) as raised, written_whole(tmp_path / "site", marker=".marker"):
        raise AssertionError("an export began")
    assert "this disk has no file locks (No locks available); export to a local disk and copy" in str(raised.value)


def without_locks(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Let SQLite open only what needs no lock, and the system have none: as on a mount whose fcntl fails."""
    real = sqlite3.connect

    def connect(address: str, **settings: object) -> sqlite3.Connection:
        if "immutable=1" in address:
            return real(address, **settings)  # type: ignore[arg-type]
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr(connection.sqlite3, "connect", connect)
    monkeypatch.setattr(fcntl, "lockf", failing(errno.ENOLCK))


@pytest.mark.parametrize("code", (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR_RDLOCK, sqlite3.SQLITE_PROTOCOL))
def test_a_finished_atlas_is_read_from_a_disk_without_locks(finished, monkeypatch, code):
    """Nobody can be writing it, so no lock is needed, and none is waited for."""
    with AtlasFile(finished) as file:
        known = [layer.name for layer in file.layers]
    without_locks(monkeypatch, code)
    with AtlasFile(finished) as file:
        assert [layer.name for layer in file.layers] == known


@pytest.mark.parametrize("code", (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR_SHMMAP))
def test_an_unfinished_atlas_on_a_disk_without_locks_is_to_be_copied(own, monkeypatch, code):
    """Its log must be read too, which needs locks: the sentence names both files and what the disk lacks."""
    own.with_name(f"{own.name}-wal").write_bytes(b"log")
    without_locks(monkeypatch, code)
    with pytest.raises(AtlasError) as raised:
        AtlasFile(own)
    words = str(raised.value)
    assert "is unfinished, and this disk has no file locks (No locks available)" in words
    assert f"copy it to a folder that can be written, on a local disk, together with {own.name}-wal" in words


@pytest.mark.parametrize("code", sorted(connection.LOCKING))
def test_locks_that_fail_later_are_told_as_the_disk(tmp_path, code):
    """Every code of SQLite for locks and shared memory that do not work names the disk, not its free space."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    with (
        pytest.raises(AtlasError, match="this disk has no file locks or shared memory"),
        connection.plain_errors(tmp_path / "a.atlas"),
    ):
        raise error


def killed_while_writing(path: Path) -> None:
    """An atlas whose writer was killed: what it wrote last lies in the log beside it."""
    script = (
        "import os, sys\nfrom layerscope.atlas.write import AtlasWriter\n"
        "writer = AtlasWriter.resume(sys.argv[1])\nwriter.put_statistic('classes', ['late'])\nos._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    assert path.with_name(f"{path.name}-wal").stat().st_size > 0


def test_an_unfinished_atlas_without_its_index_in_a_folder_that_cannot_be_written(own):
    """With its log but without the index of it, which cannot be made anew there, it is to be copied with its log."""
    killed_while_writing(own)
    index = own.with_name(f"{own.name}-shm")
    index.unlink()
    # A link to nowhere in its place is for SQLite as if the folder could not be written, for every user.
    index.symlink_to(own.parent / "nowhere" / "none")
    with pytest.raises(AtlasError) as raised:
        AtlasFile(own)
    assert str(raised.value) == (
        f"{own} is unfinished, and the folder {own.parent} cannot be written, which reading it needs; copy "
        f"it to a folder that can be written, on a local disk, together with {own.name}-wal"
    )
    index.unlink()
    # What the sentence says helps: the log is read with it, and only with it.
    copied = own.parent / "elsewhere" / own.name
    copied.parent.mkdir()
    for name in (own.name, f"{own.name}-wal"):
        (copied.parent / name).write_bytes((own.parent / name).read_bytes())
    with AtlasFile(copied) as file:
        assert file.statistic("classes") == ["late"]


def test_somebody_who_holds_a_file_is_waited_for(own, monkeypatch):
    """A lock of another program is told as such where the disk has locks, also for an atlas without a log."""
    monkeypatch.setattr(connection, "WAIT_WITHOUT_A_LOG", 0.05)
    with closing(sqlite3.connect(own, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(connection, "WAIT", 0.05)
        with pytest.raises(AtlasError, match="is held by another program; close it there"):
            AtlasFile(own)
