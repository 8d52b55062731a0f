"""Fields by perturbation: whatever changes outside a position's field, the position keeps its value, in float64."""

from typing import Any

import numpy as np

import layerscope as ls
from families.kinds import Given
from families.places import pictures, places


def check(net: ls.Network, given: Given, layers: list[ls.Layer]) -> dict[str, Any]:
    """worst: the largest change as a share of the map's largest value. tried: at how many positions. all: how many see
    the whole picture, where nothing can be changed. beyond: how many of the layers say that they depend on more."""
    worst, at, tried, seen = 0.0, "", 0, 0
    exact = [layer for layer in layers if not layer.field.beyond]
    base, other = pictures(net, 1, seed=1)[0], pictures(net, 1, seed=2)[0] * 3
    height, width = net.input.height, net.input.width
    for layer in exact:
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
        values = net.activations(np.stack(batch), layer.name).reshape(len(batch), layer.units, *(layer.map or (1, 1)))
        scale = float(np.abs(values[0]).max()) or 1.0
        for value, (row, col) in zip(values[1:], where, strict=True):
            gap = float(np.abs(value[:, row, col] - values[0][:, row, col]).max()) / scale
            tried += 1
            if not gap <= worst:
                worst, at = gap, f"{layer.name} ({row}, {col})"
    return {"worst": worst, "at": at, "tried": tried, "all": seen, "beyond": len(layers) - len(exact)}
