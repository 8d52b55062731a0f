"""One operation has several spellings in ATen; the table knows one of each, and the others are rewritten into it.

Programs that were taken apart further (core ATen), or exported from other code, call `convolution` for `conv2d`,
`addmm` for `linear`, `clamp` for a rectifier. A spelling is rewritten only where it computes the same, number for
number.
"""

from typing import Any

import torch
from torch._ops import OpOverload
from torch.fx import Graph
from torch.fx import Node as FxNode

from layerscope.graph import several
from layerscope.graph.args import bind
from layerscope.graph.ops.conv import channel_conv
from layerscope.graph.rewriting import Arguments, Rewriting, before, rewrite

aten = torch.ops.aten


def respell(graph: Graph) -> None:
    """Rewrite every call of a program's graph, in place, into the spelling that the table knows."""
    for fx in list(graph.nodes):
        rewriting = SPELLINGS.get(fx.target) if fx.op == "call_function" else None
        if rewriting is not None:
            rewrite(fx, rewriting)


def _convolution(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    if len(call["stride"]) != 2:
        return None
    if call["transposed"]:
        given = {key: v for key, v in call.items() if key != "transposed"}
        return _transposed(fx, given) or (aten.conv_transpose2d.input, given)
    return aten.conv2d.default, {key: v for key, v in call.items() if key not in ("transposed", "output_padding")}


def _transposed(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    """At stride 1 the transposed convolution is a convolution with the filters turned over."""
    weight, groups = call["weight"], call["groups"]
    inputs, outputs, *kernel = weight.meta["val"].shape
    pairs = (call["stride"], call["padding"], call["output_padding"], call["dilation"])
    stride, padding, more, dilation = (tuple(p) * 2 if len(p) == 1 else tuple(p) for p in map(_listed, pairs))
    margins = [d * (k - 1) - p for d, k, p in zip(dilation, kernel, padding, strict=True)]
    if set(stride) != {1} or set(more) != {0} or min(margins) < 0:
        return None
    flipped = before(fx, aten.flip.default, weight, [2, 3])
    cut = before(fx, aten.reshape.default, flipped, [groups, inputs // groups, outputs, *kernel])
    turned = before(fx, aten.transpose.int, cut, 1, 2)
    filters = before(fx, aten.reshape.default, turned, [groups * outputs, inputs // groups, *kernel])
    given = {"input": call["input"], "weight": filters, "bias": call["bias"], "stride": [1, 1], "padding": margins}
    return aten.conv2d.default, {**given, "dilation": list(dilation), "groups": groups}


def _listed(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _addmm(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    bias = call["self"]
    if (call["beta"], call["alpha"]) != (1, 1) or len(bias.meta["val"].shape) != 1:
        return None
    return aten.linear.default, {"input": call["mat1"], "weight": _turned(fx, call["mat2"]), "bias": bias}


def _mm(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    return aten.linear.default, {"input": call["self"], "weight": _turned(fx, call["mat2"]), "bias": None}


def _turned(fx: FxNode, matrix: FxNode) -> FxNode:
    """A matrix the other way round: what it was turned from, or a call that turns it."""
    if matrix.target in (aten.t.default, aten.permute.default, aten.transpose.int):
        (source, *_) = matrix.args
        if isinstance(source, FxNode) and len(source.meta["val"].shape) == 2 and _swaps(matrix):
            return source
    with fx.graph.inserting_before(fx):
        turned = fx.graph.call_function(aten.t.default, (matrix,))
    turned.meta["val"] = matrix.meta["val"].t()
    return turned


def _swaps(matrix: FxNode) -> bool:
    """True where a call on a matrix exchanges its two axes."""
    axes = bind(matrix.target, matrix.args, matrix.kwargs)  # type: ignore[arg-type]
    if "dims" in axes:
        return [d % 2 for d in axes["dims"]] == [1, 0]
    return "dim0" not in axes or axes["dim0"] % 2 != axes["dim1"] % 2


def _matmul(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    matrices = all(len(call[side].meta["val"].shape) == 2 for side in ("self", "other"))
    return _mm(fx, {"self": call["self"], "mat2": call["other"]}) if matrices else None


def _clamp(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    """Cutting at 0 is the rectifier, cutting at 0 and above its bounded kin; scalar bounds only."""
    low, high = call.get("min"), call.get("max")
    if isinstance(low, FxNode) or isinstance(high, FxNode):
        return None
    if low != 0 or (high is not None and high <= 0):
        return aten.clamp.default, {"self": call["self"], "min": low, "max": high}
    if high is None:
        return aten.relu.default, {"self": call["self"]}
    return aten.hardtanh.default, {"self": call["self"], "min_val": 0.0, "max_val": float(high)}


def _hardtanh(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    if call["min_val"] == 0:
        return None
    return aten.clamp.default, {"self": call["self"], "min": call["min_val"], "max": call["max_val"]}


def _random_leaky(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    """In evaluation the slope is the middle of its bounds."""
    if call["training"]:
        return None
    return aten.leaky_relu.default, {"self": call["self"], "negative_slope": (call["lower"] + call["upper"]) / 2}


def _negative(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    return aten.mul.Tensor, {"self": call["self"], "other": -1}


def _square(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    return aten.pow.Tensor_Scalar, {"self": call["self"], "exponent": 2}


def _subtracted_from(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    if isinstance(call["other"], FxNode):
        return aten.sub.Tensor, {"self": call["other"], "other": call["self"], "alpha": call["alpha"]}
    turned = before(fx, aten.mul.Tensor, call["self"], -call["alpha"])
    return aten.add.Tensor, {"self": turned, "other": call["other"], "alpha": 1}


def _maximum(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    """The larger of a map and of as many zeros."""
    for side, other in (("self", "other"), ("other", "self")):
        same_shape = call[side].meta["val"].shape == fx.meta["val"].shape
        if call[other].target in (aten.zeros_like.default, aten.zeros.default, aten.new_zeros.default) and same_shape:
            return aten.relu.default, {"self": call[side]}
    return None


def _along_channels(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    """A one-dimensional convolution of a single channel, which the channels are: efficient channel attention."""
    given, weight = call["input"], call["weight"]
    single = given.meta["val"].dim() == 3 and given.meta["val"].shape[1] == 1 == weight.meta["val"].shape[0]
    if not single or tuple(call["stride"]) != (1,) or fx.meta["val"].shape[2] != given.meta["val"].shape[2]:
        return None
    flat = before(fx, aten.squeeze.dim, given, 1)
    made = before(fx, channel_conv, flat, weight, call["bias"], call["padding"][0], call["dilation"][0])
    return aten.unsqueeze.default, {"self": made, "dim": 1}


def _kept_statistics(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    """Instance norm by means that were kept in training is batch norm in evaluation."""
    if call["use_input_stats"]:
        return None
    names = ("input", "weight", "bias", "running_mean", "running_var", "momentum", "eps")
    return aten._native_batch_norm_legit_no_training.default, {name: call[name] for name in names}


def _padded(mode: str) -> Rewriting:
    def written(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments]:
        pad = call.get("pad", call.get("padding"))
        return aten.pad.default, {"self": call["self"], "pad": pad, "mode": mode, "value": call.get("value")}

    return written


def _larger(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments]:
    return _maximum(fx, call) or (aten.maximum.default, call)


def _batch_norm(fx: FxNode, call: Arguments) -> tuple[OpOverload, Arguments] | None:
    if call["training"]:
        return None
    return aten._native_batch_norm_legit_no_training.default, {k: v for k, v in call.items() if k != "training"}


def _same(target: OpOverload) -> Rewriting:
    """The same arguments under another name."""
    return lambda fx, call: (target, call)


SPELLINGS: dict[Any, Rewriting] = {
    aten.convolution.default: _convolution,
    aten.addmm.default: _addmm,
    aten.mm.default: _mm,
    aten.matmul.default: _matmul,
    aten._adaptive_avg_pool2d.default: _same(aten.adaptive_avg_pool2d.default),
    aten.clamp.default: _clamp,
    aten.clamp_min.default: _clamp,
    aten.clip.default: _clamp,
    aten.clamp_max.default: _clamp,
    aten.hardtanh.default: _hardtanh,
    aten.rrelu.default: _random_leaky,
    aten.neg.default: _negative,
    aten.square.default: _square,
    aten.rsub.Scalar: _subtracted_from,
    aten.rsub.Tensor: _subtracted_from,
    aten.add.Scalar: _same(aten.add.Tensor),
    aten.sub.Scalar: _same(aten.sub.Tensor),
    aten.mul.Scalar: _same(aten.mul.Tensor),
    aten.div.Scalar: _same(aten.div.Tensor),
    aten.subtract.Tensor: _same(aten.sub.Tensor),
    aten.multiply.Tensor: _same(aten.mul.Tensor),
    aten.divide.Tensor: _same(aten.div.Tensor),
    aten.true_divide.Tensor: _same(aten.div.Tensor),
    aten.concat.default: _same(aten.cat.default),
    aten.concatenate.default: _same(aten.cat.default),
    aten._unsafe_view.default: lambda fx, call: (aten.reshape.default, {"self": call["self"], "shape": call["size"]}),
    aten.conv_transpose2d.input: _transposed,
    aten.glu.default: several.gated,
    aten.repeat.default: several.repeated,
    **dict.fromkeys(
        (aten.upsample_nearest2d.vec, aten.upsample_bilinear2d.vec, aten.upsample_bicubic2d.vec), several.resized
    ),
    **dict.fromkeys((aten._upsample_bilinear2d_aa.vec, aten._upsample_bicubic2d_aa.vec), several.resized),
    aten.max_unpool2d.default: several.unpooled,
    aten.split.Tensor: several.taken_apart,
    aten.split_with_sizes.default: several.taken_apart,
    aten.unbind.int: several.unbound,
    aten.slice_scatter.default: several.written_into,
    aten.select_scatter.default: several.written_into,
    aten.copy.default: several.written_over,
    aten.sum.dim_IntList: several.over_a_pile,
    aten.mean.dim: several.over_a_pile,
    aten.amax.default: several.over_a_pile,
    aten.maximum.default: _maximum,
    aten.max.other: _larger,
    aten.conv1d.default: _along_channels,
    aten.instance_norm.default: _kept_statistics,
    aten.constant_pad_nd.default: _padded("constant"),
    aten.reflection_pad2d.default: _padded("reflect"),
    aten.replication_pad2d.default: _padded("replicate"),
    aten.min.other: _same(aten.minimum.default),
    aten._softmax.default: lambda fx, call: (aten.softmax.int, {"self": call["self"], "dim": call["dim"]}),
    aten.addcmul.default: several.product_added,
    aten.addcdiv.default: several.quotient_added,
    aten.max_pool2d_with_indices.default: several.max_pool,
    aten.native_batch_norm.default: _batch_norm,
    aten._native_batch_norm_legit.default: _batch_norm,
}
