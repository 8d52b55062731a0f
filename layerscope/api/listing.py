"""What can be asked of a network, and what cannot, with the reason: layers, operations, plug-ins."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

from layerscope.api import before
from layerscope.api.checked import checked
from layerscope.api.inputs import field_data, input_data
from layerscope.api.plugins import registries
from layerscope.core import settings as s
from layerscope.core.networks import How
from layerscope.core.records import Input, LayerRecord
from layerscope.core.registry import Found
from layerscope.core.replay import Replay
from layerscope.core.verbs import VERBS

if TYPE_CHECKING:
    from layerscope.api.network import Network
    from layerscope.api.opening import Wanted
    from layerscope.models.types import Model


@dataclass(frozen=True, kw_only=True, eq=False)
class Listing:
    """The layers of a network, and what cannot be had of it.

    name, input: of the network, and what it expects. replay: what came of comparing its graph with itself; None where
    nobody did. layers: those asked for, in execution order. several: modules whose name means no layer, with the
    outputs that can be had. refused: operations without a row, as node, op and reason; lost: how many nodes stand
    behind one. remarks: what `auto` leaves out, a sentence each.
    """

    name: str
    input: Input
    replay: Replay | None
    layers: tuple[LayerRecord, ...]
    several: Mapping[str, tuple[str, ...]]
    refused: tuple[Mapping[str, str], ...]
    lost: int
    remarks: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "network": self.name,
            "input": input_data(self.input),
            "layers": [layer_data(layer, self.input) for layer in self.layers],
            "several_outputs": {name: list(outputs) for name, outputs in self.several.items()},
            "refused": [dict(entry) for entry in self.refused],
            "replay": self.replay.data() if self.replay else None,
            "remarks": list(self.remarks),
        }


@checked(VERBS["layers"])
def layers(
    net: "Network | Model | Wanted",
    *,
    auto: bool = False,
    weights: str | PathLike[str] | None = s.WEIGHTS.default,
    trust: bool = s.TRUST.default,
    bind: Mapping[str, Any] | None = s.BIND.default,
    input: Input | None = s.INPUT.default,
) -> Listing:
    """List the layers of a network with their receptive fields, and what cannot be had of it; needs no weights.

    net, weights, input: as for `trace`. auto: only the layers that "auto" means. Raises TraceError and UsageError.
    """
    before.require_weights(weights)
    from layerscope.api import kept, opening

    wanted = opening.Wanted(spec=net) if isinstance(net, str) else net
    how = How.of(weights, trust, bind)
    known = wanted if isinstance(wanted, opening.Wanted) and not how.said and input is None else None
    fields = kept.remembered(known.spec, known.given) if known else None
    if known and fields:
        opening.announce(fields["name"], fields["input"], fields.pop("opened"), known.say)
    else:
        with_weights = not isinstance(net, (str, PathLike, opening.Wanted))
        network = opening.network_for(net, how, input, with_weights=with_weights)
        fields = _listed(network)
        if known:
            kept.remember(known.spec, known.given, {**fields, "opened": network.remarks})
    if auto:
        fields["layers"] = tuple(layer for layer in fields["layers"] if layer.auto)
    return Listing(**fields)


def _listed(network: "Network") -> dict[str, Any]:
    """The fields of a Listing, with all layers."""
    from layerscope.api.selection import left_out, several_outputs

    graph = network.program.graph
    refused = [{"node": node.name, "op": node.op, "reason": node.refused} for node in graph.nodes if node.refused]
    return {
        "name": network.name,
        "input": network.input,
        "replay": network.replay,
        "layers": network.layers,
        "several": several_outputs(network),
        "refused": tuple(refused),
        "lost": sum(bool(graph.lost[node.id]) and not node.stuck for node in graph.nodes),
        "remarks": left_out(network),
    }


def layer_data(layer: LayerRecord, expected: Input) -> dict[str, Any]:
    """A layer as plain values. map: rows and columns, or null; field in input px."""
    return {
        "name": layer.name,
        "path": layer.path,
        "aliases": list(layer.aliases),
        "kind": layer.kind,
        "units": layer.units,
        "map": list(layer.map) if layer.map else None,
        "field": field_data(layer.field, expected),
        "auto": layer.auto,
        "rectified": layer.rectified,
        "scan_only": layer.scan_only,
        "part": layer.part,
    }


@dataclass(frozen=True, kw_only=True)
class Brought:
    """A row that can be chosen by name.

    kind: of what ("codec"). name, home: the word, and the package that brings it, with its version. sentence: what it
    is; empty where it cannot be loaded. trouble: why it cannot be used, and what to do; empty where it can.
    """

    kind: str
    name: str
    home: str
    sentence: str
    trouble: str

    def data(self) -> dict[str, str]:
        """As plain values."""
        return asdict(self)


@checked(VERBS["plugins"])
def plugins() -> tuple[Brought, ...]:
    """List what can be chosen by name, and who brings it: the rows of every registry, ours and other packages'."""
    return tuple(_brought(registry.kind, found) for registry in registries() for found in registry.found())


def _brought(kind: str, found: Found) -> Brought:
    sentence = found.row.sentence if found.row is not None else ""
    return Brought(kind=kind, name=found.name, home=found.home, sentence=sentence, trouble=found.trouble)
