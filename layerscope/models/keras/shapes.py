"""What joins maps, moves, cuts and enlarges them, and what does nothing once a network is trained."""

from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.models.keras.plans import AxisPlan, KerasLayer, TorchPlan, Unplanned, pair, size_of

_MODES = ("nearest", "bilinear", "bicubic")


def _same(module: KerasLayer, x: Tensor) -> Tensor:
    return x


def _sum(module: KerasLayer, *maps: Tensor) -> Tensor:
    total, *others = maps
    for other in others:
        total = total + other
    return total


def _difference(module: KerasLayer, first: Tensor, second: Tensor) -> Tensor:
    return first - second


def _product(module: KerasLayer, *maps: Tensor) -> Tensor:
    total, *others = maps
    for other in others:
        total = total * other
    return total


def _mean(module: KerasLayer, *maps: Tensor) -> Tensor:
    return _sum(module, *maps) / len(maps)


def _largest(module: KerasLayer, *maps: Tensor) -> Tensor:
    total, *others = maps
    for other in others:
        total = torch.maximum(total, other)
    return total


def _smallest(module: KerasLayer, *maps: Tensor) -> Tensor:
    total, *others = maps
    for other in others:
        total = torch.minimum(total, other)
    return total


def _joined(module: KerasLayer, *maps: Tensor) -> Tensor:
    return torch.cat(maps, module.arguments["axis"])


def _flat(module: KerasLayer, x: Tensor) -> Tensor:
    """Place by place, as Keras has it: all channels of the first place come first."""
    if x.dim() == 4 and x.shape[1] != 1 and size_of(x) != (1, 1):
        x = x.permute(0, 2, 3, 1)
    return x.flatten(1)


def _as_map(module: KerasLayer, x: Tensor) -> Tensor:
    return x.reshape(x.shape[0], -1, 1, 1)


def _padded(module: KerasLayer, x: Tensor) -> Tensor:
    return F.pad(x, module.arguments["padding"])


def _cut(module: KerasLayer, x: Tensor) -> Tensor:
    (top, bottom), (left, right) = module.arguments["cropping"]
    rows, cols = size_of(x)
    return x[:, :, top : rows - bottom, left : cols - right]


def _enlarged(module: KerasLayer, x: Tensor) -> Tensor:
    rows, cols = (length * times for length, times in zip(size_of(x), module.arguments["times"], strict=True))
    return _resized_to(x, (rows, cols), module.arguments["mode"])


def _resized(module: KerasLayer, x: Tensor) -> Tensor:
    return _resized_to(x, module.arguments["size"], module.arguments["mode"])


def _resized_to(x: Tensor, size: tuple[int, int], mode: str) -> Tensor:
    if size == size_of(x):
        return x
    if mode == "nearest" and any(to % of for to, of in zip(size, size_of(x), strict=True)):
        mode = "nearest-exact"  # the nearest centre, as Keras has it; the same where each px becomes a square of them
    return F.interpolate(x, size, mode=mode, align_corners=None if mode.startswith("nearest") else False)


def identity_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    """Of what acts while training alone: dropout, noise, augmentation."""
    return TorchPlan(run=_same)


def sum_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    return TorchPlan(run=_sum)


def difference_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    return TorchPlan(run=_difference)


def product_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    return TorchPlan(run=_product)


def mean_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    return TorchPlan(run=_mean)


def largest_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    return TorchPlan(run=_largest)


def smallest_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    return TorchPlan(run=_smallest)


def joined_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    return TorchPlan(run=_joined, arguments={"axis": axes.place(layer.axis, rank)})


def flat_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    if (layer.data_format == "channels_last") != axes.last or rank not in (2, 4):
        raise Unplanned("the other order of axes")
    return TorchPlan(run=_flat)


def reshape_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    """Of Reshape, where it makes a map of one place of numbers in a row, or a row of numbers of such a map."""
    target, given = tuple(layer.target_shape), tuple(layer.input.shape)[1:]
    if None in given or not axes.last or prod(given) != given[-1]:
        raise Unplanned("a map of several places, or the other order of axes")
    if len(target) == 1:
        return TorchPlan(run=_flat)
    if len(target) == 3 and target[:2] == (1, 1):
        return TorchPlan(run=_as_map)
    raise Unplanned("another shape")


def padding_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    _in_order(layer, axes)
    (top, bottom), (left, right) = layer.padding
    return TorchPlan(run=_padded, arguments={"padding": (int(left), int(right), int(top), int(bottom))})


def cropping_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    _in_order(layer, axes)
    return TorchPlan(run=_cut, arguments={"cropping": tuple(pair(sides) for sides in layer.cropping)})


def enlarging_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    _in_order(layer, axes)
    return TorchPlan(run=_enlarged, arguments={"times": pair(layer.size), "mode": _mode(layer)})


def resizing_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    _in_order(layer, axes)
    if layer.crop_to_aspect_ratio or getattr(layer, "pad_to_aspect_ratio", False) or getattr(layer, "antialias", False):
        raise Unplanned("a crop, a pad or antialiasing")
    return TorchPlan(run=_resized, arguments={"size": (int(layer.height), int(layer.width)), "mode": _mode(layer)})


def _mode(layer: Any) -> str:
    if layer.interpolation not in _MODES:
        raise Unplanned(f"interpolation {layer.interpolation}")
    return str(layer.interpolation)


def _in_order(layer: Any, axes: AxisPlan) -> None:
    if (layer.data_format == "channels_last") != axes.last:
        raise Unplanned("the other order of axes")
