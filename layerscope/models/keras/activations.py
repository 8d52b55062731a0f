"""Activations by the names of Keras, each as torch's own call, with the defaults that Keras has for it."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.models.keras.plans import AxisPlan, KerasLayer, TorchPlan, Unplanned

# `keras.activations.NAME` called with a map alone. What normalises over the channels has them as axis 1.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda x: x,
    "relu": F.relu,
    "relu6": F.relu6,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "elu": F.elu,
    "selu": F.selu,
    "celu": F.celu,
    "silu": F.silu,
    "gelu": F.gelu,
    "mish": F.mish,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "hard_sigmoid": F.hardsigmoid,
    "hard_silu": F.hardswish,
    "hard_tanh": F.hardtanh,
    "hard_shrink": F.hardshrink,
    "soft_shrink": F.softshrink,
    "tanh_shrink": F.tanhshrink,
    "log_sigmoid": F.logsigmoid,
    "exponential": torch.exp,
    "softmax": lambda x: x.softmax(1),
    "log_softmax": lambda x: x.log_softmax(1),
}


def name_of(function: Any) -> str:
    """The name of one of Keras' own activation functions. Raises Unplanned for any other."""
    if function is None:
        return "linear"
    name = getattr(function, "__name__", "")
    if not str(getattr(function, "__module__", "")).startswith("keras.") or name not in ACTIVATIONS:
        raise Unplanned(f"the activation {name or type(function).__name__}")
    return name


def activated(module: KerasLayer, value: Tensor) -> Tensor:
    """A value after the activation that a layer was given as an argument."""
    return ACTIVATIONS[module.arguments["activation"]](value)


def _named(module: KerasLayer, x: Tensor) -> Tensor:
    return activated(module, x)


def _leaky(module: KerasLayer, x: Tensor) -> Tensor:
    return F.leaky_relu(x, module.arguments["slope"])


def _bounded(module: KerasLayer, x: Tensor) -> Tensor:
    return F.hardtanh(x, 0.0, module.arguments["high"])


def _elu(module: KerasLayer, x: Tensor) -> Tensor:
    return F.elu(x, module.arguments["alpha"])


def _prelu(module: KerasLayer, x: Tensor) -> Tensor:
    return F.prelu(x, module.alpha)


def _softmax(module: KerasLayer, x: Tensor) -> Tensor:
    return x.softmax(module.arguments["axis"])


def activation_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    """Of the layer Activation."""
    name = name_of(layer.activation)
    _of_channels(name, axes, rank)
    return TorchPlan(run=_named, arguments={"activation": name})


def relu_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    """Of ReLU, whose slope, ceiling and threshold each may be set."""
    slope, high = float(layer.negative_slope or 0), layer.max_value
    if layer.threshold or (slope and high is not None):
        raise Unplanned("a threshold, or a slope and a ceiling")
    if high is not None:
        return TorchPlan(run=_bounded, arguments={"high": float(high)})
    if slope:
        return TorchPlan(run=_leaky, arguments={"slope": slope})
    return TorchPlan(run=_named, arguments={"activation": "relu"})


def leaky_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    """Of LeakyReLU, whose own default is another than that of the function."""
    return TorchPlan(run=_leaky, arguments={"slope": float(layer.negative_slope)})


def elu_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    return TorchPlan(run=_elu, arguments={"alpha": float(layer.alpha)})


def prelu_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    """Of PReLU with one slope a channel; Keras' default is one for every place, which torch has no call for."""
    alpha = layer.alpha.value.detach()
    shape = tuple(axes.spread(alpha, rank).shape)
    if any(size != 1 for place, size in enumerate(shape) if place != 1):
        raise Unplanned("one slope for every place")
    return TorchPlan(run=_prelu, weights={"alpha": alpha.cpu().reshape(-1).clone()})


def softmax_plan(layer: Any, axes: AxisPlan, rank: int) -> TorchPlan:
    if not isinstance(layer.axis, int):
        raise Unplanned("several axes")
    return TorchPlan(run=_softmax, arguments={"axis": axes.place(layer.axis, rank)})


def _of_channels(name: str, axes: AxisPlan, rank: int) -> None:
    """Keras' softmax as an activation is over the last axis, which is that of the channels in one order alone."""
    if name in ("softmax", "log_softmax") and not axes.is_channels(-1, rank):
        raise Unplanned("a softmax over columns")
