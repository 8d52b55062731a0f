"""Normalisations: by running statistics, by those of the map, or by neighbouring channels."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from layerscope.models.onnx.calls import OnnxCall, Unread
from layerscope.models.onnx.ops.layers import filled
from layerscope.models.onnx.ops.table import Computed, OnnxOperator

_BATCH = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
_INSTANCE = {3: nn.InstanceNorm1d, 4: nn.InstanceNorm2d, 5: nn.InstanceNorm3d}


def _weights(call: OnnxCall, *places: int) -> list[Tensor]:
    found = [call.weight(place) for place in places]
    if any(weight is None for weight in found):
        raise Unread("takes its weights from the picture, where only constants are known")
    return [weight for weight in found if weight is not None]


def _batch_norm(call: OnnxCall) -> Computed:
    if call.known[0] is not None and call.given("training_mode", 0):
        # How exporters standardise the weights of a convolution: constants by their own statistics.
        return Computed(by=partial(own_statistics, epsilon=call.given("epsilon", 1e-5)), inputs=(0, 1, 2))
    if any(call.outputs[1:]) or call.given("training_mode", 0):
        raise Unread("normalises by the pictures of a batch, as while training")
    weight, bias, mean, variance = _weights(call, 1, 2, 3, 4)
    if call.rank() not in _BATCH or not call.given("spatial", 1):
        raise Unread("has statistics of each place, where only those of each channel are known")
    made: Any = _BATCH[call.rank()](len(weight), eps=call.given("epsilon", 1e-5), device="meta")
    made.running_mean, made.running_var = mean, variance
    made.num_batches_tracked = torch.tensor(0)
    return Computed(by=filled(made, weight, bias))


def own_statistics(x: Tensor, weight: Tensor, bias: Tensor, *, epsilon: float) -> Tensor:
    """Each channel less its mean, over its deviation, with a weight and a bias."""
    return F.batch_norm(x, None, None, weight, bias, training=True, eps=epsilon)


def _instance_norm(call: OnnxCall) -> Computed:
    weight, bias = _weights(call, 1, 2)
    if call.rank() not in _INSTANCE:
        raise Unread(f"normalises a map of {call.rank() - 2} dimensions")
    made = _INSTANCE[call.rank()](len(weight), eps=call.given("epsilon", 1e-5), affine=True, device="meta")
    return Computed(by=filled(made, weight, bias))


def _group_norm(call: OnnxCall) -> Computed:
    weight, bias = _weights(call, 1, 2)
    channels, groups = call.shape()[1], call.attributes["num_groups"]
    # Up to opset 20 there is one number for each group.
    weight, bias = (w.repeat_interleave(channels // len(w)) if len(w) != channels else w for w in (weight, bias))
    made = nn.GroupNorm(groups, channels, eps=call.given("epsilon", 1e-5), device="meta")
    return Computed(by=filled(made, weight, bias))


def _layer_norm(call: OnnxCall) -> Computed:
    if any(call.outputs[1:]):
        raise Unread("gives its statistics too, where only its values are known")
    axis, shape = call.given("axis", -1) % call.rank(), call.shape()
    if axis == 0:
        raise Unread("normalises over the pictures of a batch")
    sizes = list(shape[axis:])
    (weight,) = _weights(call, 1)
    (bias,) = _weights(call, 2) if call.has(2) else (None,)
    made = nn.LayerNorm(sizes, eps=call.given("epsilon", 1e-5), bias=bias is not None, device="meta")
    return Computed(by=filled(made, weight.expand(sizes), None if bias is None else bias.expand(sizes)))


def _rms_norm(call: OnnxCall) -> Computed:
    axis, shape = call.given("axis", -1) % call.rank(), call.shape()
    (weight,) = _weights(call, 1)
    made = nn.RMSNorm(list(shape[axis:]), eps=call.given("epsilon", 1e-5), device="meta")
    return Computed(by=filled(made, weight.expand(tuple(shape[axis:])), None))


def _response_norm(call: OnnxCall) -> Computed:
    size = call.attributes["size"]
    if size % 2 == 0:
        raise Unread(f"normalises over {size} channels, where only an odd number is known")
    made = nn.LocalResponseNorm(size, call.given("alpha", 1e-4), call.given("beta", 0.75), call.given("bias", 1.0))
    return Computed(by=made)


def _norm(call: OnnxCall) -> Computed:
    return Computed(by=partial(to_length_one, power=call.given("p", 2), axis=call.given("axis", -1)))


def to_length_one(x: Tensor, *, power: int, axis: int) -> Tensor:
    """Each vector over its norm; one of zeros stays as it is."""
    length = x.abs().sum(axis, keepdim=True) if power == 1 else (x * x).sum(axis, keepdim=True).sqrt()
    return x / torch.where(length == 0, torch.ones_like(length), length)


def _mean_variance(call: OnnxCall) -> Computed:
    axes = list(call.given("axes", [0, 2, 3]))
    if 0 in [axis % call.rank() for axis in axes]:
        raise Unread("normalises over the pictures of a batch")
    return Computed(by=partial(standardised, axes=tuple(axes)))


def standardised(x: Tensor, *, axes: Sequence[int]) -> Tensor:
    """Less its mean, over its deviation."""
    apart = x - x.mean(list(axes), keepdim=True)
    return apart / ((apart * apart).mean(list(axes), keepdim=True).sqrt() + 1e-9)


def _softmax(call: OnnxCall, *, logarithm: bool) -> Computed:
    rank = call.rank()
    if call.opset >= 13:
        return Computed(by=_softmax_over(call.given("axis", -1) % rank, logarithm))
    axis = call.given("axis", 1) % rank
    # Of old all axes from this one on are one.
    if axis == rank - 1 or all(size == 1 for size in call.shape()[axis + 1 :]):
        return Computed(by=_softmax_over(axis, logarithm))
    return Computed(by=partial(softmax_of_all, axis=axis, logarithm=logarithm))


def _softmax_over(axis: int, logarithm: bool) -> nn.Module:
    return nn.LogSoftmax(axis) if logarithm else nn.Softmax(axis)


def softmax_of_all(x: Tensor, *, axis: int, logarithm: bool) -> Tensor:
    """A softmax over all axes from this one on."""
    flat = x.flatten(axis)
    return (F.log_softmax(flat, axis) if logarithm else F.softmax(flat, axis)).reshape(x.shape)


ROWS = (
    OnnxOperator(name="BatchNormalization", read=_batch_norm),
    OnnxOperator(name="InstanceNormalization", read=_instance_norm),
    OnnxOperator(name="GroupNormalization", read=_group_norm, domains=("", "layerscope")),
    OnnxOperator(name="LayerNormalization", read=_layer_norm),
    OnnxOperator(name="RMSNormalization", read=_rms_norm),
    OnnxOperator(name="LRN", read=_response_norm),
    OnnxOperator(name="LpNormalization", read=_norm),
    OnnxOperator(name="MeanVarianceNormalization", read=_mean_variance),
    OnnxOperator(name="Softmax", read=partial(_softmax, logarithm=False)),
    OnnxOperator(name="LogSoftmax", read=partial(_softmax, logarithm=True)),
)
