"""A folder that is written whole or not at all: beside its place under another name, which it changes at the end.

An export that is stopped leaves nothing; one that is killed leaves ".NAME.partial", which the next one begins anew.
"""

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from layerscope.atlas.lock import EXPORT, WriterLock
from layerscope.core.errors import AtlasError, UsageError
from layerscope.core.files import exchange

FULL = (errno.ENOSPC, errno.EDQUOT)

Put = Callable[[str, bytes], None]


def place_for(folder: str | os.PathLike[str], *, marker: str, ours: re.Pattern[str], overwrite: bool) -> Path:
    """The folder's full path. Raises UsageError where it must not be written.

    ours: what stands at the top of an export. Anything else there is somebody's own, and nobody's to delete.
    """
    place = Path(folder).expanduser().resolve()
    if not place.name:
        raise UsageError(f'"{folder}" cannot be an export: name a folder of its own')
    if place.exists() and not place.is_dir():
        raise UsageError(f'"{folder}" is a file: name a folder for the export')
    with in_plain_words(place):
        held = sorted(entry.name for entry in place.iterdir()) if place.exists() else []
    if not held:
        return place
    if marker not in held:
        raise UsageError(f'"{folder}" is not empty and is no export of layerscope: choose another folder')
    if not overwrite:
        raise UsageError(f'"{folder}" holds an export already; add --overwrite, or choose another folder')
    strange = [name for name in held if name != marker and not ours.fullmatch(name)]
    if strange:
        raise UsageError(f'"{folder}" also holds "{strange[0]}", which no export wrote: move it away first')
    return place


@contextmanager
def written_whole(place: Path, *, marker: str) -> Iterator[Put]:
    """Gives what writes a file; at the end the folder stands at its place, after an error nothing is left of it."""
    partial, old = (place.with_name(f".{place.name}.{state}") for state in ("partial", "old"))
    with in_plain_words(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    lock = _alone(place, partial)
    try:
        with in_plain_words(place):
            if old.exists() and not place.exists():
                old.rename(place)
            _clear(partial, marker)
            partial.mkdir()
            try:
                (partial / marker).touch()
                yield lambda path, content: _write(partial / path, content)
                _swap(partial, place, old, marker)
            except BaseException:
                with suppress(OSError):
                    _remove(partial, marker)
                raise
    finally:
        lock.release()


def _alone(place: Path, partial: Path) -> WriterLock:
    try:
        return WriterLock(partial, writer=EXPORT, shown=f'"{place}"')
    except AtlasError as error:
        raise UsageError(str(error)) from error


def _clear(partial: Path, marker: str) -> None:
    """What a killed export left is removed; another folder of that name is not."""
    if partial.exists() and any(partial.iterdir()) and not (partial / marker).exists():
        raise UsageError(f'"{partial}" is in the way, and no export wrote it: move it away first')
    if partial.exists():
        _remove(partial, marker)


def _remove(folder: Path, marker: str) -> None:
    """A folder goes, its marker last: killed in between, it is still known for an export's."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != marker:
            entry.unlink()
    (folder / marker).unlink(missing_ok=True)
    folder.rmdir()


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except FileNotFoundError:
        path.parent.mkdir(parents=True)
        path.write_bytes(content)


def _swap(partial: Path, place: Path, old: Path, marker: str) -> None:
    """The new folder takes its place; the one before goes last, and comes back if that fails."""
    if not place.exists():
        partial.rename(place)
        return
    if exchange(partial, place):
        with suppress(OSError):
            _remove(partial, marker)
        return
    # In two steps, where one is not to be had: a kill between them leaves the old folder to the next export.
    shutil.rmtree(old, ignore_errors=True)
    place.rename(old)
    try:
        partial.rename(place)
    except BaseException:
        old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def in_plain_words(place: Path) -> Iterator[None]:
    """What the system says, as a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise UsageError(
                f'the disk is full: nothing is left of the unfinished "{place}"; free space, or ask for less with '
                "--budget or --layers"
            ) from error
        raise UsageError(f'"{place}" cannot be written: {error.strerror}') from error
