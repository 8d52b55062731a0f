"""A network by what names it: the first kind that it is of loads it, and what it gives is looked at.

The kinds are rows of `core/networks.py`, ours and those of other packages; nothing here knows one of them.
"""

from collections.abc import Iterator
from pathlib import Path

from torch import nn
from torch.export import ExportedProgram

from layerscope.core.errors import LayerscopeError, TraceError, UsageError, nearest
from layerscope.core.networks import NETWORKS, NetworkKind, filled_forms, forms, kind_of
from layerscope.models.loaded import Loaded
from layerscope.models.signatures import kind_of_file
from layerscope.models.weights import check_numbers, with_file

_ALONE = "holds weights, which are no network alone: name their network, and give this file with --weights"
_INSTEAD = "give the torch network that it came from, as a function in a .py file"


def load(network: object, *, weights: str | Path | None = None, with_weights: bool = True) -> Loaded:
    """Find the network that is named; `weights` is a file with weights for it, or "FILE::KEY" for a part of it.

    network: a text of a form that a kind has, or what a kind takes from Python. with_weights: False builds the
    architecture with random weights where no file is given, for what needs none. Raises UsageError for what names
    nothing, TraceError for code or files that do not load.
    """
    kind = kind_of(network)
    if kind is None:
        raise UsageError(_nothing(str(network)))
    kind = NETWORKS[kind.name]
    if weights is not None and not kind.filled:
        raise UsageError(f"{network} holds its own weights; --weights goes with {filled_forms()}")
    loaded = _loaded(kind, network, weights, with_weights=with_weights)
    if isinstance(loaded.model, nn.Module):
        check_numbers(loaded.model)
    return loaded


def load_module(model: nn.Module, weights: str | Path | None) -> Loaded:
    """A module that is held already, with a file's weights where one is named. The module is changed: give a copy."""
    loaded = Loaded(name=type(model).__name__, model=model, input=None)
    if weights is not None:
        loaded = with_file(loaded, weights)
    check_numbers(model)
    return loaded


def _loaded(kind: NetworkKind, network: object, weights: str | Path | None, *, with_weights: bool) -> Loaded:
    """What a kind gives; what goes wrong in a guest's code becomes one sentence."""
    try:
        loaded = kind.load(network, weights=weights, with_weights=with_weights)
    except LayerscopeError:
        raise
    except Exception as failure:
        if kind.name in NETWORKS.own:
            raise
        said = f"{type(failure).__name__}: {failure}".splitlines()[0]
        raise TraceError(f'"{network}" cannot be loaded: the network kind "{kind.name}" fails: {said}') from failure
    model = loaded.model if isinstance(loaded, Loaded) else loaded
    if isinstance(loaded, Loaded) and isinstance(model, nn.Module | ExportedProgram):
        return loaded
    raise TraceError(
        f'"{network}" cannot be loaded: the network kind "{kind.name}" gives a {type(model).__name__}; expected a '
        "Loaded with a torch.nn.Module or an exported program"
    )


def _nothing(spec: str) -> str:
    """Why a spec names no network, with what to write instead."""
    path = Path(spec).expanduser()
    if path.suffix == ".py":
        return f'"{spec}" names a file but no function in it; write {spec}:FUNCTION'
    if path.is_file():
        kind = kind_of_file(path)
        why = f"it {_ALONE}" if kind.reader and kind.reader != "index" else f"it is {kind.what}; {_INSTEAD}"
        return f'"{spec}" names no network: {why}'
    return f'"{spec}" names no network; write {forms()}{nearest(spec, *_names())}'


def _names() -> tuple[list[str], dict[str, str]]:
    """The names of all networks that can be had, and what stands before those that are often asked for without it."""
    prefixes: dict[str, str] = {}
    for prefix, name in _named():
        prefixes.setdefault(name, prefix)  # of two libraries with one name the first is meant
    return list(prefixes), prefixes


def _named() -> Iterator[tuple[str, str]]:
    for row in NETWORKS:
        if row.names is not None and not row.missing():
            yield from ((row.prefix, name.removeprefix(row.prefix)) for name in row.names())
