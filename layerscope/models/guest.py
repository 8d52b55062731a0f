"""A user's file is run as a guest: as `python net.py` runs it, and the house stays as it was.

It finds its neighbours and its package, also when a function imports them later. What it prints goes to stderr, it is
given no arguments of ours, and where it ends the program it ends itself only. Nothing it brings along stands in anybody
else's way: not a neighbour named like a module of the standard library, not one named like another guest's.
"""

import argparse
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

_OURS = Path(__file__).parents[1]
_brought: set[str] = set()


class WantsArguments(SystemExit):
    """The file reads arguments when it is run, and does without none."""


class _Neighbours(MetaPathFinder):
    """Finds modules beside the file and beside its package, before installed ones and behind the standard library."""

    def __init__(self, folders: list[str]) -> None:
        self.folders = folders

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if path is not None or name in sys.stdlib_module_names:
            return None
        found = PathFinder.find_spec(name, self.folders)
        # A mere folder of that name may be one of pictures; it is a package only where nothing else is (see sys.path).
        return found if found is not None and found.loader is not None else None


def run_file(path: Path) -> ModuleType:
    """Run a user's file, anew each time, and give its module. Raises whatever the file raises."""
    package, root = _package_of(path)
    neighbours = _Neighbours(list(dict.fromkeys((str(path.parent), str(root)))))
    _send_away_the_last()
    sys.meta_path.insert(0, neighbours)
    sys.path.extend(neighbours.folders)
    hidden = {name: sys.modules.pop(name) for name in _rivals(neighbours)}
    before = set(sys.modules)
    try:
        return _run(path, package)
    finally:
        _brought.update(name for name in set(sys.modules) - before if _lies_in(sys.modules[name], root))
        sys.modules.update(hidden)


@contextmanager
def as_guest(path: Path) -> Iterator[None]:
    """While the file's code runs: prints go to stderr, it sees no arguments, and the working directory comes back."""
    arguments, folder, complaint = sys.argv, os.getcwd(), argparse.ArgumentParser.error

    def wants(self: argparse.ArgumentParser, message: str) -> NoReturn:
        raise WantsArguments(message)

    sys.argv, argparse.ArgumentParser.error = [str(path)], wants  # type: ignore[method-assign]
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.argv, argparse.ArgumentParser.error = arguments, complaint  # type: ignore[method-assign]
        os.chdir(folder)


def where(error: BaseException, path: Path) -> str:
    """The deepest line of the user's own that an error comes from: "line 7", or "blocks.py, line 7"; "" if unknown."""
    _, root = _package_of(path)
    lines = [(error.filename, error.lineno)] if isinstance(error, SyntaxError) else []
    trace = error.__traceback__
    while trace is not None:
        lines.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    own = [(Path(file), line) for file, line in lines if file and line and _is_own(file, root)]
    if isinstance(error, SyntaxError):
        own = own[:1]
    if not own:
        return ""
    file, line = own[-1]
    return f"line {line}" if file == path else f"{file.relative_to(root)}, line {line}"


def _package_of(path: Path) -> tuple[str, Path]:
    """The package that a file lies in ("" for none), and the folder that its outermost package lies in."""
    folder, names = path.parent, list[str]()
    while (folder / "__init__.py").is_file() and "." not in folder.name:
        names.insert(0, folder.name)
        folder = folder.parent
    return ".".join(names), folder


def _run(path: Path, package: str) -> ModuleType:
    if package and path.name == "__init__.py":
        return importlib.import_module(package)
    if package:
        importlib.import_module(package)
    # A name of its own: `queue.py` must not become the standard library's queue, nor replace what the user imported.
    stem = path.stem.replace(".", "_")
    name = f"{package}." * bool(package) + f"layerscope_network_{stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _send_away_the_last() -> None:
    """Forget the modules of the last guest and where it was: a file that was edited since is read anew."""
    for finder in [finder for finder in sys.meta_path if isinstance(finder, _Neighbours)]:
        sys.meta_path.remove(finder)
        for folder in finder.folders:
            # The last one of it: the user's own entry, if there is one, stands before ours.
            last = len(sys.path) - 1 - sys.path[::-1].index(folder) if folder in sys.path else None
            if last is not None:
                del sys.path[last]
    for name in _brought:
        sys.modules.pop(name, None)
    _brought.clear()


def _rivals(neighbours: _Neighbours) -> list[str]:
    """Modules of the user's session that bear a neighbour's name and are another file; installed ones stay."""
    rivals = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if "." in name or file is None or "-packages" in file or name == "layerscope":
            continue
        found = neighbours.find_spec(name)
        if found is not None and found.origin != file:
            rivals.add(name)
    return [name for name in sys.modules if name.partition(".")[0] in rivals]


def _lies_in(module: Any, root: Path) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and _is_own(file, root)


def _is_own(file: str, root: Path) -> bool:
    """True for files of the user's project, though installed packages and layerscope may lie below the same folder."""
    path = Path(file)
    return path.is_relative_to(root) and "-packages" not in file and not path.is_relative_to(_OURS)
