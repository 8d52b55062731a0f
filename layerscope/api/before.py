"""What can be refused before anything slow begins: files that are not there, places that cannot be written.

All of it is asked of the disk alone. What is refused here would be refused later too, after minutes or hours.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.core.addresses import shown
from layerscope.core.engines import DEFAULT_ENGINE, ENGINES, OF_PROCESSES
from layerscope.core.errors import AtlasError, ImageError, UsageError, nearest
from layerscope.core.images import forms, kind_of

if TYPE_CHECKING:
    from layerscope.core.records import LayerRecord

# What a file needs at least, bytes: an atlas without rows, and of each image and of each peak what is kept in any case.
EMPTY_ATLAS, BYTES_PER_IMAGE, BYTES_PER_PEAK = 100_000, 100, 24


def require_weights(weights: str | os.PathLike[str] | None) -> None:
    """Raises UsageError where the file of weights, which a key may stand behind, is not there."""
    if weights is None or Path(weights).expanduser().exists():
        return
    path = Path(os.fspath(weights).partition("::")[0]).expanduser()
    if not path.exists():
        raise UsageError(f'there is no weights file "{path}"{nearest(path.name, _names_in(path.parent))}')


def readable(path: str | os.PathLike[str], what: str) -> Path:
    """The path of a file that is there. Raises UsageError otherwise. what: the file, with an article."""
    file = Path(path).expanduser()
    if file.is_dir():
        raise UsageError(f'{what} "{file}" are a folder; name the file in it')
    if not file.exists():
        raise UsageError(f'there is no file "{file}" with {what}{nearest(file.name, _names_in(file.parent))}')
    return file


def require_engine(engine: str | None, *, mergeable: bool = False, **said: object) -> str:
    """The engine that is meant. said: settings that only some engines take, by name; None where nothing was said.

    Raises UsageError for one that this engine does not take, and where what it makes is to be merged and cannot be.
    """
    chosen = engine or (OF_PROCESSES if said.get("processes") is not None else DEFAULT_ENGINE)
    for name, value in said.items():
        if value is not None and name not in ENGINES[chosen].takes:
            takers = " or ".join(row.name for row in ENGINES.own.values() if name in row.takes)
            raise UsageError(
                f'{name} is for the engine {takers}, and the engine "{chosen}" takes none; choose the engine {takers}, '
                "or leave it out"
            )
    if mergeable and ENGINES[chosen].proposer is not None:
        raise UsageError(
            f'mergeable cannot be had from the engine "{chosen}", whose bounds are measured on the images of one '
            f"atlas; use the engine {DEFAULT_ENGINE}, or leave mergeable out"
        )
    return chosen


def is_mergeable_part(given: Mapping[str, Any]) -> bool:
    """Whether the arguments of a build ask for a part of its images, by numbers, that can be merged with others."""
    part = given["begin"] is not None or given["end"] is not None
    return part and ENGINES[given.get("engine", DEFAULT_ENGINE)].proposer is None


def require_images(named: str) -> None:
    """Raises ImageError where a text names no images: it is no path that is there, no pattern, and of no other kind."""
    if kind_of(named) is None:
        raise ImageError(f'the images "{shown(named)}" do not exist; expected {forms()}')


def require_file(path: Path, what: str) -> None:
    """Raises UsageError, with the true reason, where no file can be written at this path. what: it, with an article."""
    if path.is_dir():
        raise UsageError(f'{what} cannot be written to "{path}": it is a folder; name a file in it')
    require_folder(path.parent, what)


def require_folder(folder: Path, what: str) -> None:
    """Raises UsageError, with the true reason, where no file can be made in this folder."""
    if not folder.is_dir():
        standing = next(one for one in (folder, *folder.parents) if one.exists() or one == one.parent)
        if standing.is_dir():
            raise UsageError(f'{what} cannot be written: there is no folder "{folder}"; make it, or choose another')
        raise UsageError(
            f'{what} cannot be written below "{standing}": it is a file and no folder; choose another place'
        )
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f'{what} cannot be written to the folder "{folder}": {error.strerror}; choose another'
        ) from None


def require_fillable(folder: Path, what: str) -> None:
    """Raises UsageError where a folder that may have to be made cannot be filled."""
    if folder.exists():
        if not folder.is_dir():
            raise UsageError(
                f'{what} cannot be written to "{folder}": it is a file and no folder; choose another place'
            )
        require_folder(folder, what)
        return
    standing = next(one for one in folder.absolute().parents if one.exists())
    require_folder(standing, what)


def require_atlas_place(path: Path, *, overwrite: bool) -> None:
    """Raises UsageError or AtlasError where no atlas can be made, or gone on with, at this path."""
    require_file(path, "the atlas")
    if not path.exists() or path.stat().st_size == 0:
        return
    from layerscope.atlas.connection import open_for_reading
    from layerscope.atlas.create import require_target

    if overwrite:
        require_target(path, overwrite=True)
        return
    try:
        open_for_reading(path).close()
    except AtlasError as error:
        raise type(error)(f"{error}; choose another name for the new atlas") from error


def require_room(path: Path, needed: int, what: str) -> None:
    """Raises UsageError where the disk of a path cannot possibly hold so many bytes more."""
    standing = next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
    free = shutil.disk_usage(standing).free
    if path.is_file():
        free += path.stat().st_size
    if free < needed:
        raise UsageError(
            f'{what} needs at least {_size(needed)}, and the disk of "{path.parent}" has {_size(free)} left: make '
            "room, or choose another place"
        )


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder) if not entry.name.startswith("."))
    except OSError:
        return []


def least_bytes(layers: "Iterable[LayerRecord]", k: int, images: int) -> int:
    """What an atlas cannot be smaller than: of every image and every peak what is kept in any case."""
    peaks = sum(layer.units for layer in layers) * min(k, images)
    return EMPTY_ATLAS + BYTES_PER_IMAGE * images + BYTES_PER_PEAK * peaks
