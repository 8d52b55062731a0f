"""Constants that follow a convolution or make a normalisation, put back where they belong.

Batch norm may be written as arithmetic on constants, (x - mean) * (weight / deviation) + bias, and a layer's bias be a
call of its own. The same numbers come of one batch norm, and of the layer with its bias.
"""

import operator
from collections.abc import Container
from typing import Any

import torch
from torch.fx import Graph, Node

from layerscope.graph.args import bind
from layerscope.graph.rearranged import Emitter

aten = torch.ops.aten

_LAYERS = (aten.conv2d.default, aten.conv2d.padding, aten.linear.default, aten.conv_transpose2d.input)
_BATCH_NORM = aten._native_batch_norm_legit_no_training.default


def gather(graph: Graph, constants: Container[Node]) -> None:
    """Rewrite a graph in place."""
    for fx in list(graph.nodes):
        sums = fx.op == "call_function" and fx.target is aten.add.Tensor and fx not in constants
        if sums and not _biased(graph, constants, fx):
            _normalised(graph, constants, fx)


def _sides(fx: Node, constants: Container[Node]) -> tuple[Node, Node] | None:
    """The map and the constant for each of its channels, of a sum or a product."""
    call = bind(fx.target, fx.args, fx.kwargs)  # type: ignore[arg-type]
    pair = [call["self"], call["other"]]
    if call.get("alpha", 1) != 1 or not all(isinstance(side, Node) for side in pair):
        return None
    own, other = pair if pair[1] in constants else pair[::-1]
    if own in constants or other not in constants or not _per_channel(fx, own, other):
        return None
    return own, other


def _per_channel(fx: Node, own: Node, constant: Node) -> bool:
    shape, sizes = fx.meta["val"].shape, list(constant.meta["val"].shape)
    sizes = [1] * (len(shape) - len(sizes)) + sizes
    fits = own.meta["val"].shape == shape and len(sizes) == len(shape) and len(shape) in (2, 4)
    return fits and sizes == [size if axis == 1 else 1 for axis, size in enumerate(shape)]


def _flat(graph: Graph, before: Node, constant: Node) -> Node:
    value = constant.meta["val"]
    return constant if value.dim() == 1 else Emitter(graph, before, constant)(aten.reshape.default, constant, [-1])


def _alone(fx: Node) -> bool:
    return len(fx.users) == 1


def _biased(graph: Graph, constants: Container[Node], fx: Node) -> bool:
    """A layer without bias, and the sum with one: the layer with its bias."""
    found = _sides(fx, constants)
    if found is None or found[0].target not in _LAYERS or not _alone(found[0]):
        return False
    layer, bias = found
    call = bind(layer.target, layer.args, layer.kwargs)  # type: ignore[arg-type]
    if call["bias"] is not None or call["weight"] not in constants:
        return False
    call["bias"] = _flat(graph, fx, bias)
    fx.target, fx.args, fx.kwargs = layer.target, tuple(_lists(value) for value in call.values()), {}
    return True


def _lists(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _normalised(graph: Graph, constants: Container[Node], fx: Node) -> bool:
    """(x - mean) * factor + bias, or x * factor + bias: batch norm, where the factor is one over a deviation, or where
    it stands right behind a layer; exporters leave of a root only the number."""
    shifted = _sides(fx, constants)
    if shifted is None or shifted[0].target is not aten.mul.Tensor or not _alone(shifted[0]):
        return False
    scaled = _sides(shifted[0], constants)
    if scaled is None:
        return False
    centred, factor = scaled
    source, mean = centred, None
    less: Any = centred.args[:1]
    if centred.target is aten.sub.Tensor and _alone(centred) and less[0] not in constants:
        pair = _sides(centred, constants)
        source, mean = pair if pair is not None else (centred, None)
    if source.target not in _LAYERS and not _over_deviation(factor):
        return False
    weight, bias = _flat(graph, fx, factor), _flat(graph, fx, shifted[1])
    emit = Emitter(graph, fx, factor)
    ones = emit(aten.ones_like.default, weight)
    zeros = _flat(graph, fx, mean) if mean is not None else emit(aten.zeros_like.default, weight)
    fx.target, fx.args, fx.kwargs = _BATCH_NORM, (source, weight, bias, zeros, ones, 0.0, 0.0), {}
    with graph.inserting_after(fx):
        first = graph.call_function(operator.getitem, (fx, 0))
    first.meta.update(fx.meta)
    fx.replace_all_uses_with(first, delete_user_cb=lambda user: user is not first)
    fx.meta["val"] = (fx.meta["val"], None, None)
    return True


def _over_deviation(factor: Node) -> bool:
    """True where a root of a constant stands in how a factor is made."""
    todo, seen = [factor], set()
    while todo:
        fx = todo.pop()
        if fx.target in (aten.rsqrt.default, aten.sqrt.default, aten.pow.Tensor_Scalar):
            return True
        if fx not in seen:
            seen.add(fx)
            todo.extend(fx.all_input_nodes)
    return False
