"""Which layers a user means: `auto`, names, aliases or globs."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from layerscope.api.network import Network
from layerscope.core.errors import UnknownOp, UsageError
from layerscope.core.records import LayerRecord
from layerscope.graph.layers import auto, block_outputs
from layerscope.graph.program import describe


def chosen_layers(network: Network, wanted: str | Sequence[str]) -> tuple[LayerRecord, ...]:
    """The layers that are meant, in execution order.

    Raises UsageError for a name that means none, UnknownOp (with all of the unknown operations) where a layer that
    `auto` means lies behind one.
    """
    if wanted == "auto":
        return _automatic(network)
    found: set[int] = set()
    for name in [wanted] if isinstance(wanted, str) else wanted:
        if name == "auto":
            matching = list(_automatic(network))
        elif any(c in name for c in "*?["):
            matching = [x for x in network.layers if any(fnmatchcase(n, name) for n in (x.name, *x.aliases))]
            if not matching:
                raise UsageError(f'no layer of {network.name} matches "{name}"; see: layerscope layers')
        else:
            matching = [network[name]]
        found.update(layer.node for layer in matching)
    return tuple(layer for layer in network.layers if layer.node in found)


def _automatic(network: Network) -> tuple[LayerRecord, ...]:
    graph = network.program.graph
    wanted = auto(graph, block_outputs(graph))
    refused = sorted({node for layer in wanted for node in graph.behind[layer]})
    layers = tuple(layer for layer in network.layers if layer.auto)
    if refused:
        had = ", ".join(layer.name for layer in layers) or "none"
        raise UnknownOp(
            f"{network.name} cannot be built whole: {describe(graph.nodes[n] for n in refused)}. "
            f"What can be had, with layers=: {had}"
        )
    if not layers:
        raise UsageError(f'{network.name} has no layer that "auto" means; name them with layers=')
    return layers
