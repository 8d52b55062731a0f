"""A module or an exported program becomes a Network: read as a graph, and compared with what it was read from."""

from typing import Any

from layerscope.api.network import Network
from layerscope.core.errors import UsageError
from layerscope.core.records import Input
from layerscope.graph import Program, Reading, prepared, read_module, read_program, replay


def read_network(model: Any, name: str, input: Input, classes: tuple[str, ...] = ()) -> Network:
    """Trace a model and replay it. model: a module, which is copied, or an exported program. Raises TraceError, and
    UsageError where the model takes another shape than the input's."""
    if hasattr(model, "graph_signature"):
        own, traced = model, read_program(model, input.shape)
    else:
        twin = prepared(model)
        own, traced = twin.module, read_module(twin, input.shape)
    if traced.graph.nodes[0].shape != input.shape:
        raise UsageError(f"{name} takes {list(traced.graph.nodes[0].shape)}, but the Input says {list(input.shape)}")
    remarks = tuple(f"a hook of another tool was left out, at {hook}" for hook in traced.left_out)
    net = Network(name, input, Program(traced.graph, traced.weights), classes, remarks)
    net.replay = replay(own, Reading(net.program, traced.recipe, net.layers, traced.returned), input)
    return net
