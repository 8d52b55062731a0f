"""A model becomes a Network; what `layers` says of a packaged network is kept, so that it need not be built again."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from layerscope.api.network import Network
from layerscope.core.cache import Cache
from layerscope.core.errors import UsageError
from layerscope.core.networks import packaged
from layerscope.core.records import Input
from layerscope.core.replay import Replay
from layerscope.graph import read, runner_of
from layerscope.graph.identity import reader
from layerscope.graph.written import Unwritable, graph_data, graph_of
from layerscope.models import Loaded


def read_network(loaded: Loaded, input: Input) -> Network:
    """Trace and replay a network that was loaded. Raises TraceError, and UsageError where it takes another shape."""
    found = read(loaded.model, input, unloaded=loaded.unloaded)
    taken = found.program.graph.nodes[0].shape
    if taken != input.shape:
        raise UsageError(f"{loaded.name} takes {list(taken)}, but the Input says {list(input.shape)}")
    hooks = tuple(f"a hook of another tool was left out, at {hook}" for hook in found.traced.left_out)
    return Network(loaded.name, input, found.program, loaded.classes, (*loaded.remarks, *hooks), found.replay)


def remembered(spec: str, given: Mapping[str, Any]) -> Network | None:
    """A packaged network with random weights, as it was read before with the same options, but without its weights:
    its layers are there, and it cannot be run. None where it was not, or where the spec names a user's own file."""
    content = Cache.of_the_user().get(_key(spec, given)) if packaged(spec) else None
    if content is None:
        return None
    try:
        data = json.loads(content)
        given_to: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data["input"].items()
        }
        input, replay = Input(**given_to), Replay.of(data["replay"])
        program = runner_of(graph_of(data["graph"]), {})
        return Network(data["name"], input, program, tuple(data["classes"]), tuple(data["remarks"]), replay)
    except Exception:  # whatever is wrong with an entry, the network is read anew
        Cache.of_the_user().drop(_key(spec, given))
        return None


def remember(net: Network, spec: str, given: Mapping[str, Any]) -> None:
    """Keep a packaged network with random weights for `remembered`, where its replay found nothing wrong."""
    if not packaged(spec) or net.replay is None or net.replay.fault or not net.replay.pictures:
        return
    data = {
        "name": net.name, "input": asdict(net.input), "classes": net.classes, "remarks": net.remarks,
        "replay": net.replay.data(),
    }  # fmt: skip
    try:
        content = json.dumps({**data, "graph": graph_data(net.program.graph)})
    except Unwritable:
        return
    Cache.of_the_user().put(_key(spec, given), content.encode())


def _key(spec: str, given: Mapping[str, Any]) -> str:
    return json.dumps(["layers", spec, sorted(given.items()), reader()], default=str)
