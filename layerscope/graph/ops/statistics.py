"""Normalisation by the numbers themselves: a map less its mean, over its deviation, taken over channels, groups or all.

The papers of the methods know no such normalisation. Here the statistics count as constants for the deconvnet and
guided, so that the signal is divided by the deviation and multiplied by the weight, and are differentiated for the
gradient. Where they are taken over places, each position depends on the whole map, in its strength only.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.core.geometry import IDENTITY, Field
from layerscope.graph.ops.calls import Call, Declined, NodeInput, Sample
from layerscope.graph.ops.rules import HeldGates, Rule, derivative, vjp
from layerscope.graph.ops.table import Op, pointwise

aten = torch.ops.aten


def _channel_norm(x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    return F.layer_norm(x.movedim(1, -1), (x.shape[1],), weight, bias, eps).movedim(-1, 1)


def _channel_rms_norm(x: Tensor, weight: Tensor | None, eps: float | None) -> Tensor:
    return F.rms_norm(x.movedim(1, -1), (x.shape[1],), weight, eps).movedim(-1, 1)


# ATen normalises over last axes only; of maps whose channels stand last, tracing makes calls of these.
_library = torch.library.Library("layerscope", "FRAGMENT")
_library.define("channel_norm(Tensor input, Tensor? weight, Tensor? bias, float eps) -> Tensor")
_library.impl("channel_norm", _channel_norm, "CompositeImplicitAutograd")
_library.define("channel_rms_norm(Tensor input, Tensor? weight, float? eps) -> Tensor")
_library.impl("channel_rms_norm", _channel_rms_norm, "CompositeImplicitAutograd")
channel_norm = torch.ops.layerscope.channel_norm.default
channel_rms_norm = torch.ops.layerscope.channel_rms_norm.default

BEYOND = "is normalised by statistics of the whole map"
# What a call's signal is multiplied by, its statistics being constants.
Factor = Callable[[Call, Tensor], Tensor]


def _over_places(call: Call) -> tuple[Field, ...]:
    if len(call.inputs[0]) == 1:
        return pointwise(call)
    return (Field(rows=IDENTITY, cols=IDENTITY, beyond=BEYOND),)


def _instance_window(call: Call) -> tuple[Field, ...]:
    if not call["use_input_stats"]:
        raise Declined("normalises by means that were kept in training, in a form that is not known")
    return _over_places(call)


def _axes(call: Call) -> list[int]:
    return list(range(-len(call["normalized_shape"]), 0))


def _inverse(x: Tensor, axes: list[int], eps: float) -> Tensor:
    """One over the standard deviation."""
    return torch.rsqrt(x.var(axes, correction=0, keepdim=True) + eps)


def _inverse_root(x: Tensor, axes: list[int], eps: float | None) -> Tensor:
    """One over the root of the mean square."""
    return torch.rsqrt(x.square().mean(axes, keepdim=True) + (torch.finfo(x.dtype).eps if eps is None else eps))


def _weighted(factor: Tensor, weight: Tensor | None, x: Tensor) -> Tensor:
    """Times one weight for each channel."""
    return factor if weight is None else factor * weight.reshape(1, -1, *(1,) * (x.dim() - 2))


def _by_channels(call: Call, x: Tensor) -> Tensor:
    return _weighted(_inverse(x, [1], call["eps"]), call["weight"], x)


def _by_channels_root(call: Call, x: Tensor) -> Tensor:
    return _weighted(_inverse_root(x, [1], call["eps"]), call["weight"], x)


def _by_last_axes(call: Call, x: Tensor) -> Tensor:
    factor = _inverse(x, _axes(call), call["eps"])
    return factor if call["weight"] is None else factor * call["weight"]


def _by_last_axes_root(call: Call, x: Tensor) -> Tensor:
    factor = _inverse_root(x, _axes(call), call["eps"])
    return factor if call["weight"] is None else factor * call["weight"]


def _by_groups(call: Call, x: Tensor) -> Tensor:
    groups = call["num_groups"]
    factor = _inverse(x.reshape(len(x), groups, -1), [2], call["eps"])
    each = factor.repeat_interleave(x.shape[1] // groups, 1)
    return _weighted(each.reshape(*x.shape[:2], *(1,) * (x.dim() - 2)), call["weight"], x)


def _by_maps(call: Call, x: Tensor) -> Tensor:
    return _weighted(_inverse(x, list(range(2, x.dim())), call["eps"]), call["weight"], x)


def _less_mean(call: Call, factor: Factor) -> Tensor:
    """What its own mean takes off and its bias adds: the rest of the output."""
    (x,) = call.tensors
    return call.run(x) - x * factor(call, x)


def _maps() -> Tensor:
    return torch.linspace(-3, 9, 2 * 4 * 5 * 3, dtype=torch.float64).sin().reshape(2, 4, 5, 3) * 3


def _weights(*shape: int) -> tuple[Tensor, Tensor]:
    ramp = torch.linspace(-2, 3, torch.Size(shape).numel(), dtype=torch.float64)
    return ramp.cos().reshape(shape), ramp.sin().reshape(shape)


def _channel_samples() -> Iterator[Sample]:
    yield Sample(channel_norm, (_maps(),), (NodeInput(0), *_weights(4), 1e-6))
    yield Sample(channel_norm, (_maps(),), (NodeInput(0), None, None, 0.1))
    yield Sample(channel_norm, (_maps()[..., 0, 0],), (NodeInput(0), *_weights(4), 1e-5))


def _channel_root_samples() -> Iterator[Sample]:
    yield Sample(channel_rms_norm, (_maps(),), (NodeInput(0), _weights(4)[0], 1e-6))
    yield Sample(channel_rms_norm, (_maps()[..., 0, 0],), (NodeInput(0), None, None))


def _layer_samples() -> Iterator[Sample]:
    yield Sample(aten.layer_norm.default, (_maps(),), (NodeInput(0), [4, 5, 3], *_weights(4, 5, 3), 1e-5))
    yield Sample(aten.layer_norm.default, (_maps(),), (NodeInput(0), [5, 3], *_weights(5, 3), 1e-5))
    yield Sample(aten.layer_norm.default, (_maps()[..., 0, 0],), (NodeInput(0), [4]))


def _root_samples() -> Iterator[Sample]:
    yield Sample(aten.rms_norm.default, (_maps(),), (NodeInput(0), [4, 5, 3], _weights(4, 5, 3)[0], 1e-5))
    yield Sample(aten.rms_norm.default, (_maps(),), (NodeInput(0), [3]))


def _group_samples() -> Iterator[Sample]:
    yield Sample(aten.group_norm.default, (_maps(),), (NodeInput(0), 2, *_weights(4), 1e-5))
    yield Sample(aten.group_norm.default, (_maps(),), (NodeInput(0), 1))
    yield Sample(aten.group_norm.default, (_maps().reshape(2, 60)[:, :12],), (NodeInput(0), 2, *_weights(12), 1e-5))


def _instance_samples() -> Iterator[Sample]:
    tail = (None, None, True, 0.1, 1e-5, True)
    yield Sample(aten.instance_norm.default, (_maps(),), (NodeInput(0), *_weights(4), *tail))
    yield Sample(aten.instance_norm.default, (_maps(),), (NodeInput(0), None, None, *tail))


def _in_order(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """The gradient on tensors in PyTorch's own order: for one picture whose channels lie last, PyTorch 2.14 gives a
    wrong one of instance norm."""
    return vjp(signal.contiguous(), call.knowing(tuple(tensor.contiguous() for tensor in call.tensors)))


def _row(name: str, sentence: str, target: Any, window: Any, samples: Any, factor: Factor) -> Op:
    rule = Rule(lambda signal, call: (signal * factor(call, call.tensors[0]),), inputs=True, word="factor")
    return Op(
        name=name,
        sentence=sentence,
        targets=(target,),
        window=window,
        samples=samples,
        linear=False,
        role="normalisation",
        rules={"deconvnet": rule, "guided": rule},
        held=HeldGates(rule, lambda call: _less_mean(call, factor), "its own mean and deviation count as constants"),
        gradient=derivative(_in_order),
        stated=False,
    )


ROWS = (
    _row(
        "channel_norm", "layer normalisation of each place over its channels",
        channel_norm, pointwise, _channel_samples, _by_channels,
    ),
    _row(
        "channel_rms_norm", "each place over the root of its channels' mean square",
        channel_rms_norm, pointwise, _channel_root_samples, _by_channels_root,
    ),
    _row(
        "layer_norm", "layer normalisation over rows and columns, with the channels or without",
        aten.layer_norm.default, _over_places, _layer_samples, _by_last_axes,
    ),
    _row(
        "rms_norm", "a map over the root of its mean square",
        aten.rms_norm.default, _over_places, _root_samples, _by_last_axes_root,
    ),
    _row(
        "group_norm", "normalisation of groups of channels, each by its own mean and deviation",
        aten.group_norm.default, _over_places, _group_samples, _by_groups,
    ),
    _row(
        "instance_norm", "normalisation of each map by its own mean and deviation",
        aten.instance_norm.default, _instance_window, _instance_samples, _by_maps,
    ),
)  # fmt: skip
