"""A traced network as an ONNX file that answers what a page asks: of each layer the units' maxima and their places.

Values are called by the numbers of their nodes, never by names that come with a network. Weights that are numbers of
half precision, as those of the shipped networks are, lie in the file as such: half as many bytes, and the same numbers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerscope.core.errors import TraceError, UnknownOp, UsageError
from layerscope.graph.graph import Graph
from layerscope.graph.onnx_forms import ONNX_FORMS, NoOnnxForm
from layerscope.graph.ops.calls import Weight
from layerscope.graph.runner import Carrier

# As old as the operators' forms in onnx_forms.py allow, so that old runtimes read the file.
OPSET, IR_VERSION = 17, 8
# Fewer numbers than this stay as they are: a cast would take as much room.
WORTH_HALVING = 64

PICTURE, SCORES = "picture", "scores"


def highest_of(layer: int) -> str:
    """What the output is called that holds the maxima of a layer's units: float32[1, units]."""
    return f"highest{layer}"


def place_of(layer: int) -> str:
    """That of the place of each, row times columns plus column, of equals the first: int32[1, units]."""
    return f"place{layer}"


def onnx_file(program: Carrier, layers: Mapping[int, int], scores: int | None = None) -> bytes:
    """The file's bytes, the same each time. Its input is one picture as the network gets it: float32[1, c, h, w].

    layers: by the number under which a layer is asked for, its node. scores: the node that says the classes, whose
    values are the output SCORES. Raises UnknownOp, which names the node, for an operation that has no form in ONNX,
    TraceError for weights that are not float32, UsageError where the package onnx is missing.
    """
    if program.dtype != torch.float32:
        kind = str(program.dtype).removeprefix("torch.")
        raise TraceError(f"the network computes in {kind}; a browser computes in float32: convert it, as model.float()")
    try:
        from onnx import TensorProto, helper
    except ImportError:
        raise UsageError("writing ONNX needs the package onnx: pip install 'layerscope[onnx]'") from None
    if not layers and scores is None:
        raise UsageError("nothing is asked of the network: name a layer")
    wanted = {*layers.values(), *([] if scores is None else [scores])}
    writing = OnnxWriting()
    names = _written(program, program.graph.ancestors(wanted), writing)
    for layer, node in layers.items():
        _answer(writing, program.graph, names[node], layer, node)
    if scores is not None:
        writing.answer("Identity", names[scores], SCORES, TensorProto.FLOAT, program.graph.nodes[scores].shape[0])
    graph = helper.make_graph(
        writing.nodes,
        "network",
        [helper.make_tensor_value_info(PICTURE, TensorProto.FLOAT, [1, *program.graph.nodes[0].shape])],
        writing.answers,
        writing.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    return model.SerializeToString(deterministic=True)


def onnx_bytes(program: Carrier, layers: Mapping[int, int], scores: int | None = None) -> int:
    """How many bytes of weights such a file holds, told before it is written; arguments as for `onnx_file`."""
    nodes = program.graph.ancestors({*layers.values(), *([] if scores is None else [scores])})
    named = {name for node in nodes for name in _weights(program.graph.nodes[node].args.values())}
    return sum(_kept_as(_float32(program.weights[name])).nbytes for name in named)


def _weights(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, Weight):
            yield value.name
        elif isinstance(value, tuple):
            yield from _weights(value)


def _float32(tensor: Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().to("cpu", torch.float32).numpy(), order="C")


def _kept_as(numbers: np.ndarray) -> np.ndarray:
    """Numbers as they lie in a file: in half precision where these are the same numbers, and enough of them."""
    with np.errstate(over="ignore"):
        halves = numbers.astype(np.float16)
    return halves if numbers.size >= WORTH_HALVING and np.array_equal(halves.astype(np.float32), numbers) else numbers


def _written(program: Carrier, nodes: set[int], writing: "OnnxWriting") -> dict[int, str]:
    """Writes these nodes; by node what its value is called. Raises UnknownOp for the first that cannot be written."""
    graph, names = program.graph, {0: PICTURE}
    for node in sorted(nodes - {0}):
        found = graph.nodes[node]
        form = found.refused or found.stuck or ONNX_FORMS.get(found.op, "it has no form in ONNX here")
        try:
            if isinstance(form, str):
                raise NoOnnxForm(form)
            names[node] = form(writing, program.call(node), [names[source] for source in found.sources])
        except NoOnnxForm as reason:
            raise UnknownOp(
                f'node "{found.name}" calls {found.op}, which cannot be run in a browser: {reason}; let others look at '
                "the network by layerscope live"
            ) from None
    return names


def _answer(writing: "OnnxWriting", graph: Graph, value: str, layer: int, node: int) -> None:
    """The highest activation of each unit of a layer, and where it is."""
    units, *size = graph.nodes[node].shape
    if size:
        value = writing.node("Reshape", [value, writing.whole_numbers([0, units, -1])])
    else:
        value = writing.node("Unsqueeze", [value, writing.whole_numbers([2])])
    from onnx import TensorProto

    writing.answer("ReduceMax", value, highest_of(layer), TensorProto.FLOAT, units, axes=[2], keepdims=0)
    place = writing.node("ArgMax", [value], axis=2, keepdims=0, select_last_index=0)
    writing.answer("Cast", place, place_of(layer), TensorProto.INT32, units, to=TensorProto.INT32)


class OnnxWriting:
    """What is written so far. nodes, constants: as ONNX has them. answers: the outputs, as ONNX has them."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.answers: list[Any] = []
        self._count = 0

    def node(self, operator: str, inputs: Sequence[str], /, **attributes: Any) -> str:
        """Adds a node of one output, and names that."""
        return self._node(operator, inputs, self._named(), attributes)

    def answer(self, operator: str, value: str, called: str, kind: int, units: int, /, **attributes: Any) -> None:
        """Adds a node whose output is one of the file: as many numbers of this kind as there are units."""
        from onnx import helper

        self._node(operator, [value], called, attributes)
        self.answers.append(helper.make_tensor_value_info(called, kind, [1, units]))

    def _node(self, operator: str, inputs: Sequence[str], name: str, attributes: dict[str, Any]) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, value: Tensor | float, /) -> str:
        """Adds numbers, as float32, or as half precision that becomes float32 where these are the same numbers."""
        kept = _kept_as(_float32(value if isinstance(value, Tensor) else torch.tensor(value)))
        if kept.dtype == np.float16:
            from onnx import TensorProto

            return self.node("Cast", [self._kept(kept)], to=TensorProto.FLOAT)
        return self._kept(kept)

    def whole_numbers(self, values: Sequence[int], /) -> str:
        """Adds whole numbers, such as a shape."""
        return self._kept(np.asarray(values, np.int64))

    def _kept(self, array: np.ndarray) -> str:
        from onnx import numpy_helper

        name = self._named()
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def _named(self) -> str:
        self._count += 1
        return f"v{self._count}"
