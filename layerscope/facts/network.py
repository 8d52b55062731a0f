"""Is this the network of the atlas? One question, and one sentence that says what differs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from layerscope.atlas.records import RunRecord
from layerscope.core.errors import WrongModel
from layerscope.core.records import Input, LayerRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkIdentity:
    """What tells a network from others.

    name: as its user wrote it. input: what it is said to expect; None takes the atlas's word. graph, weights: SHA-256
    of its operations and of its weights. nodes: name and shape, without the batch, of every operation; the first is the
    picture. torch: the version that traced it.
    """

    name: str
    input: Input | None
    graph: str
    weights: str
    nodes: tuple[tuple[str, tuple[int, ...]], ...]
    torch: str


def has_layer(network: NetworkIdentity, layer: LayerRecord) -> bool:
    """Whether the network has this layer: the same operation, of the same shape, at the same place."""
    shape = (layer.units, *(layer.map or ()))
    return layer.node < len(network.nodes) and network.nodes[layer.node] == (layer.path, shape)


def differing(run: RunRecord, network: NetworkIdentity) -> tuple[str, ...]:
    """In what a network differs from the one that made a run: "input", "graph", "weights"; nothing where it is it."""
    same_input = network.nodes[0][1] == run.input.shape and network.input in (None, run.input)
    found = {
        "input": not same_input,
        "graph": run.fingerprint.get("graph") != network.graph,
        "weights": run.fingerprint.get("weights") != network.weights,
    }
    return tuple(part for part, differs in found.items() if differs)


def sentence(path: str | Path, run: RunRecord, network: NetworkIdentity, parts: Iterable[str]) -> str:
    """What is said of a network that is not the atlas's, without what to do about it."""
    listed = list(parts)
    made = run.versions.get("torch")
    # Another torch may trace the same model differently, which is worth saying where only the graph differs.
    other = f" (the atlas was made with torch {made}, this is {network.torch})"
    why = other if listed == ["graph"] and made != network.torch else ""
    return f"{path} was not made by this network: {network.name} differs from {run.network} in its {_all(listed)}{why}"


def require_same(path: str | Path, run: RunRecord, layers: Iterable[LayerRecord], network: NetworkIdentity) -> None:
    """Raises WrongModel, naming what differs, where an atlas was not made by this network with this input."""
    parts = differing(run, network)
    if not parts:
        parts = tuple(f'layer "{layer.name}"' for layer in layers if not has_layer(network, layer))[:1]
    if parts:
        said = sentence(path, run, network, parts)
        raise WrongModel(f"{said}; name the network that made the atlas, with its weights")


def _all(words: list[str]) -> str:
    return " and ".join(words)
