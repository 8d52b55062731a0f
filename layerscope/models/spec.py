"""A network by what names it: the first kind that it is of loads it, and what it gives is looked at.

The kinds are rows of `core/networks.py`, ours and those of other packages; nothing here knows one of them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import nn
from torch.export import ExportedProgram

from layerscope.core.errors import LayerscopeError, TraceError, UsageError, nearest
from layerscope.core.networks import NETWORKS, NetworkKind, filled_forms, forms, kind_of
from layerscope.models.binding import bind_arguments
from layerscope.models.loaded import Loaded
from layerscope.models.signatures import no_network
from layerscope.models.weights import check_numbers, with_file

NOTHING: Mapping[str, object] = MappingProxyType({})


def load(
    network: object, *, weights: str | Path | None = None, with_weights: bool = True, trust: bool = False,
    bind: Mapping[str, object] = NOTHING,
) -> Loaded:  # fmt: skip
    """Find the network that is named; `weights` is a file with weights for it, or "FILE::KEY" for a part of it.

    network: a text of a form that a kind has, or what a kind takes from Python. with_weights: False builds the
    architecture with random weights where no file is given, for what needs none. trust: whether code that a file brings
    along may run. bind: values for further arguments of its forward. Raises UsageError for what names
    nothing, TraceError for code or files that do not load.
    """
    kind = kind_of(network)
    if kind is None:
        raise UsageError(_nothing(str(network)))
    kind = NETWORKS[kind.name]
    if weights is not None and not kind.filled:
        raise UsageError(f"{network} holds its own weights; --weights goes with {filled_forms()}")
    more: dict[str, Any] = {"trust": trust} if kind.trusting else {}
    loaded = _loaded(kind, network, weights, with_weights=with_weights, **more)
    if isinstance(loaded.model, nn.Module):
        check_numbers(loaded.model)
        bind_arguments(loaded.model, bind)
    elif bind:
        raise UsageError(f"{network} is an exported program, whose arguments were bound when it was exported")
    return loaded


def load_module(model: nn.Module, weights: str | Path | None, *, bind: Mapping[str, object] = NOTHING) -> Loaded:
    """A module that is held already, with a file's weights where one is named. The module is changed: give a copy."""
    loaded = Loaded(name=type(model).__name__, model=model, input=None)
    if weights is not None:
        loaded = with_file(loaded, weights)
    check_numbers(model)
    bind_arguments(model, bind)
    return loaded


def _loaded(
    kind: NetworkKind, network: object, weights: str | Path | None, *, with_weights: bool, **more: Any
) -> Loaded:
    """What a kind gives; what goes wrong in a guest's code becomes one sentence."""
    try:
        loaded = kind.load(network, weights=weights, with_weights=with_weights, **more)
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
        return no_network(spec, path)
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
