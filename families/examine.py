"""One network under all checks: a plain record of what came out, whatever it was."""

import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import torch

import layerscope as ls
from families import backs, fields, peaks, proposed
from families.cast import cast
from families.kinds import KINDS, Given
from families.networks import Subject
from layerscope.core.errors import LayerscopeError

Check = Callable[[ls.Network, Given, list[ls.Layer]], dict[str, Any]]

CHECKS: dict[str, Check] = {
    "fields": fields.check, "peaks": peaks.check, "proposed": proposed.check, "backs": backs.check,
}  # fmt: skip
LAYERS = 3


def examined(subject: Subject, checks: Iterable[str] = CHECKS) -> dict[str, Any]:
    """What came out of these checks. state: "open", "refused" (one sentence), "crashed" (a traceback: a fault) or
    "unmade" (its package does not make it)."""
    started = time.perf_counter()
    warnings.simplefilter("ignore")
    record: dict[str, Any] = {"network": subject.text, "side": subject.side}
    try:
        given = KINDS[subject.kind].make(subject)
    except Exception as error:
        return record | {"state": "unmade", "why": _line(error)}
    record["made"] = round(time.perf_counter() - started, 2)
    started = time.perf_counter()
    try:
        net = ls.trace(given.network, given.input)
    except LayerscopeError as error:
        return record | {"state": "refused", "why": _line(error), "error": type(error).__name__}
    except Exception as error:
        return record | {"state": "crashed", "why": _line(error), "trace": traceback.format_exc()[-1500:]}
    record |= {"state": "open", "opened": round(time.perf_counter() - started, 2), **_opened(net)}
    return record | _checked(_in_float64(net), given, checks)


def _checked(net: ls.Network, given: Given, checks: Iterable[str]) -> dict[str, Any]:
    """Each check by itself: one that fails keeps none of the others from being made."""
    found: dict[str, Any] = {}
    layers = _spread([layer for layer in net.layers if layer.auto] or list(net.layers))
    for name in checks:
        started = time.perf_counter()
        try:
            with torch.no_grad():
                found[name] = CHECKS[name](net, given, layers)
        except LayerscopeError as error:
            found[name] = {"refused": _line(error)}
        except Exception as error:
            found[name] = {"crashed": _line(error), "trace": traceback.format_exc()[-1500:]}
        found[name]["seconds"] = round(time.perf_counter() - started, 2)
    return found


def _opened(net: ls.Network) -> dict[str, Any]:
    """What can be had, and why not all of it."""
    auto = [layer for layer in net.layers if layer.auto]
    graph, replay = net.program.graph, net.replay
    refused = Counter((node.op, node.refused or node.stuck) for node in graph.nodes if node.refused or node.stuck)
    scanned = [layer for layer in net.layers if layer.scan_only]
    return {
        "layers": len(net.layers),
        "auto": len(auto),
        "scan_only": len(scanned),
        "auto_scan_only": sum(bool(layer.scan_only) for layer in auto),
        "from": scanned[0].name if scanned else "",
        "because": scanned[0].scan_only if scanned else "",
        "lost": sum(bool(lost) for lost in graph.lost),
        "names": [layer.name for layer in auto],
        "whole_picture": sum(bool(layer.field.note) for layer in net.layers),
        "beyond": sum(bool(layer.field.beyond) for layer in net.layers),
        "refused": [[op, why, times] for (op, why), times in refused.most_common()],
        "replay": None if replay is None else replay.data(),
    }


def _in_float64(net: ls.Network) -> ls.Network:
    """The same network with its weights in float64."""
    if net.program.dtype == torch.float64:
        return net
    program = cast(net.program, torch.float64)
    return ls.Network(net.name, net.input, program, net.classes, net.remarks, net.replay)


def _spread(layers: list[ls.Layer]) -> list[ls.Layer]:
    """The first, the middle and the last."""
    last = len(layers) - 1
    picked = [layers[round(last * k / (LAYERS - 1))] for k in range(LAYERS)] if layers else []
    return list({layer.name: layer for layer in picked}.values())


def _line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:400]
