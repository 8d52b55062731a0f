"""Picture files: which ones a folder, a glob or a list names, in which order, and what they are called.

A file's identity is its path relative to the root (the folder, the fixed part of the glob, the folder that the files
of a list share), with forward slashes; its class is the name of the folder that holds it, if that is not the root.
Every regular file counts, whatever its suffix: decoding tells what is an image. Hidden files do not count.
"""

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from layerscope.core.errors import ImageError
from layerscope.sources.source import Entry

NO_IMAGES = frozenset({"thumbs.db", "desktop.ini"})  # what Windows hides in folders of pictures


def in_folder(folder: Path, *, without: Path | None = None) -> list[Entry]:
    """All files below a folder, sorted by identity as plain strings; `without` (the labels file) is left out.

    Raises ImageError for a folder without files.
    """
    paths = [path for path in _walk(folder) if without is None or not _same(path, without)]
    if not paths:
        raise ImageError(f'the folder "{folder}" holds no files')
    return sorted(_entries(paths, folder), key=lambda entry: entry.identity)


def matching(pattern: str) -> list[Path]:
    """The files that match a glob ("**" crosses folders), sorted. Raises ImageError where there are none."""
    found = [Path(path) for path in glob.glob(pattern, recursive=True)]
    paths = sorted((path for path in found if _is_image_name(path.name) and path.is_file()), key=Path.as_posix)
    if not paths:
        raise ImageError(f'no file matches "{pattern}"')
    return paths


def fixed_root(pattern: str) -> Path:
    """The folders of a glob before its first wildcard."""
    parts = Path(pattern).parts
    fixed = next((place for place, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return Path(*parts[:fixed])


def from_paths(paths: Sequence[Path], root: Path | None = None) -> list[Entry]:
    """These files, in this order. Raises ImageError for a path that is not a file."""
    for path in paths:
        if not path.exists():
            raise ImageError(f'the image "{path}" does not exist')
        if not path.is_file():
            raise ImageError(f'"{path}" in the list is not a file; give one folder, or a list of files')
    return list(_entries(paths, root or _shared_folder(paths)))


def printable(path: str) -> str:
    """A path that can be stored as text: bytes that are not UTF-8 are written as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _walk(folder: Path) -> Iterator[Path]:
    """Regular files and dangling links below a folder, unordered; links to folders are followed, each folder once."""
    seen = set()
    for top, folders, names in os.walk(folder, followlinks=True, onerror=_refuse):
        here = os.path.realpath(top)
        if here in seen:
            folders.clear()
            continue
        seen.add(here)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(top, name)
            if _is_image_name(name) and (path.is_file() or path.is_symlink()):
                yield path


def _refuse(failure: OSError) -> None:
    raise ImageError(f'the folder "{failure.filename}" cannot be read: {failure.strerror}') from None


def _entries(paths: Iterable[Path], root: Path) -> Iterator[Entry]:
    base = os.path.abspath(root)
    for path in paths:
        relative = Path(os.path.relpath(os.path.abspath(path), base))
        label = printable(relative.parent.name) if len(relative.parts) > 1 else None
        yield Entry(identity=printable(relative.as_posix()), size=_size(path), label=label, path=str(path))


def _is_image_name(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in NO_IMAGES


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
