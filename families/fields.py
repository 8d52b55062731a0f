"""Fields by perturbation: whatever changes outside a position's field, the position keeps its value, in float64.

Where a field says that gates or statistics give strength from beyond it, the eager module is run with these held as
they are on the picture (tests/helpers/held.py): what is left is the way of the map.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

import layerscope as ls
from families.kinds import Given
from families.places import pictures, places
from tests.helpers.held import HeldStill

Runs = Callable[[np.ndarray], np.ndarray]


def check(net: ls.Network, given: Given, layers: list[ls.Layer]) -> dict[str, Any]:
    """worst: the largest change as a share of the map's largest value. tried: at how many positions. held: at how many
    of these with gates and statistics held. all: how many see the whole picture, where nothing can be changed. beyond:
    how many of the layers say that they depend on more, and no module gives them that could be run so."""
    worst, at, tried, seen, held, untold = 0.0, "", 0, 0, 0, 0
    base, other = pictures(net, 1, seed=1)[0], pictures(net, 1, seed=2)[0] * 3
    height, width = net.input.height, net.input.width
    still = _still(given, base, layers)
    for layer in layers:
        runs = _runs(net, layer, still)
        if runs is None:
            untold += 1
            continue
        where, batch = [], [base]
        for row, col in places(layer):
            box = layer.field.box(row, col).clipped(height, width)
            if (box.height, box.width) == (height, width):
                seen += 1
                continue
            changed = other.copy()
            inside = (slice(None), slice(box.top, box.bottom), slice(box.left, box.right))
            changed[inside] = base[inside]
            where.append((row, col))
            batch.append(changed)
        if not where:
            continue
        values = runs(np.stack(batch)).reshape(len(batch), layer.units, *(layer.map or (1, 1)))
        scale = float(np.abs(values[0]).max()) or 1.0
        for value, (row, col) in zip(values[1:], where, strict=True):
            gap = float(np.abs(value[:, row, col] - values[0][:, row, col]).max()) / scale
            tried, held = tried + 1, held + bool(layer.field.beyond)
            if not gap <= worst:
                worst, at = gap, f"{layer.name} ({row}, {col})"
    return {"worst": worst, "at": at, "tried": tried, "held": held, "all": seen, "beyond": untold}


def _still(given: Given, base: np.ndarray, layers: list[ls.Layer]) -> HeldStill | None:
    """The eager module with what sees whole maps held, where there is one and a layer asks for it."""
    wanted = given.module is not None and any(layer.field.beyond for layer in layers)
    return HeldStill(given.module, base) if wanted and given.module is not None else None


def _runs(net: ls.Network, layer: ls.Layer, still: HeldStill | None) -> Runs | None:
    """What gives a layer's maps: the network, or the module of the layer's name with what sees whole maps held."""
    if not layer.field.beyond:
        return lambda images: net.activations(images, layer.name)
    shape = (layer.units, *(layer.map or ()))
    for name in (layer.name, *layer.aliases) if still is not None else ():
        if name in still.own and still.own[name].shape[1:] == shape:
            return lambda images: still.outputs(images)[name]
    return None
