"""What a weights file holds, opened by what it is; whatever is no weights file is refused by name, with the way out."""

import json
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from layerscope.core.errors import TraceError, UsageError, nearest
from layerscope.core.failures import require_machine
from layerscope.models import standins
from layerscope.models.signatures import kind_of_file

_CUT = "it is damaged or cut short: copy or download it again"


def contents(path: Path) -> Any:
    """Dictionaries, lists, values and tensors in a file, of which no code has run.

    Raises UsageError where there is no such file, TraceError that names what else the file is.
    """
    if os.path.isdir(path):
        inside = _files_in(path)[:8]
        held = f" (it holds {', '.join(inside)})" if inside else ""
        raise UsageError(f'"{path}" is a folder; name the weights file in it{held}')
    if not os.path.isfile(path):
        raise UsageError(f'there is no weights file "{path}"{nearest(path.name, _files_in(path.parent))}')
    kind = kind_of_file(path)
    if not kind.reader:
        raise TraceError(f'"{path}" cannot be read as weights: it is {kind.what}; {kind.advice}')
    try:
        return _READERS[kind.reader](path)
    except (OSError, TraceError) as error:
        require_machine(error, path, kind=UsageError)
        raise


def _files_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    except OSError:
        return []


def _torch(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return standins.load_without_code(path)
    except Exception as error:
        raise TraceError(f'"{path}" cannot be read as weights: {_trouble(path, error)}') from error


def _trouble(path: Path, error: Exception) -> str:
    """Why a file of torch.save does not open: it runs code of its own, or it is damaged."""
    try:
        named = {name for name in standins.named_in(path) if not name.startswith(("torch.", "collections.", "numpy."))}
    except Exception:
        return _CUT
    if not named or isinstance(error, RuntimeError | EOFError):
        return _CUT
    listed = ", ".join(sorted(named)[:4])
    return (
        f"beside tensors it holds objects ({listed}) that cannot be opened without running code; where it was made, "
        'save the state dict alone: torch.save(model.state_dict(), "weights.pt")'
    )


def _safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise TraceError(f'"{path}" cannot be read as weights: {_CUT} ({error})') from error


def _arrays(path: Path) -> Any:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: torch.from_numpy(archive[name]) for name in archive.files}
    except (ValueError, OSError, TypeError, zipfile.BadZipFile) as error:
        raise TraceError(f'"{path}" cannot be read as weights: one of its arrays is no array of numbers') from error


def _index(path: Path) -> Any:
    """Weights that are spread over several files, which an index beside them names."""
    try:
        shards = sorted(set(json.loads(path.read_bytes())["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TraceError(
            f'"{path}" cannot be read as weights: it is a JSON file; name a file of weights, or an index of several '
            '(with "weight_map")'
        ) from error
    if not shards:
        raise TraceError(f'"{path}" is an index of weights files, but names none; name the weights file itself')
    missing = [name for name in shards if not (path.parent / name).is_file()]
    if missing:
        raise TraceError(f'"{path}" spreads its weights over files that are not beside it: {", ".join(missing[:8])}')
    held = {shard: contents(path.parent / shard) for shard in shards}
    odd = [shard for shard, state in held.items() if not isinstance(state, dict)]
    if odd:
        raise TraceError(f'"{path}" spreads its weights over files of which {odd[0]} holds no tensors by name')
    return {name: tensor for state in held.values() for name, tensor in state.items()}


_READERS = {"torch": _torch, "legacy": _torch, "safetensors": _safetensors, "npz": _arrays, "index": _index}
