"""Picture files: which ones a folder, a glob or a list names, in which order, and what they are called.

A file's identity is its path relative to the root (the folder, the fixed part of the glob, the folder that the files
of a list share), with forward slashes. Hidden files, and those that systems leave in folders, are passed over.
"""

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from layerscope.core.braces import expanded, has_braces
from layerscope.core.errors import ImageError
from layerscope.sources.clutter import SITE, head_of, is_clutter, is_clutter_folder
from layerscope.sources.listing import Entry, FileListing, listing


def in_folder(folder: Path, *, without: Path | None = None) -> FileListing:
    """All files below a folder, sorted by identity as plain strings; `without` (the labels file) is left out.

    Raises ImageError for a folder without files.
    """
    paths = (path for path in _walk(folder) if without is None or not _same(path, without))
    entries = sorted(_entries(paths, folder), key=lambda entry: entry.identity)
    if not entries:
        raise ImageError(f'the folder "{folder}" holds no files')
    return listing(entries, _head)


def matching(pattern: str) -> list[Path]:
    """The files that match a glob ("**" crosses folders), sorted. Raises ImageError where there are none."""
    found = [Path(path) for path in glob.glob(pattern, recursive=True)]
    below = len(fixed_root(pattern).parts)
    exported = cache(lambda folder: (folder / SITE).is_file())
    kept = (
        path
        for path in found
        if not is_clutter(path.parts[below:])
        and not any(exported(folder) for folder in path.parents[: len(path.parts) - 1 - below])
        and path.is_file()
    )
    paths = sorted(kept, key=Path.as_posix)
    if not paths:
        raise ImageError(f'no file matches "{pattern}"')
    return paths


def without_braces(paths: Sequence[Path]) -> list[Path]:
    """The paths that these stand for: those with braces, where no such file exists, and with wildcards beside them.

    Raises ImageError where a wildcard matches no file, UsageError where braces stand for too many.
    """
    found: list[Path] = []
    for path in paths:
        if path.exists() or not has_braces(str(path)):
            found.append(path)
            continue
        for one in expanded(str(path)):
            found += matching(one) if glob.has_magic(one) else [Path(one)]
    return found


def fixed_root(pattern: str) -> Path:
    """The folders of a glob before its first wildcard."""
    parts = Path(pattern).parts
    fixed = next((place for place, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return Path(*parts[:fixed])


def from_paths(paths: Sequence[Path], root: Path | None = None) -> FileListing:
    """These files, in this order. Raises ImageError for a path that is not a file."""
    for path in paths:
        if not path.exists():
            raise ImageError(f'the image "{path}" does not exist')
        if not path.is_file():
            raise ImageError(f'"{path}" in the list is not a file; give one folder, or a list of files')
    return listing(list(_entries(paths, root or _shared_folder(paths))), _head)


def storable(path: str) -> str:
    """A path that can be stored as text: bytes that are not UTF-8 are written as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _walk(folder: Path) -> Iterator[Path]:
    """Regular files and dangling links below a folder, unordered; links to folders are followed, each folder once."""
    seen = set()
    for top, folders, names in os.walk(folder, followlinks=True, onerror=_refuse):
        here = os.path.realpath(top)
        if here in seen or SITE in names:
            folders.clear()
            continue
        seen.add(here)
        folders[:] = sorted(name for name in folders if not is_clutter_folder(name))
        for name in names:
            path = Path(top, name)
            if not is_clutter([name]) and (path.is_file() or path.is_symlink()):
                yield path


def _refuse(failure: OSError) -> None:
    raise ImageError(f'the folder "{failure.filename}" cannot be read: {failure.strerror}') from None


def _entries(paths: Iterable[Path], root: Path) -> Iterator[Entry]:
    base = os.path.abspath(root)
    for path in paths:
        relative = Path(os.path.relpath(os.path.abspath(path), base))
        yield Entry(identity=storable(relative.as_posix()), size=_size(path), path=str(path))


def _head(entry: Entry) -> bytes:
    return head_of(entry.path)


def _shared_folder(paths: Sequence[Path]) -> Path:
    folders = [os.path.dirname(os.path.abspath(path)) for path in paths]
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # several drives: nothing is shared, and no class can be told
        raise ImageError("the images of a list must lie on one drive") from None


def _size(path: Path) -> int | None:
    try:
        found = os.stat(path)
    except OSError:
        return None  # a dangling link: met, listed and skipped when it is read
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _same(path: Path, other: Path) -> bool:
    return path.exists() and other.exists() and os.path.samefile(path, other)
