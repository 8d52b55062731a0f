"""A model that was loaded becomes a Network."""

from layerscope.api.network import Network
from layerscope.core.errors import UsageError
from layerscope.core.records import Input
from layerscope.graph import read
from layerscope.models import Loaded


def read_network(loaded: Loaded, input: Input) -> Network:
    """Trace and replay a network that was loaded. Raises TraceError, and UsageError where it takes another shape."""
    found = read(loaded.model, input, unloaded=loaded.unloaded)
    taken = found.program.graph.nodes[0].shape
    if taken != input.shape:
        raise UsageError(f"{loaded.name} takes {list(taken)}, but the Input says {list(input.shape)}")
    hooks = tuple(f"a hook of another tool was left out, at {hook}" for hook in found.traced.left_out)
    return Network(loaded.name, input, found.program, loaded.classes, (*loaded.remarks, *hooks), found.replay)
