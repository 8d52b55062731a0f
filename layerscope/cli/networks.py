"""The network that a command names, and what it expects: its own word, overruled by the command's options."""

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from layerscope.cli.output import Output
from layerscope.cli.words import input_text
from layerscope.core.errors import UsageError
from layerscope.core.records import Input

if TYPE_CHECKING:
    from layerscope.api.network import Network
    from layerscope.sources import Source


def network(arguments: argparse.Namespace, output: Output, *, with_weights: bool = True) -> "Network":
    """Load and trace the network, and say what it will be given.

    with_weights: False takes random weights unless a file is named. Raises UsageError and TraceError.
    """
    from layerscope.api.verbs import network_of
    from layerscope.models import load

    loaded = load(arguments.network, weights=getattr(arguments, "weights", None), with_weights=with_weights)
    expected = overruled(loaded.input, given(arguments), arguments.network)
    net = network_of(loaded, expected)
    _say(net, output)
    return net


def outline(arguments: argparse.Namespace, output: Output) -> "Network":
    """The network for what needs its layers only: a packaged one, seen before, is not built, and cannot be run."""
    from layerscope.api.reading import remember, remembered

    if getattr(arguments, "weights", None) is not None:
        return network(arguments, output, with_weights=False)
    options = given(arguments)
    net = remembered(arguments.network, options)
    if net is None:
        net = network(arguments, output, with_weights=False)
        remember(net, arguments.network, options)
    else:
        _say(net, output)
    return net


def _say(net: "Network", output: Output) -> None:
    output.remark(f"{net.name} expects {input_text(net.input)}")
    for remark in net.remarks:
        output.remark(remark)


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of Input that the command's options name."""
    found = {name: getattr(arguments, name) for name in ("mean", "std", "order", "resize", "crop", "interpolation")}
    found["show"] = arguments.show
    if arguments.input is not None:
        found |= dict(zip(("channels", "height", "width"), arguments.input, strict=True))
    return {name: value for name, value in found.items() if value is not None}


def overruled(own: Input | None, given: dict[str, Any], name: str) -> Input:
    """What the network expects. Raises UsageError where nobody says it."""
    if own is not None:
        return replace(own, **given)
    if "height" not in given:
        raise UsageError(
            f"{name} does not say what it expects: add --input CHANNELSxHEIGHTxWIDTH such as --input 3x224x224 (and "
            "--mean, --std), or, in a .py file, INPUT = layerscope.Input(channels=3, height=224, width=224)"
        )
    return Input(**given)


def images(arguments: argparse.Namespace) -> "Source":
    """The images that a command names: one path or glob, or several files. Raises ImageError and UsageError."""
    from layerscope.sources import open_source

    named = arguments.images[0] if len(arguments.images) == 1 else arguments.images
    options = {name: getattr(arguments, name) for name in ("labels", "limit", "orientation", "max_pixels")}
    return open_source(named, **options)
