"""A network from a user's file: `path/file.py:NAME`, a function or class that makes it, or the network itself."""

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from layerscope.core.errors import TraceError, UsageError, nearest
from layerscope.core.failures import plain_failures
from layerscope.core.keras_applications import is_keras
from layerscope.core.records import Input
from layerscope.models.guest import Guest, WantsArguments
from layerscope.models.loaded import RANDOM_SEED, Loaded, OwnForward, picture_by_picture
from layerscope.models.weights import arguments_in, with_file

_UNDER_MAIN = 'put what only a run of its own needs under if __name__ == "__main__":'


def user_network(spec: str, *, weights: str | Path | None = None, with_weights: bool = True) -> Loaded:
    """The network that a spec "file.py:NAME" means, and the file's INPUT; the code says with which weights, or a file.

    Raises UsageError for a file or name that is not there, TraceError where the file's code fails.
    """
    file, _, name = spec.rpartition(":")
    path = Path(file).expanduser()
    if not path.is_file():
        raise UsageError(f'there is no file "{file}" (network "{spec}")')
    guest = Guest(path.resolve())
    torch.manual_seed(RANDOM_SEED)
    with plain_failures(path, kind=UsageError):
        text = path.read_text(errors="replace")
    if "keras" in text:
        os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras reads it when the file imports it
    module = _guarded(guest.run, guest, f'"{file}" cannot be run', f'"{file}"')
    expects = getattr(module, "INPUT", None)
    if expects is not None and not isinstance(expects, Input):
        raise UsageError(f'INPUT in "{file}" must be a layerscope.Input, not {type(expects).__name__}')
    model = _made(_named(module, name, file), guest, name, file, {} if weights is None else arguments_in(weights))
    if is_keras(model):
        return _keras(model, f"{path.name}:{name}", expects, weights)
    loaded = Loaded(name=f"{path.name}:{name}", model=model, input=expects, own=_own(module, file))
    return loaded if weights is None else with_file(loaded, weights)


def _keras(model: Any, name: str, expects: Input | None, weights: object) -> Loaded:
    """A Keras model that a function gives, as a torch module."""
    from layerscope.models.keras.loading import keras_model

    if weights is not None:
        raise UsageError(f"{name} gives a Keras model: let the function load the weights, model.load_weights(FILE)")
    loaded = keras_model(model, name)
    return loaded if expects is None else replace(loaded, input=expects)


def _own(module: ModuleType, file: str) -> OwnForward | None:
    """How the file itself prepares pictures, where it says so."""
    prepare = getattr(module, "PREPARE", None)
    if prepare is None:
        return None
    if not callable(prepare):
        raise UsageError(
            f"PREPARE in \"{file}\" must be a function that makes a picture of Pillow's the network's input [c, h, w], "
            f"not {type(prepare).__name__}"
        )
    return picture_by_picture(f"PREPARE in {Path(file).name}", prepare)


def _named(module: ModuleType, name: str, file: str) -> Any:
    found = getattr(module, name, None)
    if not callable(found):
        names = [n for n in vars(module) if callable(getattr(module, n)) and not n.startswith("_")]
        raise UsageError(f'"{file}" has no function "{name}"{nearest(name, names)}')
    return found


def _made(found: Any, guest: Guest, name: str, file: str, kept: Mapping[str, Any]) -> Any:
    """What the name stands for, made. Random weights are drawn with a fixed seed.

    kept: arguments that a checkpoint keeps of how its network was made; those that the name takes are given to it.
    """
    if isinstance(found, nn.Module) or is_keras(found):
        return found
    needed, given = _needed(found), _taken(found, kept)
    needed = [argument for argument in needed if argument not in given]
    if needed:
        raise TraceError(
            f'{name} in "{file}" needs arguments ({", ".join(needed)}): write a function without any that gives them, '
            f"such as def network(): return {name}(...)"
        )
    torch.manual_seed(RANDOM_SEED)
    model = _guarded(partial(found, **given), guest, f'{name}() in "{file}" fails', f'{name}() in "{file}"')
    if model is None:
        raise TraceError(f'{name}() in "{file}" returns nothing, not a torch.nn.Module: does it lack its return?')
    if not isinstance(model, nn.Module) and not is_keras(model):
        what = type(model).__name__
        if isinstance(model, tuple | list):
            what = f"a {what} of {', '.join(type(one).__name__ for one in model)}"
        raise TraceError(f'{name}() in "{file}" returns {what}, not a torch.nn.Module: return the network alone')
    return model


def _needed(found: Callable[..., Any]) -> list[str]:
    """The arguments that a function or class cannot do without."""
    try:
        given = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return []
    passed = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in given if p.default is inspect.Parameter.empty and p.kind not in passed]


def _taken(found: Callable[..., Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Of the arguments that a checkpoint keeps those that a function or class takes by name."""
    if not kept:
        return {}
    try:
        given = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return {}
    any_name = any(one.kind is one.VAR_KEYWORD for one in given)
    names = {one.name for one in given if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
    return {name: value for name, value in kept.items() if name in names or any_name}


def _guarded(run: Callable[[], Any], guest: Guest, failing: str, what: str) -> Any:
    """Run the user's code as a guest; what goes wrong in it becomes one sentence with the user's own line."""
    try:
        with guest.at_work():
            return run()
    except WantsArguments as error:
        raise TraceError(
            f"{what} reads the arguments of a command, and there are none here ({_at(error, guest)}: {error}); "
            f"{_UNDER_MAIN}"
        ) from error
    except SystemExit as error:
        said = "" if error.code in (None, 0) else f": {error.code}"
        raise TraceError(f"{what} ends the program ({_at(error, guest)}){said}; {_UNDER_MAIN}") from error
    except Exception as error:
        message = " ".join(str(error).split())
        at = f" ({line})" if (line := guest.line_of(error)) else ""
        raise TraceError(f"{failing}: {type(error).__name__}: {message}{at}") from error


def _at(error: BaseException, guest: Guest) -> str:
    return guest.line_of(error) or "somewhere in it"
