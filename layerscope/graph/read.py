"""A module or an exported program is read as a graph and compared with itself; graphs that were read before are kept.

A kept graph is proved like a new one: it is replayed beside the very module that is to be traced, and one that does not
agree is dropped and read anew.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from torch import nn

from layerscope.core.cache import Cache
from layerscope.core.records import Input, LayerRecord
from layerscope.core.replay import Replay
from layerscope.graph.fields import fields_of
from layerscope.graph.graph import Graph
from layerscope.graph.identity import identity
from layerscope.graph.in_step import Reading
from layerscope.graph.layers import layers_of
from layerscope.graph.program import runner_of
from layerscope.graph.replay import replay
from layerscope.graph.runner import Carrier
from layerscope.graph.trace import Traced, prepared, read_module, read_program
from layerscope.graph.unloaded import without
from layerscope.graph.written import Unwritable, read_traced, write_traced


@dataclass(frozen=True, kw_only=True)
class Read:
    """A network as it was read. layers: every one in execution order. replay: what comparing it with itself found."""

    traced: Traced
    program: Carrier
    layers: tuple[LayerRecord, ...]
    replay: Replay


def read(
    model: Any, input: Input, cache: Cache | None = None, *, unloaded: Mapping[str, str] = MappingProxyType({})
) -> Read:
    """Read and replay a network. model: a module, which is copied, or an exported program. unloaded: why a weight was
    not loaded, by its name; what depends on it is refused. Raises TraceError."""
    if hasattr(model, "graph_signature"):
        return _proved(model, read_program(model, input.shape), input)
    twin = prepared(model)
    cache = cache or Cache.of_the_user()
    key = identity(twin.module, input.shape) if cache.folder is not None else None
    if key is not None:
        traced = _kept(cache, key, twin.module)
        if traced is not None:
            found = _proved(twin.module, without(traced, unloaded), input)
            if not found.replay.fault:
                return found
            cache.drop(key)
    traced = read_module(twin, input.shape)
    found = _proved(twin.module, without(traced, unloaded), input)
    if key is not None and found.replay.pictures and not found.replay.fault:
        with suppress(Unwritable):
            cache.put(key, write_traced(traced))
    return found


def graph_of_model(
    model: Any, shape: tuple[int, int, int], *, unloaded: Mapping[str, str] = MappingProxyType({})
) -> Traced:
    """The graph of a module, a kept one if there is one, or of an exported program, without a replay: for what is held
    to another proof. unloaded: as for `read`. Raises TraceError."""
    if hasattr(model, "graph_signature"):
        return trusting_nothing(without(read_program(model, shape), unloaded))
    twin, cache = prepared(model), Cache.of_the_user()
    key = identity(twin.module, shape) if cache.folder is not None else None
    kept = _kept(cache, key, twin.module) if key is not None else None
    return trusting_nothing(without(kept or read_module(twin, shape), unloaded))


def _kept(cache: Cache, key: str, module: nn.Module) -> Traced | None:
    content = cache.get(key)
    if content is None:
        return None
    try:
        return read_traced(content, module.state_dict())
    except Exception:  # whatever is wrong with an entry, it is read anew
        cache.drop(key)
        return None


def _proved(model: Any, traced: Traced, input: Input) -> Read:
    """A network replayed. A call without a row is run on trust: one that cannot be, or that mixes the pictures of a
    batch, is found by the replay, and what lies behind it cannot be had."""
    while True:
        program = runner_of(traced.graph, traced.weights)
        layers = layers_of(traced.graph, fields_of(traced.graph))
        reading = Reading(program, traced.recipe, layers, traced.returned)
        found = replay(model, reading, input)
        if not found.pictures and any(node.refused and not node.stuck for node in traced.graph.nodes):
            traced = trusting_nothing(traced)
            continue
        stuck = _trusted_in_vain(traced.graph, reading, found)
        if stuck is None:
            return Read(traced=traced, program=program, layers=layers, replay=found)
        traced = stuck_at(traced, {stuck: found.why or found.clause})


def _trusted_in_vain(graph: Graph, reading: Reading, found: Replay) -> int | None:
    """The call without a row, or what lies behind one, at which a replay found a fault that is not the reader's."""
    if found.fault not in ("running", "batch", "random"):
        return None
    named = {node.name: node.id for node in graph.nodes} | reading.names
    named |= {name: node for name, (_, node) in reading.outputs.items()}
    node = named.get(found.where)
    return node if node is not None and graph.behind[node] and not graph.lost[node] else None


def trusting_nothing(traced: Traced) -> Traced:
    """The same network where no replay can prove it: no call without a row is run."""
    return stuck_at(traced, {node.id: node.refused for node in traced.graph.nodes if node.refused})


def stuck_at(traced: Traced, reasons: Mapping[int, str]) -> Traced:
    """The same network, some of its calls not to be run. reasons: why, by node."""
    nodes = tuple(
        replace(node, refused=node.refused or reasons[node.id], stuck=node.stuck or reasons[node.id])
        if node.id in reasons else node
        for node in traced.graph.nodes
    )  # fmt: skip
    return replace(traced, graph=replace(traced.graph, nodes=nodes))
