"""What `layers` said of a packaged network, kept in the user's cache: it is said again without loading torch."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any, cast

from layerscope.core.cache import Cache
from layerscope.core.geometry import Field, Window
from layerscope.core.networks import NETWORKS, kind_of, packaged
from layerscope.core.points import points
from layerscope.core.readers import OPERATIONS, build_of, guests, house
from layerscope.core.records import Input, LayerRecord
from layerscope.core.replay import Replay

# The rooms whose code decides what is said.
ROOMS = ("core", "graph", "models", "api")


def remembered(spec: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """What `remember` was told of a network with the same options.

    None where it was told nothing, or where another program would answer now.
    """
    key = _key(spec, given)
    content = Cache.of_the_user().get(key) if key else None
    if content is None:
        return None
    try:
        return _restored(json.loads(content))
    except Exception:  # whatever is wrong with an entry, the network is read anew
        Cache.of_the_user().drop(key)
        return None


def remember(spec: str, given: Mapping[str, Any], listed: Mapping[str, Any]) -> None:
    """Keep what was said of a packaged network, where its replay found nothing wrong.

    listed: the fields of a Listing, and others of plain values.
    """
    replay = listed["replay"]
    if replay is None or replay.fault or not replay.pictures:
        return
    key = _key(spec, given)
    if key:
        plain = {
            **listed, "input": asdict(listed["input"]), "replay": replay.data(),
            "layers": [asdict(layer) for layer in listed["layers"]],
        }  # fmt: skip
        Cache.of_the_user().put(key, json.dumps(plain, default=str).encode())


def _restored(data: dict[str, Any]) -> dict[str, Any]:
    several = {name: tuple(outputs) for name, outputs in data["several"].items()}
    return _tuples(data) | {
        "input": Input(**_tuples(data["input"])), "replay": Replay.of(data["replay"]), "several": several,
        "layers": tuple(_layer(layer) for layer in data["layers"]),
    }  # fmt: skip


def _layer(data: dict[str, Any]) -> LayerRecord:
    seen = data["field"]
    field = Field(rows=_window(seen["rows"]), cols=_window(seen["cols"]), note=seen["note"], beyond=seen["beyond"])
    known: dict[str, Any] = {**_tuples(data), "field": field}
    return LayerRecord(**known)


def _window(data: dict[str, Any]) -> Window:
    """JSON has whole numbers, and fractions as text."""
    return Window(**{name: Fraction(value) for name, value in data.items()})


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    lists = {name: tuple(cast("list[Any]", value)) for name, value in data.items() if isinstance(value, list)}
    return data | lists


def _key(spec: str, given: Mapping[str, Any]) -> str:
    """All that an answer depends on; "" where it cannot be known, or where the spec names a user's own file."""
    kind = kind_of(spec)
    builds = [build_of(package) for package in ("torch", "torchvision", *(kind.needs if kind else ()))]
    if Cache.of_the_user().folder is None or not packaged(spec) or not all(builds):
        return ""
    torch = sys.modules.get("torch")
    numbers = str(torch.get_default_dtype()) if torch else "torch.float32"
    others = [guests(sorted(points(group))) for group in (OPERATIONS, NETWORKS.group)]
    return json.dumps(["layers", spec, sorted(given.items()), house(*ROOMS), builds, numbers, others], default=str)
