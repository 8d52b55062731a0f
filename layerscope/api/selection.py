"""Which layers a user means: `auto`, names, aliases or globs; and what `auto` leaves out, in words."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, cast

from layerscope.api.network import Network
from layerscope.core.errors import UnknownOp, UsageError
from layerscope.core.records import LayerRecord
from layerscope.graph.auto import choose
from layerscope.graph.blocks import module_calls
from layerscope.graph.program import describe
from layerscope.graph.stated import unstated

if TYPE_CHECKING:
    from layerscope.pipeline import Build, Settings

# Commas part names, but not inside the brackets of a glob.
COMMA = re.compile(r",(?![^\[]*\])")


def chosen_layers(network: Network, wanted: Any) -> tuple[LayerRecord, ...]:
    """The layers that are meant, in execution order; of `auto` those that can be had.

    wanted: a name, a glob or "auto", or several, also parted by commas. Raises UsageError for a name that means none,
    UnknownOp for one behind a refused operation, and where nothing can be had that `auto` means.
    """
    found: set[int] = set()
    for name in layer_names(network, wanted):
        if name == "auto":
            matching = _automatic(network)
        elif isinstance(name, str) and name not in network and any(c in name for c in "*?["):
            matching = tuple(x for x in network.layers if any(fnmatchcase(n, name) for n in (x.name, *x.aliases)))
            if not matching:
                raise UsageError(f'no layer of {network.name} matches "{name}"; see: layerscope layers')
        else:
            matching = (network[name],)
        found.update(layer.node for layer in matching)
    return tuple(layer for layer in network.layers if layer.node in found)


def layer_names(network: Network, wanted: Any) -> list[Any]:
    """One by one, what a user wrote as names, also parted by commas. Raises UsageError where there is none.

    What is no text is left as it is, for the network to refuse.
    """
    alone = isinstance(wanted, str) or not isinstance(wanted, Iterable)
    given: list[Any] = [wanted] if alone else list(cast("Iterable[Any]", wanted))
    names: list[Any] = []
    for name in given:
        apart = isinstance(name, str) and name not in network
        names.extend(part.strip() for part in COMMA.split(name) if part.strip()) if apart else names.append(name)
    if not names:
        raise UsageError(f'no layer of {network.name} is named; give names or globs, or "auto"')
    return names


def left_out(network: Network, wanted: Any = "auto") -> tuple[str, ...]:
    """What `auto` leaves out of a network, a sentence each; none where nothing is, or `auto` is not wanted."""
    if "auto" not in layer_names(network, wanted):
        return ()
    graph = network.program.graph
    choice = choose(graph)
    filters = f"{choice.filters} convolutions and dense layers"
    said: list[str] = []
    if choice.cut:
        before = frozenset[int]().union(*(graph.lost[node] for node in choice.cut))
        first = describe(graph.nodes[node] for node in sorted(before) if graph.lost[node] == frozenset([node]))
        meant, had = sum(layer.auto for layer in network.layers), len(network.layers)
        rest = f'"auto" means {meant} of the {had} layers that can be had, layers= names others'
        said.append(
            f"{network.name} cannot be had whole: {len(choice.cut)} of its {filters} stand behind what is refused "
            f"({first}); {rest if had else 'no layer can be had'}"
        )
    scanned = [layer for layer in network.layers if layer.auto and layer.scan_only]
    if scanned:
        said.append(
            f"{network.name}: {len(scanned)} of the {sum(layer.auto for layer in network.layers)} layers of "
            f'"auto" have patches and statistics, and no projections, from {scanned[0].name} on: {scanned[0].scan_only}'
        )
    if choice.folded:
        said.append(
            f'{network.name}: "auto" tells what forks and joins again inside {_listed(choice.folded)} '
            f"({sum(choice.folded.values())} of {filters}) only by the layers behind; name others with layers="
        )
    return tuple(said)


def several_outputs(network: Network) -> dict[str, tuple[str, ...]]:
    """The calls of modules that more than one node leaves, each with the names of those of its outputs that can be had.

    Such a call's name means no layer.
    """
    names = {layer.node: layer.name for layer in network.layers}
    calls = module_calls(network.program.graph).values()
    return {
        call.name: tuple(names[node] for node in call.leaving if node in names)
        for call in calls if len(call.leaving) > 1
    }  # fmt: skip


def _automatic(network: Network) -> tuple[LayerRecord, ...]:
    layers = tuple(layer for layer in network.layers if layer.auto)
    if layers:
        return layers
    refused = describe(node for node in network.program.graph.nodes if node.refused)
    why = refused or "no convolution and no hidden dense layer"
    named = f"what can be had, with layers=: {_listed(layer.name for layer in network.layers)}"
    had = named if network.layers else "no layer can be had"
    sentence = f'{network.name} has no layer that "auto" means: {why}; {had}'
    raise UnknownOp(sentence) if refused else UsageError(sentence)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def unstated_rules(network: Network, layers: Sequence[LayerRecord], settings: "Settings") -> tuple[str, ...]:
    """What is gone through on the way back from these layers by rules that no paper states, in a sentence, or none."""
    found = {name for layer in _projected(layers, settings) for name in _unstated(network, layer, settings)}
    if not found:
        return ()
    return (
        f"deconvnet and guided go back through {', '.join(sorted(found))} by rules that no paper states: "
        "docs/mathematics.md says which; --strict refuses them",
    )


def run_remarks(run: "Build", network: Network, layers: str | Sequence[str]) -> tuple[str, ...]:
    """What a user should know of a run before it begins: what `auto` leaves out, rules of ours, odd images."""
    unstated = unstated_rules(network, run.layers, run.settings)
    return (*left_out(network, layers), *unstated, *run.source.remarks(run.input))


def require_stated(network: Network, layers: Sequence[LayerRecord], settings: "Settings") -> None:
    """Raises UsageError where the settings are strict and a projection goes by a rule that no paper states."""
    for layer in _projected(layers, settings) if settings.strict else ():
        for name, node in _unstated(network, layer, settings).items():
            raise UsageError(
                f'strict: projections of layer "{layer.name}" go through {name} (node "{node}") by a rule that no '
                "paper states; take the method gradient alone, layers before it, or leave strict out"
            )


def _projected(layers: Sequence[LayerRecord], settings: "Settings") -> tuple[LayerRecord, ...]:
    return tuple(layer for layer in layers if layer.map or settings.dense)


def _unstated(network: Network, layer: LayerRecord, settings: "Settings") -> dict[str, str]:
    return unstated(network.program.graph, layer.node, settings.methods)
