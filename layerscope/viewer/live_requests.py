"""What a viewer wants to see, as its page says it in JSON: checked against the network before it is kept."""

import json
from typing import Any

from layerscope.core.errors import UsageError
from layerscope.core.live import LiveRequest
from layerscope.viewer.engine import LiveEngine, WatchableLayer
from layerscope.viewer.frames import Refused

KEYS = {"layer", "unit", "pinned", "method", "mosaic", "visible", "project", "prepared"}


def first_request(engine: LiveEngine) -> LiveRequest:
    """Before a page has said anything: the first layer's maps."""
    return LiveRequest(layer=engine.layers[0].name, method=engine.methods[0])


def read_request(text: str, engine: LiveEngine) -> LiveRequest:
    """A request. Raises Refused for what is none, UsageError for a layer, unit or method that the network lacks.

    Keys: layer, unit (a number or null), pinned (the layer of the unit where it is another, or null), method, mosaic
    (true for the layer's maps), visible (two numbers: the first unit of those maps and one past the last, or null for
    all), project (true for the unit's projection), prepared (true for what the network gets of the picture).
    """
    said = _values(text)
    layer = _layer(said.get("layer"), engine)
    pinned = None if said.get("pinned") is None else _layer(said["pinned"], engine)
    unit = said.get("unit")
    if unit is not None:
        _count("unit", unit, (pinned or layer).units)
    method = said.get("method", engine.methods[0])
    if method not in engine.methods:
        raise UsageError(f'no method "{str(method)[:40]}" here: choose {", ".join(engine.methods)}')
    return LiveRequest(
        layer=layer.name,
        unit=unit,
        pinned_layer=None if pinned is None else pinned.name,
        method=method,
        mosaic=said.get("mosaic", True) is True,
        visible=_visible(said.get("visible"), layer),
        project=said.get("project", False) is True,
        prepared=said.get("prepared", False) is True,
    )


def _values(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(1003, "a text is a request as JSON, and this is none") from error
    if not isinstance(said, dict) or not said.keys() <= KEYS:
        raise Refused(1003, f"a request has the keys {', '.join(sorted(KEYS))} and no others")
    return said


def _layer(name: Any, engine: LiveEngine) -> WatchableLayer:
    found = next((layer for layer in engine.layers if layer.name == name), None)
    if found is None:
        raise UsageError(f'there is no layer "{str(name)[:40]}" here')
    return found


def _count(word: str, value: Any, end: int) -> int:
    # In Python True is a number too.
    if type(value) is not int or not 0 <= value < end:
        raise UsageError(f"{word} is a number from 0 to {end - 1} in this layer, not {str(value)[:40]}")
    return value


def _visible(value: Any, layer: WatchableLayer) -> tuple[int, int] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise UsageError("visible is two numbers, the first unit and one past the last, or null")
    first, end = _count("visible", value[0], layer.units), _count("visible", value[1], layer.units + 1)
    if end <= first:
        raise UsageError(f"visible ends behind its beginning, not at {end}")
    return first, end
