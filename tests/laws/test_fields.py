"""Receptive fields are exact: px outside change nothing, and each edge that lies in the picture is seen."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from jaxtyping import Float64
from torch import nn

import layerscope as ls
from tests.helpers.networks import CASES, Case
from tests.helpers.weights import FILTERS
from tests.laws.checks import traced, traced_case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.thin(8)
def test_nothing_outside_the_field_is_seen(case: Case) -> None:
    """On each small network, new px everywhere outside a position's field leave the position as it was."""
    assert_nothing_outside(traced_case(case), case.images(2, seed=3))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.thin(8)
def test_each_edge_of_the_field_is_seen(case: Case) -> None:
    """On each small network, every edge of a field that lies in the picture can change the position."""
    net = traced(make_monotone(case.model()), case.channels, case.height, case.width)
    assert_edges_seen(net, case.images(1).shape)


def make_monotone(model: nn.Module) -> nn.Module:
    """Positive weights, in place, with no bias or mean, scaled so that nothing grows above its largest px.

    Then an activation rises with every px it sees: no rectifier is closed, and no ReLU6 is full.
    """
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, FILTERS):
                weight = 0.5 + torch.rand(module.weight.shape, generator=random, dtype=torch.float64)
                module.weight.copy_(weight / weight[0].numel() / 2)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None and module.running_var is not None
                module.weight.fill_(0.9)
                module.bias.zero_()
                module.running_mean.zero_()
                module.running_var.fill_(1.0)
            elif isinstance(module, nn.PReLU):
                module.weight.fill_(0.25)
    return model


def places_of(layer: ls.Layer) -> Iterator[tuple[int, int]]:
    """In the middle of a layer's map, on its borders and in its corners."""
    rows, cols = layer.map or (1, 1)
    yield from dict.fromkeys((r, c) for r in (0, rows // 2, rows - 1) for c in (0, cols // 2, cols - 1))


def _at(activations: Float64[np.ndarray, "n units *map"], row: int, col: int) -> Float64[np.ndarray, "n units"]:
    return activations if activations.ndim == 2 else activations[:, :, row, col]


def changed_outside(
    layer: ls.Layer, image: Float64[np.ndarray, "c h w"], other: Float64[np.ndarray, "c h w"]
) -> tuple[list[tuple[int, int]], Float64[np.ndarray, "n c h w"]]:
    """A layer's places, and the image, followed by one for each place: the other one, outside the place's field."""
    places = list(places_of(layer))
    mixed = [image]
    for row, col in places:
        box = layer.field.box(row=row, col=col).clipped(*image.shape[1:])
        inside = np.s_[:, box.top : box.bottom, box.left : box.right]
        mixed.append(other.copy())
        mixed[-1][inside] = image[inside]
    return places, np.stack(mixed)


def assert_alike(
    layer: ls.Layer, places: list[tuple[int, int]], activations: Float64[np.ndarray, "n units *map"]
) -> None:
    """Each place has on its own image what it has on the first."""
    scale = np.abs(activations).max()
    for k, (row, col) in enumerate(places, start=1):
        before, *_, after = _at(activations[[0, k]], row, col)
        gap = np.abs(after - before).max()
        assert gap <= 1e-12 * scale, f"{layer.name}[{row}, {col}] sees px outside {layer.field}: {gap / scale}"


def assert_nothing_outside(net: ls.Network, images: Float64[np.ndarray, "2 c h w"]) -> None:
    """Keeps a field's px of the first image and takes all others from the second, three times as strong.

    Fields that say what gives strength from beyond them claim nothing of the kind (tests/laws/test_held.py).
    """
    for layer in net.layers:
        if not layer.field.beyond:
            places, mixed = changed_outside(layer, images[0], 3 * images[1])
            assert_alike(layer, places, net.activations(mixed, layer.name))


def assert_edges_seen(net: ls.Network, shape: tuple[int, ...]) -> None:
    """Raises the px of one edge of a field at a time, from almost nothing, and looks for the position to rise.

    Fields that are only said to be the whole picture, with a note, claim no edges.
    """
    seen = 0
    for layer in net.layers:
        if layer.field.note:
            continue
        base = np.full(shape[1:], 1e-5)
        edges = [(place, edge) for place in places_of(layer) for edge in edges_of(layer, *place, *shape[2:])]
        images = np.stack([base, *(raised(base, edge) for _, edge in edges)])
        assert_edges_raise(layer, edges, net.activations(images, layer.name))
        seen += len(edges)
    assert seen, "no field of this network has an edge in the picture"


def assert_edges_raise(
    layer: ls.Layer, edges: list[tuple[tuple[int, int], tuple[slice, slice]]],
    activations: Float64[np.ndarray, "n units *map"],
) -> None:  # fmt: skip
    """Each place has on the image of its edge more than on the first: by little behind a gate, but not by rounding."""
    for k, ((row, col), edge) in enumerate(edges, start=1):
        before, after = _at(activations[[0, k]], row, col)
        rise = (after - before) / np.abs(before)
        assert rise.max() > 1e-12, f"{layer.name}[{row}, {col}] does not see the edge {edge} of {layer.field}"


def raised(base: Float64[np.ndarray, "c h w"], edge: tuple[slice, slice]) -> Float64[np.ndarray, "c h w"]:
    """A picture, much brighter along an edge."""
    image = base.copy()
    image[(slice(None), *edge)] = 0.5
    return image


def edges_of(layer: ls.Layer, row: int, col: int, height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """The rows and columns of px along the field's edges, those that lie in the picture."""
    box = layer.field.box(row=row, col=col)
    inside = box.clipped(height, width)
    rows, cols = slice(inside.top, inside.bottom), slice(inside.left, inside.right)
    for line in (box.top, box.bottom - 1):
        if 0 <= line < height:
            yield slice(line, line + 1), cols
    for line in (box.left, box.right - 1):
        if 0 <= line < width:
            yield rows, slice(line, line + 1)
