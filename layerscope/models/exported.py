"""An exported program: a `.pt2` file of torch.export.save, which holds network and weights and needs no Python code."""

import json
import zipfile
from pathlib import Path

import torch

from layerscope.core.errors import TraceError, UsageError
from layerscope.core.failures import require_machine
from layerscope.core.quiet import quiet
from layerscope.models.loaded import Loaded
from layerscope.models.signatures import kind_of_file


def exported_network(spec: str, *, weights: object = None, with_weights: bool = True) -> Loaded:
    """The program in a file, with its own weights.

    Raises UsageError where there is no file, TraceError where torch cannot load it.
    """
    path = Path(spec).expanduser()
    if not path.is_file():
        raise UsageError(f'there is no file "{path}"')
    kind = kind_of_file(path)
    if not kind.what.startswith("an exported program"):
        raise TraceError(
            f'"{path}" is no exported program of this torch version: it is {kind.what}; torch.export.save writes one'
        )
    try:
        with quiet():
            program = torch.export.load(path)
    except Exception as error:
        require_machine(error, path, kind=UsageError)
        made, here = _made_by(path), torch.__version__
        by = (
            f"it was written by torch {made}, and this is torch {here}"
            if made != here
            else f"torch {here} says: {_why(error)}"
        )
        raise TraceError(f'"{path}" is no exported program of this torch version: {by}; export it again') from error
    return Loaded(name=path.name, model=program, input=None)


def _why(error: BaseException) -> str:
    """The first line of what went wrong first; torch's own last word only points to what it has logged."""
    while error.__context__ is not None:
        error = error.__context__
    return " ".join(next(iter(str(error).splitlines()), type(error).__name__).split())[:240].rstrip(".:")


def _made_by(path: Path) -> str:
    """The torch that wrote a program; "of an unknown version" where the file does not say."""
    try:
        with zipfile.ZipFile(path) as archive:
            named = [n for n in archive.namelist() if n.endswith(("models/model.json", "exported_program.json"))]
            return str(json.loads(archive.read(named[0]))["torch_version"])
    except (zipfile.BadZipFile, IndexError, KeyError, ValueError, TypeError):
        return "of an unknown version"
