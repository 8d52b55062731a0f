"""A network by name: `zfnet64`, `torchvision:NAME`, `path/file.py:NAME` or `path/model.pt2`, or a module with a file.

Each gives a module (or an exported program), what it expects as input, and a name to print. `/none` behind one of the
first two kinds means seeded random weights: what the architecture alone does.
"""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from layerscope.core.errors import TraceError, UsageError, nearest
from layerscope.models.exported import exported_network
from layerscope.models.loaded import Loaded
from layerscope.models.named import NAMED, shipped_weights
from layerscope.models.signatures import kind_of
from layerscope.models.torchvision import torchvision_network
from layerscope.models.user_code import user_network
from layerscope.models.weights import check_numbers, class_names, fill, resized

RANDOM_SEED = 0
KINDS = f"{', '.join(NAMED)}, torchvision:NAME, path/file.py:FUNCTION or path/model.pt2"
_ALONE = "holds weights, which are no network alone: name their network, and give this file with --weights"
_INSTEAD = "give the torch network that it came from, as a function in a .py file"


def load(spec: str, *, weights: str | Path | None = None, with_weights: bool = True) -> Loaded:
    """Find the network that a spec names; `weights` is a file with weights for it, or "FILE::KEY" for a part of it.

    with_weights: False builds the architecture with random weights where no file is given, for what needs none.
    Raises UsageError for a spec that means nothing, TraceError for code or files that do not load.
    """
    kind, _, name = spec.partition(":")
    if spec.partition("/")[0] in NAMED:
        loaded = _named(spec, weights, with_weights=with_weights)
    elif kind == "torchvision" and name:
        loaded = torchvision_network(name, weights, with_weights=with_weights)
    elif spec.endswith(".pt2"):
        if weights is not None:
            raise UsageError(f"{spec} holds its own weights; --weights goes with torchvision: and .py networks")
        loaded = exported_network(spec)
    elif ".py:" in spec:
        loaded = user_network(spec)
        if weights is not None:
            loaded = _filled(loaded, weights)
    else:
        raise UsageError(_nothing(spec))
    if isinstance(loaded.model, nn.Module):
        check_numbers(loaded.model)
    return loaded


def load_module(model: nn.Module, weights: str | Path | None) -> Loaded:
    """A module that is held already, with a file's weights where one is named. The module is changed: give a copy."""
    loaded = Loaded(name=type(model).__name__, model=model, input=None)
    if weights is not None:
        loaded = _filled(loaded, weights)
    check_numbers(model)
    return loaded


def _filled(loaded: Loaded, weights: str | Path) -> Loaded:
    assert isinstance(loaded.model, nn.Module)
    filled = fill(loaded.model, weights)
    return replace(loaded, remarks=(*filled.remarks, *resized(filled)), unloaded=filled.unloaded)


def _named(spec: str, weights: str | Path | None, *, with_weights: bool) -> Loaded:
    """A network of ours, with the shipped weights, a file's, or random ones. A file's classes are the network's."""
    name, _, choice = spec.partition("/")
    if choice not in ("", "none"):
        raise UsageError(f'"{spec}": only /none (random weights) can follow the name')
    if choice and weights is not None:
        raise UsageError(f'"{spec}" asks for random weights, and --weights for those of a file: name one of them')
    named = NAMED[name]
    file = weights if weights is not None else shipped_weights(name)
    torch.manual_seed(RANDOM_SEED)
    if weights is None and (choice or not with_weights):
        return Loaded(name=spec, model=named.plain(named.classes), input=named.input)
    if file is None:
        raise TraceError(
            f"no weights of {name} are shipped: give a file with --weights (layerscope train {name} makes one), or "
            f"write {name}/none for random ones"
        )
    model = named.plain(named.classes)
    filled = fill(model, file)
    classes = () if filled.unloaded else class_names(file)
    return Loaded(
        name=spec, model=model, input=named.input, classes=classes, remarks=filled.remarks, unloaded=filled.unloaded
    )


def _nothing(spec: str) -> str:
    """Why a spec names no network, with what to write instead."""
    path = Path(spec).expanduser()
    if path.suffix == ".py":
        return f'"{spec}" names a file but no function in it; write {spec}:FUNCTION'
    if path.is_file():
        kind = kind_of(path)
        why = f"it {_ALONE}" if kind.reader and kind.reader != "index" else f"it is {kind.what}; {_INSTEAD}"
        return f'"{spec}" names no network: {why}'
    return f'"{spec}" names no network; write {KINDS}{_nearest(spec)}'


def _nearest(spec: str) -> str:
    """A clause that suggests networks for what was written; torchvision's are often asked for by their bare names."""
    try:
        from torchvision import models
    except ImportError:
        return nearest(spec, NAMED)
    others = models.list_models(module=models)
    return nearest(spec, [*NAMED, *others], dict.fromkeys(others, "torchvision:"))
