"""Comparisons that both the small laws and the wide ones make of a traced network."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float64
from torch import nn

import layerscope as ls
from tests.helpers.networks import Case
from tests.helpers.reference import METHODS, Reference, probes

TOLERANCE = 1e-10


def traced(model: nn.Module, channels: int, height: int, width: int) -> ls.Network:
    """The network of a model; `show` is given since two or twelve channels are no picture."""
    show = None if channels in (1, 3) else (0, 1, 1)
    return ls.trace(model, ls.Input(channels=channels, height=height, width=width, show=show))


@cache
def traced_case(case: Case) -> ls.Network:
    """A small case's network: one trace serves all laws of a process."""
    return traced(case.model(), case.channels, case.height, case.width)


@dataclass(frozen=True)
class Comparison:
    """One projection beside the reference's: largest difference over the reference's largest signal.

    Where the reference is zero, error is 0 or infinite and `peak` is 0.
    """

    layer: str
    method: str
    image: int
    unit: int
    row: int
    col: int
    error: float
    peak: float


def compare(
    net: ls.Network,
    layer: ls.Layer,
    references: Sequence[Reference],
    images: Float64[np.ndarray, "n c h w"],
    limit: int = 9,
) -> list[Comparison]:
    """Compares activations (an assertion) and projections at up to `limit` places of positive activation.

    The places take turns through the images.
    """
    activations = net.activations(images, layer.name)
    _assert_same_activations(layer, references, activations)
    lowest, highest = net.program.graph.ranges[layer.node]
    # A mean of equal numbers may miss them by a rounding; what is never below zero is so exactly.
    low, high = (float(end) for end in (activations.min(), activations.max()))
    slack = 1e-12 * max(abs(low), abs(high))
    assert lowest - slack <= low and high <= highest + slack, f"{layer.name} lies outside its range"
    assert lowest < 0 or low >= 0, f"{layer.name} is below zero"
    places = [
        (k % len(images), *probe)
        for k in range(len(images))
        for probe in list(probes(activations[k], seed=k))[k : limit : len(images)]
    ]
    if not places:
        return []
    image, unit, row, col = (list(column) for column in zip(*places, strict=True))
    found = []
    for method in METHODS:
        signals = net.project(images, layer.name, image=image, unit=unit, row=row, col=col, method=method).full()
        for place, signal in zip(places, signals, strict=True):
            expected = _expected(layer, references[place[0]], activations[place[0]], *place[1:], method)
            found.append(Comparison(layer.name, method, *place, *_difference(signal, expected)))
    return found


def hooked_name(layer: ls.Layer, reference: Reference) -> str | None:
    """The module path under which the reference kept this layer's output, if a module gave it, channels first."""
    named = (name for name in (layer.name, *layer.aliases) if name in reference.kept)
    return next((name for name in named if reference.activation(name).shape == _shape(layer)), None)


def given(layer: ls.Layer, reference: Reference, activation: Float64[np.ndarray, "units *map"]) -> bool:
    """True where a module or a function call of the eager model returns the layer. Inside of some functions of PyTorch
    (a gated linear unit) there are layers that none does."""
    return hooked_name(layer, reference) is not None or reference.call_like(activation) is not None


def _shape(layer: ls.Layer) -> tuple[int, ...]:
    return (layer.units, *layer.map) if layer.map else (layer.units,)


def assert_equal(comparisons: Iterable[Comparison]) -> float:
    """Every projection equals its reference; returns the worst relative error. The message names the worst three."""
    worst = sorted(comparisons, key=lambda c: c.error, reverse=True)
    wrong = [c for c in worst if not c.error <= TOLERANCE]
    assert not wrong, f"{len(wrong)} of {len(worst)} projections differ, the worst: {wrong[:3]}"
    return worst[0].error if worst else 0.0


def _assert_same_activations(
    layer: ls.Layer, references: Sequence[Reference], activations: Float64[np.ndarray, "n units *map"]
) -> None:
    assert activations.shape[1:] == _shape(layer), f"{layer.name} says {_shape(layer)}, gives {activations.shape[1:]}"
    for reference, own in zip(references, activations, strict=True):
        for name in {layer.name, *layer.aliases} & set(reference.kept):
            expected = reference.activation(name)
            if expected.shape != own.shape:  # the same numbers with the channels last, or as one row
                expected = (
                    np.moveaxis(expected, -1, 0) if own.ndim == 3 == expected.ndim else expected.reshape(own.shape)
                )
            error, _ = _difference(own, expected)
            assert error <= TOLERANCE, f"activations of {layer.name} differ from those of {name} by {error}"


def _expected(
    layer: ls.Layer,
    reference: Reference,
    activation: Float64[np.ndarray, "units *map"],
    unit: int,
    row: int,
    col: int,
    method: str,
) -> Float64[np.ndarray, "c h w"]:
    name = hooked_name(layer, reference)
    if name is not None:
        return reference.project(name, unit=unit, row=row, col=col, method=method)
    return reference.project_like(activation, unit=unit, row=row, col=col, method=method)


def _difference(found: Float64[np.ndarray, "..."], expected: Float64[np.ndarray, "..."]) -> tuple[float, float]:
    assert found.shape == expected.shape and found.dtype == expected.dtype
    peak, gap = float(np.abs(expected).max()), float(np.abs(found - expected).max())
    if peak == 0:
        return (0.0 if gap == 0 else np.inf), peak
    return gap / peak, peak
