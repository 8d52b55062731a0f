"""Pools, with "same" as Keras has it on torch: where an average is padded unevenly, the border is repeated."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.models.keras.filters import same
from layerscope.models.keras.plans import AxisPlan, KerasLayer, TorchPlan, Unplanned, pair, size_of


def _paddings(module: KerasLayer, x: Tensor) -> tuple[tuple[int, int], tuple[int, int]]:
    if module.arguments["padding"] != "same":
        return (0, 0), (0, 0)
    kernel, stride = module.arguments["kernel"], module.arguments["stride"]
    rows, cols = (same(size_of(x)[axis], kernel[axis], stride[axis]) for axis in (0, 1))
    return rows, cols


def _max(module: KerasLayer, x: Tensor) -> Tensor:
    """Keras repeats the border where it pads unevenly: no larger value comes in, as with torch's own padding."""
    kernel, stride = module.arguments["kernel"], module.arguments["stride"]
    rows, cols = _paddings(module, x)
    if rows[0] == rows[1] and cols[0] == cols[1]:
        return F.max_pool2d(x, kernel, stride, (rows[0], cols[0]))
    if all(one > 1 or even for one, even in zip(stride, (rows[0] == rows[1], cols[0] == cols[1]), strict=True)):
        # A window that hangs over behind sees what is there.
        return F.max_pool2d(x, kernel, stride, (rows[0], cols[0]), ceil_mode=True)
    return F.max_pool2d(F.pad(x, (*cols, *rows), value=-torch.inf), kernel, stride)


def _average(module: KerasLayer, x: Tensor) -> Tensor:
    kernel, stride = module.arguments["kernel"], module.arguments["stride"]
    rows, cols = _paddings(module, x)
    if rows[0] == rows[1] and cols[0] == cols[1]:
        return F.avg_pool2d(x, kernel, stride, (rows[0], cols[0]), count_include_pad=False)
    return F.avg_pool2d(F.pad(x, (*cols, *rows), mode="replicate"), kernel, stride)


def _global_average(module: KerasLayer, x: Tensor) -> Tensor:
    return x.mean((2, 3), keepdim=module.arguments["keepdims"])


def _global_max(module: KerasLayer, x: Tensor) -> Tensor:
    return x.amax((2, 3), keepdim=module.arguments["keepdims"])


def _adaptive_average(module: KerasLayer, x: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(x, module.arguments["size"])


def _in_order(layer: Any, axes: AxisPlan) -> None:
    if (layer.data_format == "channels_last") != axes.last:
        raise Unplanned("the other order of axes")


def _pool_arguments(layer: Any) -> dict[str, Any]:
    return {"kernel": pair(layer.pool_size), "stride": pair(layer.strides), "padding": layer.padding}


def max_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    _in_order(layer, axes)
    return TorchPlan(run=_max, arguments=_pool_arguments(layer))


def average_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    _in_order(layer, axes)
    return TorchPlan(run=_average, arguments=_pool_arguments(layer))


def global_average_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    _in_order(layer, axes)
    return TorchPlan(run=_global_average, arguments={"keepdims": bool(layer.keepdims)})


def global_max_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    _in_order(layer, axes)
    return TorchPlan(run=_global_max, arguments={"keepdims": bool(layer.keepdims)})


def adaptive_average_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    _in_order(layer, axes)
    return TorchPlan(run=_adaptive_average, arguments={"size": pair(layer.output_size)})
