"""The best units of a layer that ranks name, by labels or by words: as rows of a table, and as plain values."""

from dataclasses import asdict
from typing import Any

from layerscope.core.labels import LayerLabels
from layerscope.core.words import LayerWords


def best_rows(layer: LayerLabels | LayerWords, name: str, count: int) -> list[tuple[object, ...]]:
    """Layer, unit, what names it, AUC, z, p and images of the first units. name: the field that holds what names it."""
    rows = []
    for place, unit in enumerate(layer.strongest(count)):
        assert unit.best is not None
        numbers = (f"{unit.best.auc:.3f}", f"{unit.best.z:.1f}", f"{unit.best.p:.1g}", unit.best.images)
        rows.append((layer.layer if not place else "", unit.unit, getattr(unit.best, name), *numbers))
    return rows


def named_units(layer: LayerLabels | LayerWords) -> list[dict[str, Any]]:
    """Every unit that has a name, the best first, with its score."""
    return [{"unit": unit.unit, **asdict(unit.best)} for unit in layer.strongest(len(layer.units)) if unit.best]
