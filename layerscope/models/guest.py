"""A user's file is run as a guest: as `python net.py` runs it, and the house stays as it was.

It finds its neighbours and its package, also when a function imports them later. What it prints goes to stderr, it is
given no arguments of ours, and where it ends the program it ends itself only. Nothing it brings along stands in anybody
else's way: not a neighbour named like a module of the standard library, of the user's session or of another guest.
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
from typing import NoReturn

_OURS = Path(__file__).parents[1]


class WantsArguments(SystemExit):
    """The file reads arguments when it is run, and cannot do without."""


class _Neighbours(MetaPathFinder):
    """Finds modules beside the file and beside its package, but for names of the standard library.

    mere: also folders without an `__init__.py`, which may hold pictures and bear the name of an installed package.
    """

    def __init__(self, folders: list[str], *, mere: bool) -> None:
        self.folders, self.mere = folders, mere

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if path is not None or name in sys.stdlib_module_names:
            return None
        found = PathFinder.find_spec(name, self.folders)
        return found if found is not None and (self.mere or found.loader is not None) else None


class Guest:
    """A user's file, and what it brings into the process. The last guest leaves when the next one comes.

    path: of the file, resolved. root: the folder that its outermost package lies in, or its own.
    """

    _last: "Guest | None" = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self.package, self.root = _package_of(path)
        folders = list(dict.fromkeys((str(path.parent), str(self.root))))
        # While its code runs neighbours come first, as in `python net.py`; later, when the network is traced, last.
        self._first, self._later = _Neighbours(folders, mere=False), _Neighbours(folders, mere=True)
        self._brought: set[str] = set()
        if Guest._last is not None:
            Guest._last._leave()
        Guest._last = self
        sys.meta_path.append(self._later)

    def run(self) -> ModuleType:
        """Run the file and give its module; within `at_work`. Raises whatever the file raises."""
        if self.package:
            package = importlib.import_module(self.package)
            if self.path.name == "__init__.py":
                return package
        # A name of its own: `queue.py` must not become the standard library's, nor replace what the user imported.
        name = f"{self.package}." * bool(self.package) + f"layerscope_network_{self.path.stem.replace('.', '_')}"
        spec = importlib.util.spec_from_file_location(name, self.path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While its code runs: its neighbours come first, prints go to stderr, and it sees no arguments.

        Arguments, working directory and the session's own modules come back.
        """
        arguments, folder, complaint = sys.argv, os.getcwd(), argparse.ArgumentParser.error
        hidden = {name: sys.modules.pop(name) for name in self._rivals()}
        before = set(sys.modules)
        sys.meta_path.insert(0, self._first)
        sys.argv, argparse.ArgumentParser.error = [str(self.path)], _wants  # type: ignore[method-assign]
        try:
            with redirect_stdout(sys.stderr):
                yield
        finally:
            sys.argv, argparse.ArgumentParser.error = arguments, complaint  # type: ignore[method-assign]
            os.chdir(folder)
            sys.meta_path.remove(self._first)
            self._brought |= {name for name in set(sys.modules) - before if self._is_own(_file(sys.modules[name]))}
            sys.modules.update(hidden)

    def line_of(self, error: BaseException) -> str:
        """The deepest line of the user's own that an error comes from: "line 7", "blocks.py, line 7", or ""."""
        lines = [(error.filename, error.lineno)] if isinstance(error, SyntaxError) else []
        trace = None if lines and self._is_own(lines[0][0]) else error.__traceback__
        while trace is not None:
            lines.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
            trace = trace.tb_next
        own = [(Path(file), line) for file, line in lines if file and line and self._is_own(file)]
        if not own:
            return ""
        file, line = own[-1]
        return f"line {line}" if file == self.path else f"{file.relative_to(self.root)}, line {line}"

    def _leave(self) -> None:
        """Forget its modules: a file that was edited since is read anew."""
        if self._later in sys.meta_path:
            sys.meta_path.remove(self._later)
        for name in self._brought:
            sys.modules.pop(name, None)

    def _rivals(self) -> list[str]:
        """Modules of the session that bear a neighbour's name and are another file; installed ones stay."""
        rivals = set()
        for name, module in list(sys.modules.items()):
            file = _file(module)
            if file and "." not in name and "-packages" not in file and name != "layerscope":
                found = self._first.find_spec(name)
                if found is not None and found.origin != file:
                    rivals.add(name)
        return [name for name in sys.modules if name.partition(".")[0] in rivals]

    def _is_own(self, file: str | None) -> bool:
        """True for the user's project, though installed packages and layerscope may lie below the same folder."""
        path = Path(file or "")
        return path.is_relative_to(self.root) and "-packages" not in str(path) and not path.is_relative_to(_OURS)


def _wants(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    raise WantsArguments(message)


def _file(module: object) -> str | None:
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else None


def _package_of(path: Path) -> tuple[str, Path]:
    """The package that a file lies in ("" for none), and the folder that its outermost package lies in."""
    folder, names = path.parent, list[str]()
    while (folder / "__init__.py").is_file() and "." not in folder.name:
        names.insert(0, folder.name)
        folder = folder.parent
    return ".".join(names), folder
