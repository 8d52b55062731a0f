"""The entry points by which other packages add rows, found without loading what reads them where there are none.

`importlib.metadata` takes longer to load than all that `layerscope VERB --help` needs besides.
"""

import os
import sys
from functools import cache
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

# A title in `entry_points.txt`: the groups of all our registries begin so.
_OURS = b"[layerscope."


def points(group: str) -> "Iterable[EntryPoint]":
    """All entry points of a group, those of one name among them."""
    if not _somebody(tuple((folder, _changed(folder)) for folder in sys.path)):
        return ()
    from importlib.metadata import entry_points

    return entry_points(group=group)


def look_anew() -> None:
    """Forget what was found."""
    _somebody.cache_clear()


@cache
def _somebody(folders: tuple[tuple[str, int], ...]) -> bool:
    """True where a package in these folders may name one; also where that cannot be seen from its files."""
    if any(hasattr(finder, "find_distributions") for finder in sys.meta_path if finder is not PathFinder):
        return True
    return any(_names_one(folder or ".") for folder, changed in folders if changed)


def _names_one(folder: str) -> bool:
    if folder.lower().endswith(".egg") or not os.path.isdir(folder):
        return True  # an egg or a zip archive, which keeps its entry points elsewhere
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    return any(
        name.lower().endswith((".dist-info", ".egg-info")) and _names_ours(os.path.join(folder, name)) for name in names
    )


def _names_ours(described: str) -> bool:
    try:
        with open(os.path.join(described, "entry_points.txt"), "rb") as file:
            return _OURS in file.read()
    except OSError:
        return False


def _changed(folder: str) -> int:
    """When a folder was changed, 0 where there is none."""
    try:
        return os.stat(folder or ".").st_mtime_ns
    except OSError:
        return 0
