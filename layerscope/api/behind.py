"""The network behind an atlas: the one that made it, traced again and held to be the same, and its untrained twin."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from layerscope.api.network import Network
from layerscope.api.opening import load_named, network_of
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import RunRecord
from layerscope.core.errors import LayerscopeError, UsageError
from layerscope.core.networks import How
from layerscope.core.records import LayerRecord
from layerscope.facts.network import require_same
from layerscope.graph import Carrier
from layerscope.pipeline.identity import identity_of
from layerscope.pipeline.settings import weights_hash


def network_behind(
    path: str | Path, net: str | Network | None, how: How, say: Callable[[str], Any]
) -> tuple[RunRecord, list[LayerRecord], str | Network, Network]:
    """An atlas's run and layers, and the network that made it, as it was meant and traced. Raises WrongModel."""
    if isinstance(net, Network) and how.weights is not None:
        raise UsageError("weights= goes with a spec; this network is already traced with its own")
    with AtlasFile(path) as file:
        run, layers = file.run, [layer.record for layer in file.layers]
    spec = run.network if net is None else net
    network = spec if isinstance(spec, Network) else _traced(spec, run.input, how, named=net is not None)
    for remark in network.remarks:
        say(remark)
    require_same(path, run, layers, identity_of(network.program, network.name, network.input))
    return run, layers, spec, network


def _traced(spec: str, input: Any, how: How, *, named: bool) -> Network:
    try:
        return network_of(load_named(spec, how), input)
    except UsageError as error:
        if named:
            raise
        raise UsageError(f"{error}; the atlas calls its network so: name the network behind the atlas") from error


def untrained_behind(
    spec: str | Network, network: Network, layers: list[LayerRecord], how: How, say: Callable[[str], Any]
) -> Carrier | None:
    """The untrained network to compare an atlas's with; None, and a remark, where there is none."""
    untrained = None if isinstance(spec, Network) else _untrained(spec, network, layers, how)
    if untrained is None:
        say("no untrained network to compare with: only a named network can be built with other weights")
    return untrained


def _untrained(spec: str, network: Network, layers: list[LayerRecord], how: How) -> Carrier | None:
    """The same architecture with random weights; None where the spec gives no other weights or no such layers."""
    try:
        loaded = load_named(spec, replace(how, weights=None), with_weights=False)
        other = network_of(loaded, network.input).program
    except LayerscopeError:
        return None
    mapped = [layer.node for layer in layers if layer.map is not None]
    same = all(
        node < len(other.graph.nodes) and other.graph.nodes[node].shape == network.program.graph.nodes[node].shape
        for node in mapped
    )
    return other if same and weights_hash(other) != weights_hash(network.program) else None
