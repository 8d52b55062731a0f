"""From what a user calls the network to a Network, and what it expects: its own word, overruled where that is asked."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.api.inputs import input_text
from layerscope.core import settings as s
from layerscope.core.addresses import manifest_of
from layerscope.core.choice import ChosenImages
from layerscope.core.columns import Columns
from layerscope.core.errors import TraceError, UsageError
from layerscope.core.networks import OWN_WAY, How, kind_of
from layerscope.core.records import Input

if TYPE_CHECKING:
    from layerscope.api.network import Network
    from layerscope.models import Loaded
    from layerscope.sources import Source
    from layerscope.sources.types import Images


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A network that was named, as a command does it, and is opened when it is needed.

    spec: its name. given: fields of the Input that overrule its own. say: is told what it expects, and its remarks.
    """

    spec: str
    given: Mapping[str, Any] = field(default_factory=dict[str, Any])
    say: Callable[[str], object] = lambda sentence: None


def network_for(net: Any, how: How = OWN_WAY, input: Input | None = None, *, with_weights: bool = True) -> "Network":
    """The Network that is meant: held already, a module, or named. Raises UsageError and TraceError."""
    from layerscope.api.network import Network

    if isinstance(net, Network):
        if how.weights is not None:
            raise UsageError("weights= goes with a spec or a module; this network is already traced with its own")
        if how.bind:
            raise UsageError("bind= goes with a spec or a module; this network is already traced")
        if input is not None and input != net.input:
            raise UsageError("input= goes with a spec or a module; this network is already traced with its own")
        return net
    if isinstance(net, Wanted):
        loaded = load_named(net.spec, how, with_weights=with_weights)
        network = network_of(loaded, overruled(loaded.input, net.given, net.spec))
        announce(network.name, network.input, network.remarks, net.say)
        return network
    found = traced(net, input, how, with_weights=with_weights)
    for remark in found.remarks:
        warnings.warn(remark, stacklevel=4)
    return found


def traced(model: Any, input: Input | None, how: How, *, with_weights: bool = True) -> "Network":
    """A module or spec, loaded and traced. Raises UsageError and TraceError."""
    loaded = loaded_for(model, how, with_weights=with_weights)
    return network_of(loaded, input or loaded.input)


def announce(name: str, input: Input, remarks: Iterable[str], say: Callable[[str], object]) -> None:
    """Say what a network expects and what was chosen when it was opened."""
    say(f"{name} expects {input_text(input)}")
    for remark in remarks:
        say(remark)


def load_named(spec: Any, how: How = OWN_WAY, *, with_weights: bool = True) -> "Loaded":
    """A named network with its weights."""
    from layerscope.models import load

    return load(spec, weights=how.weights, with_weights=with_weights, trust=how.trust, bind=how.bind)


def network_of(loaded: "Loaded", input: Input | None) -> "Network":
    """Trace a network that was found and loaded. Raises TraceError and UsageError."""
    from layerscope.api.reading import read_network

    if input is None:
        raise UsageError(
            f"{loaded.name} does not say what it expects: input=ls.Input(channels=3, height=224, width=224)"
        )
    return read_network(loaded, input)


def overruled(own: Input | None, given: Mapping[str, Any], name: str) -> Input:
    """What the network expects. Raises UsageError where nobody says it.

    With another size and no `resize` the own one grows or shrinks with it, so that the crop keeps its share.
    """
    if own is not None:
        return replace(own, **{**_resized_with(own, given), **given})
    if "height" not in given:
        raise UsageError(
            f"{name} does not say what it expects: add --input CHANNELSxHEIGHTxWIDTH such as --input 3x224x224 (and "
            "--mean, --std), or, in a .py file, INPUT = layerscope.Input(channels=3, height=224, width=224)"
        )
    return Input(**given)


def _resized_with(own: Input, given: Mapping[str, Any]) -> dict[str, int]:
    if own.resize is None or not {"height", "width"} <= given.keys():
        return {}
    return {"resize": round(own.resize * max(given["height"] / own.height, given["width"] / own.width))}


def require_read(network: "Network") -> None:
    """Raises TraceError where the replay found that the graph is not the user's network."""
    found = network.replay
    if found is not None and found.fault:
        raise TraceError(f"{network.name}: {found.clause}; nothing is built from it; {found.advice}")


def require_device(device: str) -> None:
    """Raises UsageError where PyTorch has no such device."""
    if device == "cpu":
        return
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f'the device "{device}" cannot be used: {str(error).splitlines()[0]}') from error


def loaded_for(model: Any, how: How = OWN_WAY, *, with_weights: bool = True) -> "Loaded":
    """A module that is held, or a network that is named, with its weights. Raises UsageError and TraceError."""
    if not isinstance(model, (str, Path)) and kind_of(model) is None:
        return _held(model, how, with_weights=with_weights)
    if how.weights is not None and not with_weights:
        raise UsageError("with_weights=False asks for random weights, and weights= for those of a file: give one")
    named = str(model) if isinstance(model, Path) else model
    return load_named(named, how, with_weights=with_weights)


def _held(model: Any, how: How, *, with_weights: bool) -> "Loaded":
    """A module or exported program that the user holds; weights of a file go into a copy of it."""
    from torch import nn

    from layerscope.api.arguments import require_model
    from layerscope.graph import prepared
    from layerscope.models import Loaded, load_module

    require_model(model)
    if not with_weights:
        raise UsageError("with_weights=False goes with a spec; a model that you hold has the weights that it has")
    if isinstance(model, nn.Module):
        changed = how.weights is not None or how.bind
        return load_module(prepared(model).module if changed else model, how.weights, bind=how.bind)
    if how.bind:
        raise UsageError(f"bind= goes with a spec or a torch.nn.Module, not with {type(model).__name__}")
    if how.weights is not None:
        raise UsageError(f"weights= goes with a spec or a torch.nn.Module, not with {type(model).__name__}")
    return Loaded(name=type(model).__name__, model=model, input=None)


def opened_images(
    images: "Images",
    labels: str | PathLike[str] | None,
    columns: Columns,
    choice: ChosenImages,
    orientation: s.Orientation,
    max_pixels: int,
    *,
    atlas: Path | None = None,
    **relisted: bool,
) -> "Source":
    """What a user calls the images, as a source. Raises ImageError and UsageError.

    atlas: beside which a listing that takes long is kept. relisted: `anew` or `compared`, as `Asked` tells.
    """
    from layerscope.sources import open_source

    named = None if labels is None else fspath(labels)
    manifest = None if atlas is None else manifest_of(atlas)
    return open_source(
        images,
        labels=named,
        columns=columns,
        choice=choice,
        orientation=orientation,
        max_pixels=max_pixels,
        manifest=manifest,
        **relisted,
    )
