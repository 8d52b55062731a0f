"""Normalisations, and the layers that bring a picture's numbers to the network's scale."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.models.keras.plans import AxisPlan, KerasLayer, TorchPlan, Unplanned, number

# keras.config.epsilon(), below which Normalization divides by no deviation, and UnitNormalization's own.
_LEAST_DEVIATION, _LEAST_NORM = 1e-7, 1e-6


def _batch(module: KerasLayer, x: Tensor) -> Tensor:
    mean, variance = module.moving_mean, module.moving_variance
    return F.batch_norm(x, mean, variance, module.gamma, module.beta, False, 0.0, module.arguments["epsilon"])


def _layer(module: KerasLayer, x: Tensor) -> Tensor:
    """Over the channels of each place, which torch normalises as the last axis."""
    size, epsilon = (x.shape[1],), module.arguments["epsilon"]
    if x.dim() == 2:
        return F.layer_norm(x, size, module.gamma, module.beta, epsilon)
    return F.layer_norm(x.permute(0, 2, 3, 1), size, module.gamma, module.beta, epsilon).permute(0, 3, 1, 2)


def _group(module: KerasLayer, x: Tensor) -> Tensor:
    return F.group_norm(x, module.arguments["groups"], module.gamma, module.beta, module.arguments["epsilon"])


def _unit(module: KerasLayer, x: Tensor) -> Tensor:
    return F.normalize(x, dim=1, eps=_LEAST_NORM)


def _scaled(module: KerasLayer, x: Tensor) -> Tensor:
    return x * module.scale + module.offset


def _scaled_by_one(module: KerasLayer, x: Tensor) -> Tensor:
    x = x * module.arguments["scale"]
    return x + module.arguments["offset"] if module.arguments["offset"] else x


def _shifted(module: KerasLayer, x: Tensor) -> Tensor:
    return (x - module.mean) / module.deviation


def batch_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    if not axes.is_channels(layer.axis, rank):
        raise Unplanned("another axis than that of the channels")
    statistics = {"moving_mean": number(layer.moving_mean), "moving_variance": number(layer.moving_variance)}
    weights = {"gamma": number(layer.gamma) if layer.scale else None, "beta": _beta(layer)}
    return TorchPlan(run=_batch, weights=weights, statistics=statistics, arguments={"epsilon": float(layer.epsilon)})


def layer_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    if not axes.is_channels(layer.axis, rank) or getattr(layer, "rms_scaling", False) or rank not in (2, 4):
        raise Unplanned("another axis than that of the channels")
    weights = {"gamma": number(layer.gamma) if layer.scale else None, "beta": _beta(layer)}
    return TorchPlan(run=_layer, weights=weights, arguments={"epsilon": float(layer.epsilon)})


def group_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    if not axes.is_channels(layer.axis, rank):
        raise Unplanned("another axis than that of the channels")
    weights = {"gamma": number(layer.gamma) if layer.scale else None, "beta": _beta(layer)}
    return TorchPlan(
        run=_group, weights=weights, arguments={"groups": int(layer.groups), "epsilon": float(layer.epsilon)}
    )


def unit_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    if not axes.is_channels(layer.axis, rank):
        raise Unplanned("another axis than that of the channels")
    return TorchPlan(run=_unit)


def rescaling_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    """Of Rescaling: a number, or one for each channel."""
    scale, offset = (torch.as_tensor(value, dtype=torch.float64) for value in (layer.scale, layer.offset))
    if scale.dim() == offset.dim() == 0:
        return TorchPlan(run=_scaled_by_one, arguments={"scale": float(scale), "offset": float(offset)})
    if not axes.last:
        raise Unplanned("one factor a channel, in the other order of axes")
    spread = {"scale": axes.spread(scale, rank).float(), "offset": axes.spread(offset, rank).float()}
    return TorchPlan(run=_scaled, statistics=spread)


def normalization_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    """Of Normalization: what it has learned of the pictures, or was told."""
    mean, variance = number(layer.mean), number(layer.variance)
    if mean is None or variance is None or layer.invert:
        raise Unplanned("no statistics, or the way back")
    deviation = variance.sqrt().clamp(min=_LEAST_DEVIATION)
    return TorchPlan(
        run=_shifted, statistics={"mean": axes.spread(mean, rank), "deviation": axes.spread(deviation, rank)}
    )


def _beta(layer: Any) -> Tensor | None:
    return number(layer.beta) if layer.center else None
