"""The nodes of a file in order, each with what computes it; what is constant or only about sizes is worked out.

A tensor without numbers goes through the network while it is read, so that every row knows the axes that it gets. Where
a node cannot be read, what lies behind it is left out, and what it would have read becomes an output.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from onnx import GraphProto, ModelProto, NodeProto, numpy_helper
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode

from layerscope.core.quiet import quiet
from layerscope.models.onnx import sizes
from layerscope.models.onnx.calls import OnnxCall, Unread, one, tensor_of
from layerscope.models.onnx.constants import as_numbers, attribute_of, constant_of, in_words
from layerscope.models.onnx.file import domain, names_read, opsets
from layerscope.models.onnx.fusions import fused
from layerscope.models.onnx.inputs import Pictured
from layerscope.models.onnx.moves import rewritten
from layerscope.models.onnx.ops import OPERATORS
from layerscope.models.onnx.ops.table import Computed
from layerscope.models.onnx.paths import Scope, Scopes
from layerscope.models.onnx.steps import OnnxStep, ValueNamed, needed
from layerscope.models.onnx.turning import FIRST_TO_LAST, channels_first

# A number that no other axis has.
BATCH_SIZE = 13
_MOST_SIZES = 64
_FLOW = {"If": "it decides by what it computes", "Loop": "it is a loop", "Scan": "it is a loop"}


@dataclass(kw_only=True)
class OnnxPlan:
    """What was read of a file.

    outputs: names of what it gives; names_in_file: what the file calls them, "" for what is none of its outputs. cut:
    why nodes were left out, with how often.
    """

    steps: list[OnnxStep] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    names_in_file: list[str] = field(default_factory=list)
    cut: Counter[str] = field(default_factory=Counter)


def planned(model: ModelProto, picture: Pictured) -> OnnxPlan:
    """Read the nodes of a model, as far as they can be read."""
    with torch.no_grad(), quiet():
        return _Planner(model, picture).plan()


class _Planner:
    """Walks a graph once. known: constants by name. values: of all that is computed the axes, or what is known of them.
    lost: names of what stands behind a node that cannot be read."""

    def __init__(self, model: ModelProto, picture: Pictured) -> None:
        self.model, self.picture, self.opsets = model, picture, opsets(model)
        self.without_numbers = FakeTensorMode(allow_non_fake_inputs=True)
        self.known: dict[str, np.ndarray | None] = {"": None}
        self.values: dict[str, Any] = {"": None}
        self.same: dict[str, str] = {}
        self.lost: dict[str, None] = {}
        self.frontier: dict[str, None] = {}
        self.stands: dict[str, Scope] = {}
        self.steps: list[OnnxStep] = []
        self.cut: Counter[str] = Counter()
        self.read_anywhere = names_read(model.graph)
        self.scopes = Scopes(model.graph)

    def plan(self) -> OnnxPlan:
        expected = self.picture.input
        name = self.picture.name
        with self.without_numbers:
            x = torch.empty((BATCH_SIZE, *expected.shape))
            self.values[name] = x.permute(*FIRST_TO_LAST) if self.picture.last else x
        self._walk(self.model.graph)
        wanted = {self._real(one.name): one.name for one in self.model.graph.output}
        given = {name: in_file for name, in_file in wanted.items() if name not in self.lost and self._is_map(name)}
        if len(given) < len(wanted):
            given = dict.fromkeys(filter(self._is_map, self.frontier), "") | given
        outputs = list(given)
        steps = channels_first(self.steps, self.picture.name) if self.picture.last else self.steps
        steps = list(needed(rewritten(steps, self.values, outputs), outputs))
        return OnnxPlan(steps=steps, outputs=outputs, names_in_file=[*given.values()], cut=self.cut)

    def _is_map(self, name: str) -> bool:
        return isinstance(self.values.get(name), Tensor)

    def _walk(self, graph: GraphProto) -> None:
        nodes = fused(graph)
        for tensor in graph.initializer:
            self.known[tensor.name] = numpy_helper.to_array(tensor)
        for node in nodes:
            if any(self._real(name) in self.lost for name in node.input):
                self._lose(node)
                continue
            try:
                self._read(node)
            except Unread as why:
                self._cut(node, f"{_operator(node)}: it {why}")
            except Exception as error:
                said = (str(error).strip().splitlines() or [type(error).__name__])[0]
                self._cut(node, f"{_operator(node)}: it cannot be run ({said[:160].rstrip('.:')})")

    def _cut(self, node: NodeProto, why: str) -> None:
        self.cut[why] += 1
        self._lose(node)

    def _lose(self, node: NodeProto) -> None:
        """What a node would have read and can be had is something that the network gives, then."""
        self.frontier.update(dict.fromkeys(name for name in map(self._real, node.input) if name not in self.lost))
        self.lost.update(dict.fromkeys(name for name in node.output if name))

    def _real(self, name: str) -> str:
        return self.same.get(name, name)

    def _read(self, node: NodeProto) -> None:
        if node.op_type == "Constant":
            self.known[node.output[0]] = constant_of(node)
            return
        names = [self._real(name) for name in node.input]
        if node.op_type in _FLOW:
            self._branch(node, names)
            return
        call = self._call(node, names)
        tensors = any(isinstance(value, Tensor) for value in call.inputs)
        if node.op_type == "Shape" and tensors:
            self._sized(node, call, names)
        elif not tensors and node.op_type in sizes.FOLDS and not node.domain and not _of_weights(call):
            self._folded(node, call, names)
        else:
            self._computed(node, call, names, tensors)

    def _call(self, node: NodeProto, names: list[str]) -> OnnxCall:
        missing = [name for name in names if name and name not in self.known and name not in self.values]
        if missing:
            raise Unread(f'reads "{missing[0]}", which nothing in the file gives')
        return OnnxCall(
            op=node.op_type,
            opset=self.opsets.get(domain(node.domain), 1),
            attributes={one.name: attribute_of(one) for one in node.attribute},
            known=[self.known.get(name) for name in names],
            inputs=[self.values.get(name) for name in names],
            outputs=[name in self.read_anywhere for name in node.output],
            batch=self.picture.batch,
        )

    def _branch(self, node: NodeProto, names: list[str]) -> None:
        """A choice by a constant is none."""
        condition = self.known.get(names[0]) if node.op_type == "If" else None
        if condition is None:
            raise Unread(_FLOW[node.op_type].removeprefix("it "))
        wanted = "then_branch" if one(condition) else "else_branch"
        (branch,) = (each.g for each in node.attribute if each.name == wanted)
        self._walk(branch)
        for inner, outer in zip(branch.output, node.output, strict=True):
            if inner.name in self.lost:
                self.lost[outer] = None
            else:
                self._hand_on(inner.name, outer)

    def _hand_on(self, inner: str, outer: str) -> None:
        inner = self._real(inner)
        if self.known.get(inner) is not None:
            self.known[outer] = self.known[inner]
        else:
            self.same[outer] = inner

    def _sized(self, node: NodeProto, call: OnnxCall, names: list[str]) -> None:
        x = call.inputs[0]
        self.values[node.output[0]] = sizes.shape_of(call, tuple(x.shape))
        by = partial(sizes.shape, start=call.given("start", 0), end=call.given("end"))
        self._add(node, by, (ValueNamed(names[0]),), node.output)

    def _folded(self, node: NodeProto, call: OnnxCall, names: list[str]) -> None:
        given = [
            constant if constant is not None else value for constant, value in zip(call.known, call.inputs, strict=True)
        ]
        found = sizes.fold(call, given)
        if all(name == "" or self.known.get(name) is not None for name in names):
            self.known.update(zip(node.output, (as_numbers(one, given) for one in found), strict=False))
            return
        self.values.update(zip(node.output, found, strict=False))
        by = partial(
            sizes.folded, op=call.op, opset=call.opset, parts=len(node.output),
            attributes=tuple((name, in_words(value)) for name, value in sorted(call.attributes.items())),
        )  # fmt: skip
        self._add(node, by, tuple(self._argument(name) for name in names), node.output)

    def _computed(self, node: NodeProto, call: OnnxCall, names: list[str], tensors: bool) -> None:
        row = OPERATORS.get((domain(node.domain), node.op_type))
        if row is None:
            raise Unread("is an operator that is not known")
        constant = not tensors and all(name == "" or self.known.get(name) is not None for name in names)
        if constant:
            call = replace(call, inputs=[None if one is None else tensor_of(one) for one in call.known], batch=None)
        found = row.read(call)
        if found.by is None:
            self._hand_on(names[found.inputs[0]], node.output[0])
            return
        if constant:
            self.known.update(zip(node.output, _worked_out(found, call), strict=False))
            return
        self._made(node, found, call, names)

    def _made(self, node: NodeProto, found: Computed, call: OnnxCall, names: list[str]) -> None:
        """Run what computes a node on tensors without numbers, and note it down."""
        assert found.by is not None
        arguments = [self._given(names, place, call, found) for place in found.inputs if place < len(names)]
        while arguments and arguments[-1] is None:
            arguments.pop()
        outer, outputs = node.output[0], list(node.output)
        with self.without_numbers:
            values = [self.values[one.name] if isinstance(one, ValueNamed) else one for one in arguments]
            if found.before is not None:
                values[0] = found.before(values[0])
            result = _put_in_place(found.by)(*values)
            result = result if found.after is None else found.after(result)
        if found.before is not None:
            inner = f"{outer}\0before"
            self._add(node, found.before, (arguments[0],), (inner,), outside=True)
            arguments[0] = ValueNamed(inner)
        if found.after is not None:
            outputs = [f"{outer}\0after"]
        self._add(node, found.by, tuple(arguments), outputs, alike=(*names[1:], *map(str, node.attribute)))
        if found.after is not None:
            self._add(node, found.after, (ValueNamed(outputs[0]),), (outer,), outside=True)
        results = result if isinstance(result, tuple | list) else (result,)
        self.values.update(zip(node.output, results, strict=False))

    def _given(self, names: list[str], place: int, call: OnnxCall, found: Computed) -> Any:
        """An argument of a function: a name, a constant tensor, or plain numbers."""
        name = names[place]
        array = self.known.get(name)
        if array is None:
            return ValueNamed(name) if name else None
        if place not in found.plain and (array.dtype.kind in "fV" or array.dtype.name == "bfloat16"):
            if array.size == 1 and array.ndim <= max(value.dim() for value in call.inputs if isinstance(value, Tensor)):
                return float(one(array))
            return tensor_of(array)
        return in_words(array)

    def _argument(self, name: str) -> Any:
        """An argument of a step about sizes."""
        array = self.known.get(name)
        return (ValueNamed(name) if name else None) if array is None else in_words(array)

    def _add(
        self, node: NodeProto, by: nn.Module | partial[Any], arguments: tuple[Any, ...], outputs: Sequence[str],
        *, outside: bool = False, alike: tuple[Any, ...] = (),
    ) -> None:  # fmt: skip
        scope = self.scopes.of(node)
        if scope is None:
            scope = next((self.stands[name] for name in map(self._real, node.input) if name in self.stands), ())
        self.stands.update(dict.fromkeys(outputs, scope))
        self.steps.append(
            OnnxStep(
                op=node.op_type, by=by, arguments=arguments, outputs=tuple(outputs), alike=(node.op_type, *alike),
                scope=scope[:-1] if outside else scope,
            )
        )  # fmt: skip


def _of_weights(call: OnnxCall) -> bool:
    """Whether a node is about weights, not about sizes: its constants are many numbers, for torch to work on."""
    return ("", call.op) in OPERATORS and any(array is not None and array.size > _MOST_SIZES for array in call.known)


def _put_in_place(by: nn.Module | partial[Any]) -> Any:
    """A module as it runs when it is used, not while training."""
    return by.eval() if isinstance(by, nn.Module) else by


def _worked_out(found: Computed, call: OnnxCall) -> list[np.ndarray]:
    """What a node gives whose inputs are all constant."""
    assert found.by is not None
    given = [call.inputs[place] for place in found.inputs if place < len(call.inputs)]
    first = given[0] if found.before is None else found.before(given[0])
    result = _put_in_place(found.by)(first, *given[1:])
    result = result if found.after is None else found.after(result)
    return [one.detach().numpy() for one in (result if isinstance(result, tuple | list) else (result,))]


def _operator(node: NodeProto) -> str:
    return f"{node.op_type} of {node.domain}" if domain(node.domain) else node.op_type
