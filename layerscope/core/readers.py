"""Which programs read networks, as plain values: what they found is kept under a key that holds them.

It is said without loading any of them, so that what is kept can be found without waiting for torch.
"""

import functools
import hashlib
import os
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.core.version import __version__

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

PACKAGE = Path(__file__).parents[1]
# A change of what an entry holds, where the version stays.
FORMAT = 1
# The entry points by which other packages add rows of operations.
OPERATIONS = "layerscope.operations"


@functools.cache
def house(*rooms: str) -> tuple[object, ...]:
    """Python, our version, and the code in these rooms of the package."""
    digest = hashlib.sha256()
    for file in sorted(file for room in rooms for file in (PACKAGE / room).rglob("*.py")):
        digest.update(file.relative_to(PACKAGE).as_posix().encode() + b"\0" + file.read_bytes())
    return __version__, FORMAT, digest.hexdigest(), sys.version


@functools.cache
def build_of(package: str) -> str:
    """Which build of torch, torchvision or timm is installed, as its `version.py` says it; "" where there is none."""
    found = find_spec(package)
    if found is None or found.origin is None:
        return ""
    try:
        return hashlib.sha256(Path(found.origin).with_name("version.py").read_bytes()).hexdigest()
    except OSError:
        return ""


def guests(points: "Iterable[EntryPoint]") -> list[list[str]]:
    """The rows of other packages, each with what is in the file that it stands in."""
    return [[point.name, point.value, _file(point.module)] for point in points]


def _file(module: str) -> str:
    """What is in a module's file; nothing where it cannot be found, since then the row cannot be had."""
    try:
        found = find_spec(module)
    except (ImportError, ValueError):
        found = None
    if found is None:
        return ""
    if found.origin is None or not found.has_location:
        return os.urandom(8).hex()  # code that is in no file cannot be known: nothing is kept for it
    return hashlib.sha256(Path(found.origin).read_bytes()).hexdigest()
