"""What exporters took apart is put together again: a dense layer with its bias, normalisations, activations.

What an opset had no word for, or an exporter does not write, stands in the file as several nodes. Read one by one they
would be right, and would hide what they are. Each pattern here is one operator of the table, whose outputs are its own.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from layerscope.models.onnx.activations import written_out

Array = np.ndarray
# Operators of our own, for patterns that ONNX has no word for.
OURS = "layerscope"


class Patterns:
    """A graph as patterns are looked for: who gives a value, who reads it, what is constant."""

    def __init__(self, graph: GraphProto) -> None:
        self.graph = graph
        self.held = {one.name: one for one in graph.initializer}
        self.giver = {name: node for node in graph.node for name in node.output if name}
        self.readers: dict[str, list[NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        self.kept = {one.name for one in graph.output}

    def constant(self, name: str) -> Array | None:
        """A constant's numbers."""
        held = self.weight(name)
        if held is not None:
            return numpy_helper.to_array(held)
        node = self.giver.get(name)
        if node is None or node.op_type != "Constant" or node.attribute[0].name != "value":
            return None
        return numpy_helper.to_array(node.attribute[0].t)

    def weight(self, name: str) -> TensorProto | None:
        """A tensor that the file holds, also where equal ones are handed on from one."""
        node = self.giver.get(name)
        while node is not None and node.op_type == "Identity":
            name = node.input[0]
            node = self.giver.get(name)
        return self.held.get(name)

    def number(self, name: str) -> float | None:
        """A constant that is one number."""
        found = self.constant(name)
        return None if found is None or found.size != 1 else float(found.reshape(-1)[0])

    def by(self, name: str, *operators: str) -> NodeProto | None:
        """The node that gives a value, if it is one of these operators."""
        node = self.giver.get(name)
        return node if node is not None and node.op_type in operators and not node.domain else None

    def only_reader(self, name: str, *operators: str) -> NodeProto | None:
        """The node that reads a value, if it is the only one, and one of these operators."""
        readers = self.readers.get(name, [])
        alone = len(readers) == 1 and name not in self.kept and readers[0].op_type in operators
        return readers[0] if alone and not readers[0].domain else None

    def beside(self, node: NodeProto) -> tuple[str, Array] | None:
        """Of a node of two inputs the one that is computed, and the numbers of the other, which is constant."""
        for value, other in (tuple(node.input), tuple(node.input)[::-1]):
            found = self.constant(other)
            if found is not None and self.constant(value) is None:
                return value, found
        return None


def fused(graph: GraphProto) -> list[NodeProto]:
    """The nodes of a graph, with each pattern in the place of its last node."""
    patterns, gone, made = Patterns(graph), set[int](), dict[int, NodeProto]()
    for node in graph.node:
        for find in _FINDERS.get(node.op_type, ()):
            for one, parts in find(patterns, node):
                if gone.isdisjoint(map(id, parts)):
                    gone.update(map(id, parts))
                    made[id(parts[-1])] = one
                    break
    return [made.get(id(node), node) for node in graph.node if id(node) not in gone or id(node) in made]


Fusions = Iterator[tuple[NodeProto, list[NodeProto]]]


def _in_place_of(
    parts: list[NodeProto], like: NodeProto, op: str, inputs: list[str], domain: str = "", **attributes: Any
) -> NodeProto:
    """One node for several: named as one of them, giving what the last gives."""
    made = helper.make_node(op, inputs, list(parts[-1].output), name=like.name, domain=domain, **attributes)
    made.metadata_props.extend(like.metadata_props)
    return made


def _dense(patterns: Patterns, node: NodeProto) -> Fusions:
    """A product with a matrix and a sum with one number for each output are a dense layer."""
    weight, reader = patterns.weight(node.input[1]), patterns.only_reader(node.output[0], "Add")
    if weight is None or len(weight.dims) != 2 or reader is None:
        return
    (bias,) = [name for name in reader.input if name != node.output[0]] or [""]
    held = patterns.weight(bias)
    if held is not None and list(held.dims) == [weight.dims[1]]:
        yield _in_place_of([node, reader], node, "MatMul", [*node.input, bias]), [node, reader]


def _layer_norm(patterns: Patterns, node: NodeProto) -> Fusions:
    """(x - mean) / sqrt(mean of its square + eps), over the last axis; then a weight and a bias."""
    added, divided = patterns.by(node.input[0], "Add"), patterns.only_reader(node.output[0], "Div")
    apart = patterns.beside(added) if added is not None else None
    if apart is None or divided is None or apart[1].size != 1:
        return
    variance = patterns.by(apart[0], "ReduceMean")
    square = None if variance is None else patterns.by(variance.input[0], "Pow", "Mul")
    if variance is None or square is None or not _over_last(patterns, variance):
        return
    twice = square.op_type == "Mul" and square.input[0] == square.input[1]
    less = patterns.by(square.input[0], "Sub")
    if less is None or not (twice or patterns.number(square.input[1]) == 2) or divided.input[0] != less.output[0]:
        return
    mean = patterns.by(less.input[1], "ReduceMean")
    if mean is None or mean.input[0] != less.input[0] or not _over_last(patterns, mean):
        return
    scaled = patterns.only_reader(divided.output[0], "Mul")
    shifted = None if scaled is None else patterns.only_reader(scaled.output[0], "Add")
    weight, bias = (_name_beside(patterns, one, before) for one, before in ((scaled, divided), (shifted, scaled)))
    parts = [mean, less, square, variance, added, node, divided, scaled, shifted]
    if weight and bias and added is not None and scaled is not None and shifted is not None:
        kept = [one for one in parts if one is not None]
        if _closed(patterns, kept):
            epsilon = float(apart[1].reshape(-1)[0])
            yield _in_place_of(kept, node, "LayerNormalization", [mean.input[0], weight, bias], epsilon=epsilon), kept


def _over_last(patterns: Patterns, node: NodeProto) -> bool:
    axes = next((list(one.ints) for one in node.attribute if one.name == "axes"), None)
    if axes is None and len(node.input) > 1:
        found = patterns.constant(node.input[1])
        axes = None if found is None else found.tolist()
    return axes == [-1] and all(one.i == 1 for one in node.attribute if one.name == "keepdims")


def _name_beside(patterns: Patterns, node: NodeProto | None, before: NodeProto | None) -> str:
    """The constant vector that a node joins with what the one before it gives."""
    if node is None or before is None:
        return ""
    (other,) = [name for name in node.input if name != before.output[0]] or [""]
    held = patterns.weight(other)
    return other if held is not None and len(held.dims) == 1 else ""


def _group_norm(patterns: Patterns, node: NodeProto) -> Fusions:
    """Channels of a group as one, standardised, and apart again; then a weight and a bias for each channel."""
    joined, apart = patterns.by(node.input[0], "Reshape"), patterns.only_reader(node.output[0], "Reshape")
    if joined is None or apart is None:
        return
    shape, scale, shift = (patterns.constant(name) for name in (joined.input[1], *node.input[1:3]))
    scaled = patterns.only_reader(apart.output[0], "Mul")
    shifted = None if scaled is None else patterns.only_reader(scaled.output[0], "Add")
    if shape is None or scale is None or shift is None or scaled is None or shifted is None:
        return
    weight, bias = patterns.beside(scaled), patterns.beside(shifted)
    plain = len(shape) == 3 and shape[1] == len(scale) and bool((scale == 1).all()) and not shift.any()
    if not plain or weight is None or bias is None or shape[2] != -1:
        return
    channels = weight[1].shape[:1]
    if not all(one.shape == (*channels, 1, 1) for one in (weight[1], bias[1])):
        return
    parts = [joined, node, apart, scaled, shifted]
    if _closed(patterns, parts):
        names = [f"{node.output[0]}\0{word}" for word in ("weight", "bias")]
        for name, (_, numbers) in zip(names, (weight, bias), strict=True):
            patterns.graph.initializer.append(numpy_helper.from_array(numbers.reshape(-1), name))
        epsilon = next((one.f for one in node.attribute if one.name == "epsilon"), 1e-5)
        inputs = [joined.input[0], *names]
        yield (
            _in_place_of(parts, node, "GroupNormalization", inputs, OURS, num_groups=len(scale), epsilon=epsilon),
            parts,
        )


def _strided(patterns: Patterns, node: NodeProto) -> Fusions:
    """All numbers of one picture in a row, and those at given places: torch's as_strided, for a batch of one."""
    flat, places = patterns.by(node.input[0], "Reshape"), patterns.constant(node.input[1])
    axis = next((one.i for one in node.attribute if one.name == "axis"), 0)
    if flat is None or places is None or axis != 0 or places.ndim < 2 or places.shape[0] != 1:
        return
    shape = patterns.constant(flat.input[1])
    parts = [flat, node]
    if shape is not None and shape.tolist() == [-1] and _closed(patterns, parts):
        yield _in_place_of(parts, node, "AsStrided", [flat.input[0], node.input[1]], OURS), parts


def _activation(patterns: Patterns, node: NodeProto) -> Fusions:
    """Arithmetic on one map that is a known activation."""
    found = written_out(patterns.giver, patterns.readers, patterns.number, node, patterns.kept)
    if found is not None:
        op, attributes, picture, parts = found
        if _closed(patterns, parts):
            yield _in_place_of(parts, node, op, [picture], **attributes), parts


def _closed(patterns: Patterns, parts: list[NodeProto]) -> bool:
    """Whether nothing outside reads what is inside, but for what the last gives."""
    inside = set(map(id, parts))
    return all(
        name not in patterns.kept and all(id(reader) in inside for reader in patterns.readers.get(name, ()))
        for part in parts[:-1]
        for name in part.output
    )


_FINDERS: dict[str, tuple[Callable[[Patterns, NodeProto], Fusions], ...]] = {
    "MatMul": (_dense,),
    "Sqrt": (_layer_norm,),
    "InstanceNormalization": (_group_norm,),
    "Gather": (_strided,),
    **dict.fromkeys(("Erf", "Tanh", "Sigmoid", "HardSigmoid", "Clip"), (_activation,)),
}
