"""Activations: what bends each number by itself."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from layerscope.models.onnx.calls import OnnxCall, Unread, one
from layerscope.models.onnx.ops.table import Computed, OnnxOperator

# Files hold float32: a sixth is not Python's.
_SIXTH = 1e-6


def _module(make: Callable[[OnnxCall], nn.Module]) -> Callable[[OnnxCall], Computed]:
    return lambda call: Computed(by=make(call))


def _leaky(call: OnnxCall) -> nn.Module:
    return nn.LeakyReLU(call.given("alpha", 0.01))


def _elu(call: OnnxCall) -> nn.Module:
    return nn.ELU(call.given("alpha", 1.0))


def _celu(call: OnnxCall) -> nn.Module:
    return nn.CELU(call.given("alpha", 1.0))


def _selu(call: OnnxCall) -> Computed:
    alpha, gamma = call.given("alpha", 1.6732632423543772), call.given("gamma", 1.0507009873554805)
    if abs(alpha - 1.6732632) < 1e-5 and abs(gamma - 1.0507010) < 1e-5:
        return Computed(by=nn.SELU())
    return Computed(by=partial(scaled_elu, alpha=alpha, gamma=gamma))


def scaled_elu(x: Tensor, *, alpha: float, gamma: float) -> Tensor:
    """gamma times an ELU."""
    return gamma * F.elu(x, alpha)


def _gelu(call: OnnxCall) -> nn.Module:
    return nn.GELU(call.given("approximate", "none"))


def _hard_sigmoid(call: OnnxCall) -> Computed:
    slope, offset = call.given("alpha", 0.2), call.given("beta", 0.5)
    if abs(slope - 1 / 6) < _SIXTH and offset == 0.5:
        return Computed(by=nn.Hardsigmoid())
    return Computed(by=partial(hard_sigmoid, slope=slope, offset=offset))


def hard_sigmoid(x: Tensor, *, slope: float, offset: float) -> Tensor:
    """A straight line, cut at 0 and 1."""
    return F.hardtanh(x * slope + offset, 0.0, 1.0)


def _swish(call: OnnxCall) -> Computed:
    slope = call.given("alpha", 1.0)
    return Computed(by=nn.SiLU() if slope == 1 else partial(swish, slope=slope))


def swish(x: Tensor, *, slope: float) -> Tensor:
    """x times the sigmoid of a multiple of it."""
    return x * torch.sigmoid(x * slope)


def _thresholded(call: OnnxCall) -> nn.Module:
    return nn.Threshold(call.given("alpha", 1.0), 0.0)


def _prelu(call: OnnxCall) -> Computed:
    slope = call.weight(1)
    if slope is None:
        return Computed(by=partial(parametric), inputs=(0, 1))
    # One for each channel: [c, 1, 1] behind the batch.
    padded = (1,) * (call.rank() - slope.dim()) + tuple(slope.shape)
    if all(size == 1 for place, size in enumerate(padded) if place != 1):
        made = nn.PReLU(slope.numel(), device="meta")
        made.weight = nn.Parameter(slope.reshape(-1))
        return Computed(by=made)
    return Computed(by=partial(parametric), inputs=(0, 1))


def parametric(x: Tensor, slope: Tensor) -> Tensor:
    """x above 0, and a multiple of it below."""
    return torch.where(x >= 0, x, x * slope)


def _clip(call: OnnxCall) -> Computed:
    bounds: list[float | None] = [call.given("min"), call.given("max")] if call.opset < 11 else [None, None]
    places = [0]
    for place in (1, 2) if call.opset >= 11 else ():
        if not call.has(place):
            continue
        found = call.known[place]
        if found is None:
            places.append(place)
        elif found.size == 1:
            bounds[place - 1] = float(one(found))
        else:
            raise Unread("cuts at other numbers for each place")
    if len(places) > 1:
        raise Unread("cuts at numbers that are computed, where only constants are known")
    low, high = (None if bound is None or abs(bound) > 3.4e38 else bound for bound in bounds)
    if low == 0 and high in (None, 6):
        return Computed(by=nn.ReLU() if high is None else nn.ReLU6())
    if low is not None and high is not None and low < high:
        return Computed(by=nn.Hardtanh(low, high))
    return Computed(by=partial(clipped, low=low, high=high))


def clipped(x: Tensor, *, low: float | None, high: float | None) -> Tensor:
    """Cut at a lower and an upper bound."""
    return x if low is None and high is None else torch.clamp(x, low, high)


ROWS = (
    OnnxOperator(name="Relu", read=_module(lambda call: nn.ReLU())),
    OnnxOperator(name="LeakyRelu", read=_module(_leaky)),
    OnnxOperator(name="PRelu", read=_prelu),
    OnnxOperator(name="Elu", read=_module(_elu)),
    OnnxOperator(name="Celu", read=_module(_celu)),
    OnnxOperator(name="Selu", read=_selu),
    OnnxOperator(name="Clip", read=_clip),
    OnnxOperator(name="Sigmoid", read=_module(lambda call: nn.Sigmoid())),
    OnnxOperator(name="HardSigmoid", read=_hard_sigmoid),
    OnnxOperator(name="HardSwish", read=_module(lambda call: nn.Hardswish())),
    OnnxOperator(name="Swish", read=_swish),
    OnnxOperator(name="Mish", read=_module(lambda call: nn.Mish())),
    OnnxOperator(name="Gelu", read=_module(_gelu), domains=("", "com.microsoft")),
    OnnxOperator(name="Softplus", read=_module(lambda call: nn.Softplus())),
    OnnxOperator(name="Softsign", read=_module(lambda call: nn.Softsign())),
    OnnxOperator(name="Tanh", read=_module(lambda call: nn.Tanh())),
    OnnxOperator(name="ThresholdedRelu", read=_module(_thresholded)),
)
