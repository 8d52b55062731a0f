"""What has filters to learn: convolutions of all kinds and dense layers, with TensorFlow's way of padding to "same"."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from layerscope.models.keras.activations import activated, name_of
from layerscope.models.keras.plans import AxisPlan, KerasLayer, TorchPlan, Unplanned, number, pair, size_of


def same(size: int, reach: int, stride: int) -> tuple[int, int]:
    """What "same" adds before and behind: as much as ceil(size / stride) windows need, the odd one behind.

    reach: how far a window reaches, dilated as it is.
    """
    windows = -(-size // stride)
    total = max(0, (windows - 1) * stride + reach - size)
    return total // 2, total - total // 2


def _convolved(module: KerasLayer, x: Tensor, kernel: Tensor, bias: Tensor | None, *, groups: int) -> Tensor:
    stride, dilation = module.arguments["stride"], module.arguments["dilation"]
    padding = (0, 0)
    if module.arguments["padding"] == "same":
        reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel.shape[2:], strict=True)]
        rows, cols = (same(size_of(x)[axis], reach[axis], stride[axis]) for axis in (0, 1))
        if rows[0] == rows[1] and cols[0] == cols[1]:
            padding = rows[0], cols[0]
        else:
            x = F.pad(x, (*cols, *rows))
    return F.conv2d(x, kernel, bias, stride, padding, dilation, groups)


def _conv(module: KerasLayer, x: Tensor) -> Tensor:
    groups = x.shape[1] // module.kernel.shape[1]
    return activated(module, _convolved(module, x, module.kernel, module.bias, groups=groups))


def _separable(module: KerasLayer, x: Tensor) -> Tensor:
    x = _convolved(module, x, module.depthwise_kernel, None, groups=x.shape[1])
    return activated(module, F.conv2d(x, module.pointwise_kernel, module.bias))


def _transposed(module: KerasLayer, x: Tensor) -> Tensor:
    crops, strides, dilations = (module.arguments[name] for name in ("crops", "stride", "dilation"))
    more = [before - behind for before, behind in crops]
    fits = all(
        before >= 0 and 0 <= extra < max(stride, dilation)
        for (before, _), extra, stride, dilation in zip(crops, more, strides, dilations, strict=True)
    )
    if fits:
        cut = [before for before, _ in crops]
        x = F.conv_transpose2d(x, module.kernel, module.bias, strides, cut, more, 1, dilations)
    else:
        x = F.conv_transpose2d(x, module.kernel, None, strides, 0, 0, 1, dilations)
        rows, cols = crops
        x = F.pad(x, (-cols[0], -cols[1], -rows[0], -rows[1]))
        x = x if module.bias is None else x + module.bias.reshape(1, -1, 1, 1)
    return activated(module, x)


def _dense(module: KerasLayer, x: Tensor) -> Tensor:
    """On a map, a dense layer acts on the channels of each place: a convolution of 1 x 1."""
    if x.dim() == 4:
        return activated(module, F.conv2d(x, module.kernel[:, :, None, None], module.bias))
    return activated(module, F.linear(x, module.kernel, module.bias))


def conv_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    _in_order(layer, axes)
    kernel = number(layer.kernel)
    assert kernel is not None
    return _plan(_conv, layer, {"kernel": kernel.permute(3, 2, 0, 1).contiguous()})


def depthwise_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    """Keras orders the outputs of a depthwise convolution by channel, then by multiple, as torch's groups do."""
    _in_order(layer, axes)
    return _plan(_conv, layer, {"kernel": _by_channel(layer.kernel)})


def separable_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    _in_order(layer, axes)
    pointwise = number(layer.pointwise_kernel)
    assert pointwise is not None
    kernels = {
        "depthwise_kernel": _by_channel(layer.depthwise_kernel),
        "pointwise_kernel": pointwise.permute(3, 2, 0, 1).contiguous(),
    }
    return _plan(_separable, layer, kernels)


def transposed_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    """Of Conv2DTranspose: the whole of the transposed convolution, cut as TensorFlow cuts it."""
    _in_order(layer, axes)
    kernel = number(layer.kernel)
    assert kernel is not None
    stride, dilation = pair(layer.strides), pair(layer.dilation_rate)
    extra = (None, None) if layer.output_padding is None else pair(layer.output_padding)
    crops = tuple(
        _crop(kernel.shape[axis], stride[axis], dilation[axis], layer.padding, extra[axis]) for axis in (0, 1)
    )
    plan = _plan(_transposed, layer, {"kernel": kernel.permute(3, 2, 0, 1).contiguous()})
    return TorchPlan(run=plan.run, weights=plan.weights, arguments={**plan.arguments, "crops": crops})


def dense_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    """Of Dense, on the last axis: on a map in Keras' usual order those are the channels."""
    if rank not in (2, 4) or not axes.is_channels(-1, rank):
        raise Unplanned("a dense layer on another axis")
    kernel = number(layer.kernel)
    assert kernel is not None
    weights = {"kernel": kernel.t().contiguous(), "bias": number(layer.bias)}
    return TorchPlan(run=_dense, weights=weights, arguments={"activation": _activation(layer)})


def _plan(run: Any, layer: Any, kernels: dict[str, Tensor]) -> TorchPlan:
    arguments = {
        "stride": pair(layer.strides), "dilation": pair(layer.dilation_rate), "padding": layer.padding,
        "activation": _activation(layer),
    }  # fmt: skip
    return TorchPlan(run=run, weights={**kernels, "bias": number(layer.bias)}, arguments=arguments)


def _activation(layer: Any) -> str:
    return name_of(layer.activation)


def _in_order(layer: Any, axes: AxisPlan) -> None:
    if (layer.data_format == "channels_last") != axes.last:
        raise Unplanned("the other order of axes")
    if layer.padding not in ("valid", "same"):
        raise Unplanned(f"padding {layer.padding}")


def _by_channel(variable: Any) -> Tensor:
    kernel = number(variable)
    assert kernel is not None
    rows, cols, channels, multiple = kernel.shape
    return kernel.permute(2, 3, 0, 1).reshape(channels * multiple, 1, rows, cols).contiguous()


def _crop(kernel: int, stride: int, dilation: int, padding: str, extra: int | None) -> tuple[int, int]:
    """What is cut before and behind of all that a transposed convolution gives along one axis; below zero is added.

    The size is TensorFlow's: size * stride for "same", (size - 1) * stride + max(kernel, stride) for "valid".
    """
    reach = (kernel - 1) * dilation + 1
    if padding == "valid":
        return 0, -(max(reach, stride) - reach if extra is None else extra)
    added = stride + reach - 2 if extra is None else reach + reach % 2 - 2 + extra
    before = min(added - added // 2, reach - 1)
    return reach - 1 - before, reach - 1 - (added - before)
