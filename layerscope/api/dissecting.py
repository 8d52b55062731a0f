"""Dissecting an atlas: is this the network that made it, what do its units detect, and where that is kept."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.api.network import Network
from layerscope.api.verbs import network_of
from layerscope.atlas.read import AtlasFile
from layerscope.core.concepts import Dissection
from layerscope.core.errors import LayerscopeError, UsageError, WrongModel
from layerscope.core.failures import plain_failures
from layerscope.core.records import LayerRecord
from layerscope.dissect import MaskedImages, describe, dissect, record_dissection, record_notes
from layerscope.graph import Program
from layerscope.models import load
from layerscope.pipeline.settings import weights_hash
from layerscope.sources import Source

if TYPE_CHECKING:
    from layerscope.dissect.run import Progress


@plain_failures("the dissection")
def dissect_atlas(
    path: str | Path,
    net: str | Network | None,
    source: Source,
    masked: MaskedImages,
    *,
    weights: str | Path | None = None,
    seed: int = 0,
    say: Callable[[str], Any] = lambda sentence: None,
    progress: "Progress | None" = None,
) -> Dissection:
    """Dissect all layers of an atlas, keep what was found in it, and describe what its first layers see.

    net: a spec, a Network, or None for the spec that the atlas names. source, masked: the same images. weights: a
    state dict for a spec. say: is told what is left out. Raises WrongModel for another network than the atlas's.
    """
    if isinstance(net, Network) and weights is not None:
        raise UsageError("weights= goes with a spec; this network is already traced with its own")
    with AtlasFile(path) as file:
        run, layers = file.run, [layer.record for layer in file.layers]
    spec = run.network if net is None else net
    network = spec if isinstance(spec, Network) else _traced(spec, run.input, weights, named=net is not None)
    for remark in network.remarks:
        say(remark)
    _require_same(path, run.fingerprint, network.program, layers)
    untrained = None if isinstance(spec, Network) else _untrained(spec, network, layers)
    if untrained is None:
        say("no untrained network to compare with: only a named network can be built with other weights")
    found = dissect(
        network.program, run.input, layers, source, masked, untrained=untrained, seed=seed, progress=progress
    )
    for sentence in found.left_out:
        say(sentence)
    record_dissection(path, found)
    with AtlasFile(path) as file:
        notes = describe(file)
    record_notes(path, notes)
    return found


def _traced(spec: str, input: Any, weights: str | Path | None, *, named: bool) -> Network:
    try:
        return network_of(load(spec, weights=weights), input)
    except UsageError as error:
        if named:
            raise
        raise UsageError(f"{error}; the atlas calls its network so: name the network behind the atlas") from error


def _require_same(path: str | Path, made_of: dict[str, Any], program: Program, layers: list[LayerRecord]) -> None:
    """Raises WrongModel where the atlas was made by another network or by other weights."""
    if made_of.get("weights") != weights_hash(program):
        raise WrongModel(
            f"{path} was made by other weights than these: name the network that made it (layerscope info {path} "
            "prints it), with its --weights"
        )
    nodes = program.graph.nodes
    for layer in layers:
        shape = (layer.units, *(layer.map or ()))
        if layer.node >= len(nodes) or (nodes[layer.node].name, nodes[layer.node].shape) != (layer.path, shape):
            raise WrongModel(f"{path} was made by another network: this one has no layer {layer.name} of that shape")


def _untrained(spec: str, network: Network, layers: list[LayerRecord]) -> Program | None:
    """The same architecture with random weights; None where the spec gives no other weights or no such layers."""
    try:
        other = network_of(load(spec, with_weights=False), network.input).program
    except LayerscopeError:
        return None
    mapped = [layer.node for layer in layers if layer.map is not None]
    same = all(
        node < len(other.graph.nodes) and other.graph.nodes[node].shape == network.program.graph.nodes[node].shape
        for node in mapped
    )
    return other if same and weights_hash(other) != weights_hash(network.program) else None
