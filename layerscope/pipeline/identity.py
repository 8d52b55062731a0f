"""What tells a traced network from others, as plain values: to be compared with what made an atlas."""

from layerscope.core.records import Input
from layerscope.facts.network import NetworkIdentity
from layerscope.graph import Carrier
from layerscope.pipeline.settings import graph_hash, versions, weights_hash


def identity_of(program: Carrier, name: str, input: Input | None = None) -> NetworkIdentity:
    """A network's identity. input: what it is said to expect; None where nobody says."""
    return NetworkIdentity(
        name=name,
        input=input,
        graph=graph_hash(program),
        weights=weights_hash(program),
        nodes=tuple((node.name, tuple(node.shape)) for node in program.graph.nodes),
        torch=versions()["torch"],
    )
