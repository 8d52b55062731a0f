"""Modules as trees: several tests of what is said of the package walk through all of it."""

import ast
from functools import cache
from pathlib import Path


@cache
def parsed(path: Path) -> ast.Module:
    """A module's source, parsed once for all tests of a process; none changes it."""
    return ast.parse(path.read_text(encoding="utf-8"))
