"""Pools: the largest or the mean of a window, or of all places."""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from layerscope.models.onnx.calls import OnnxCall, Unread
from layerscope.models.onnx.ops.padding import margins, pad, padding, same_sides, symmetric
from layerscope.models.onnx.ops.table import Computed, OnnxOperator

_MAX = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
_MEAN = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
_ALL_MEAN = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}
_ALL_MAX = {1: nn.AdaptiveMaxPool1d, 2: nn.AdaptiveMaxPool2d, 3: nn.AdaptiveMaxPool3d}


def _window(call: OnnxCall) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], list[int] | str, bool]:
    """Kernel, strides, dilations, margins, and whether a window that is cut at the end counts. Raises Unread."""
    kernel = tuple(call.attributes["kernel_shape"])
    if len(kernel) not in _MAX or call.rank() != len(kernel) + 2:
        raise Unread(f"pools {len(kernel)} dimensions of a map of {call.rank() - 2}")
    ones = [1] * len(kernel)
    strides, dilations = tuple(call.given("strides", ones)), tuple(call.given("dilations", ones))
    ceil = bool(call.given("ceil_mode", 0)) and call.given("auto_pad", "NOTSET") in ("NOTSET", "")
    return kernel, strides, dilations, margins(call, kernel, strides, dilations), ceil


def _max_pool(call: OnnxCall) -> Computed:
    if any(call.outputs[1:]):
        raise Unread("gives the places of its maxima, which are no map")
    kernel, strides, dilations, pads, ceil = _window(call)
    even = symmetric(pads)
    # torch pools a margin of half a window at most; a larger one is put around the map before.
    if even is not None and any(2 * side > size for side, size in zip(even, kernel, strict=True)):
        even = None
    before = padding(pads, kernel, strides, dilations, -torch.inf) if even is None else None
    made = _MAX[len(kernel)](kernel, strides, tuple(even or [0] * len(kernel)), dilations, ceil_mode=ceil)
    return Computed(by=made, before=before)


def _average_pool(call: OnnxCall) -> Computed:
    kernel, strides, dilations, pads, ceil = _window(call)
    counted = bool(call.given("count_include_pad", 0))
    if any(step != 1 for step in dilations):
        raise Unread("takes the mean of a window with gaps (dilations), which torch has not")
    even = symmetric(pads)
    if even is not None and any(2 * side > size for side, size in zip(even, kernel, strict=True)):
        even = None
    if even is not None:
        return Computed(by=_MEAN[len(kernel)](kernel, strides, tuple(even), ceil_mode=ceil, count_include_pad=counted))
    if len(kernel) != 2 or ceil:
        raise Unread(f"takes means with margins {pads}, which torch has not")
    given = pads if isinstance(pads, str) else tuple(pads)
    return Computed(by=partial(mean_of_windows, kernel=kernel, strides=strides, pads=given, counted=counted))


def mean_of_windows(
    x: Tensor, *, kernel: Sequence[int], strides: Sequence[int], pads: Sequence[int] | str, counted: bool
) -> Tensor:
    """The mean of each window, with other margins at the beginning than at the end. counted: margins count as zeros."""
    sides: Sequence[tuple[int, int]]
    if isinstance(pads, str):
        windows = [(size, step, 1) for size, step in zip(kernel, strides, strict=True)]
        sides = same_sides(x.shape[-2:], windows, pads == "SAME_UPPER")
    else:
        sides = list(zip(pads[:2], pads[2:], strict=True))
    size, step = list(kernel), list(strides)
    if not any(map(any, sides)):
        return F.avg_pool2d(x, size, step)
    if not counted and not any(first for first, _ in sides) and _cut_alike(x.shape[-2:], sides, size, step):
        # Windows that reach beyond the end only are those that torch cuts there.
        return F.avg_pool2d(x, size, step, ceil_mode=True, count_include_pad=False)
    padded = pad(x, sides=sides, value=0.0)
    if counted:
        return F.avg_pool2d(padded, size, step)
    inside = pad(torch.ones_like(x[:1, :1]), sides=sides, value=0.0)
    return F.avg_pool2d(padded, size, step) / F.avg_pool2d(inside, size, step)


def _cut_alike(sizes: Sequence[int], sides: Sequence[tuple[int, int]], kernel: list[int], strides: list[int]) -> bool:
    axes = zip(sizes, sides, kernel, strides, strict=True)
    return all((size + end - window) // step == -(-(size - window) // step) for size, (_, end), window, step in axes)


def _over_all(table: dict[int, type[nn.Module]]) -> partial[Computed]:
    return partial(_whole_map, table=table)


def _whole_map(call: OnnxCall, *, table: dict[int, type[nn.Module]]) -> Computed:
    if call.rank() - 2 not in table:
        raise Unread(f"pools a map of {call.rank() - 2} dimensions")
    return Computed(by=table[call.rank() - 2](1))


def _power_pool(call: OnnxCall) -> Computed:
    axes = tuple(range(2, call.rank()))
    return Computed(by=partial(power_mean, power=call.given("p", 2), axes=axes))


def power_mean(x: Tensor, *, power: int, axes: Sequence[int]) -> Tensor:
    """The norm of all places, by channel."""
    return x.abs().pow(power).sum(list(axes), keepdim=True).pow(1 / power)


ROWS = (
    OnnxOperator(name="MaxPool", read=_max_pool),
    OnnxOperator(name="AveragePool", read=_average_pool),
    OnnxOperator(name="GlobalAveragePool", read=_over_all(_ALL_MEAN)),
    OnnxOperator(name="GlobalMaxPool", read=_over_all(_ALL_MAX)),
    OnnxOperator(name="GlobalLpPool", read=_power_pool),
)
