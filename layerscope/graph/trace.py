"""A model becomes a graph: export it, name every call by its module, bind it to its row.

`torch.export` with a dynamic batch turns modules, functions and in-place calls alike into ATen calls without side
effects, so that a ReLU is a ReLU however it was written. The user's model is copied first and never touched.
"""

import copy
import inspect
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram, export
from torch.export.graph_signature import OutputKind
from torch.fx import Node as FxNode

from layerscope.core.errors import TraceError
from layerscope.graph import response
from layerscope.graph.args import bind
from layerscope.graph.graph import INPUT, Graph, Node
from layerscope.graph.names import Namer
from layerscope.graph.ops import TABLE
from layerscope.graph.ops.norm import local_response_norm
from layerscope.graph.ops.refused import reason
from layerscope.graph.ops.table import BatchSize, Call, Declined, Source, Weight

aten = torch.ops.aten


@dataclass(frozen=True)
class Traced:
    """A graph and the weights that its nodes name. returned: for each of the network's outputs, in the order in which
    it gives them, its node; None where it has none."""

    graph: Graph
    weights: dict[str, Tensor]
    returned: tuple[int | None, ...] = ()


def trace_module(model: nn.Module, shape: tuple[int, int, int]) -> Traced:
    """Trace a module for inputs of this shape (channels, height, width), in evaluation mode.

    Raises TraceError where the model cannot be exported or takes more than one input.
    """
    return read_module(prepared(model), shape)


def prepared(model: nn.Module) -> nn.Module:
    """The copy of a module that is traced, in evaluation mode. Raises TraceError where there can be none."""
    try:
        return copy.deepcopy(model).eval()
    except Exception as error:
        raise TraceError(f"the model cannot be copied ({_first_line(error)}); trace it before it is run") from error


def read_module(model: nn.Module, shape: tuple[int, int, int]) -> Traced:
    """Trace a prepared module."""
    _one_input(model)
    example = torch.zeros((2, *shape), dtype=_dtype(model), device=_device(model))
    return read_program(_exported(model, example))


def read_program(program: ExportedProgram) -> Traced:
    """Read an exported program (a `.pt2` file's, for example) as a graph and its weights."""
    with quiet():
        program = program.run_decompositions({})
    names = program.graph_signature.user_inputs
    if len(names) != 1:
        raise TraceError(
            f"the model takes {len(names)} inputs ({', '.join(map(str, names))}); only one picture is known"
        )
    return _Reader(program).read()


def _one_input(model: nn.Module) -> None:
    """Refuse a model that needs more than one argument, by their names."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    given = inspect.signature(model.forward).parameters.values()
    needed = [p.name for p in given if p.kind in kinds and p.default is inspect.Parameter.empty]
    if len(needed) > 1:
        listed = ", ".join(needed)
        name = type(model).__name__
        raise TraceError(f"{name} takes {len(needed)} inputs ({listed}); only networks of one picture are known")


@contextmanager
def quiet() -> Iterator[None]:
    """Exporting tells its own story in warnings and logs; ours is one sentence."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _exported(model: nn.Module, example: Tensor) -> ExportedProgram:
    with quiet(), torch.no_grad():
        try:
            return export(model, (example,), dynamic_shapes=({0: Dim("batch", min=1)},))
        except Exception as error:
            raise TraceError(
                f"{type(model).__name__} cannot be exported for an input of {list(example.shape[1:])}: "
                f"{_first_line(error)}; torch.export must succeed with a dynamic batch "
                "(one picture tensor as its only input, no Python branches on values)"
            ) from error


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".:")[:240]


def _dtype(model: nn.Module) -> torch.dtype:
    return next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)


def _device(model: nn.Module) -> torch.device:
    return next((p.device for p in model.parameters()), torch.device("cpu"))


class _Reader:
    """Walks an exported program once, in execution order."""

    def __init__(self, program: ExportedProgram) -> None:
        self.program = program
        self.state = _named_state(program)
        self.responses, self.inner = response.find(program.graph)
        self.wanted = _reachable(program.graph, self.responses)
        self.namer = Namer(n for n in program.graph.nodes if self._is_node(n))
        self.nodes: list[Node] = []
        self.ids: dict[FxNode, int] = {}
        self.weights: dict[str, Tensor] = {}

    def read(self) -> Traced:
        for fx in self.program.graph.nodes:
            if fx.op == "placeholder" and fx.name in self.program.graph_signature.user_inputs:
                self.ids[fx] = 0
                self.nodes.append(Node(id=0, name=INPUT, op=INPUT, target="", module="", shape=_shape(fx)))
            elif _is_alias(fx) and fx.args[0] in self.ids:
                self.ids[fx] = self.ids[fx.args[0]]
            elif self._is_node(fx):
                self._append(fx)
        (output,) = (n for n in self.program.graph.nodes if n.op == "output")
        outputs = {self.ids[n] for n in output.all_input_nodes if n in self.ids}
        graph = Graph(tuple(self.nodes), tuple(sorted(outputs)))
        return Traced(graph, self.weights, tuple(self._returned(output)))

    def _returned(self, output: FxNode) -> Iterator[int | None]:
        """The nodes of what the network returns, without what it changes in itself."""
        given = output.args[0]
        assert isinstance(given, list | tuple)
        for value, spec in zip(given, self.program.graph_signature.output_specs, strict=True):
            if spec.kind == OutputKind.USER_OUTPUT:
                yield self.ids.get(value) if isinstance(value, FxNode) else None

    def _is_node(self, fx: FxNode) -> bool:
        is_call = fx.op == "call_function" and not _is_alias(fx) and not _is_batch_size(fx)
        return is_call and fx in self.wanted and fx not in self.inner

    def _append(self, fx: FxNode) -> None:
        name, module, classes = self.namer.name(fx, local_response_norm if fx in self.responses else fx.target)
        sources: list[int] = []
        target, raw = self._bound(fx)
        args = {key: self._value(value, sources) for key, value in raw.items()}
        node = Node(
            id=len(self.nodes), name=name, op=_op_name(target), target=str(target), module=module, classes=classes,
            sources=tuple(sources), args=args, shape=_shape(fx),
        )  # fmt: skip
        self.nodes.append(self._checked(node, target))
        self.ids[fx] = node.id

    def _bound(self, fx: FxNode) -> tuple[Any, dict[str, Any]]:
        if fx in self.responses:
            found = self.responses[fx]
            return local_response_norm, found
        if not hasattr(fx.target, "_schema"):
            return fx.target, {str(place): value for place, value in enumerate(fx.args)}
        # A view asks for a memory layout that channels-last maps do not have; a reshape gives the same numbers.
        target: Any = aten.reshape.default if fx.target is aten.view.default else fx.target
        return target, bind(target, fx.args, fx.kwargs)

    def _value(self, value: Any, sources: list[int]) -> Any:
        if isinstance(value, list | tuple):
            return tuple(self._value(v, sources) for v in value)
        if not isinstance(value, FxNode):
            return value
        if _is_batch_size(value):
            return BatchSize()
        if value in self.ids:
            sources.append(self.ids[value])
            return Source(len(sources) - 1)
        if value.name in self.state:
            name, tensor = self.state[value.name]
            self.weights[name] = tensor.detach()
            return Weight(name, tuple(tensor.shape))
        return f"<{value.name}>"

    def _checked(self, node: Node, target: Any) -> Node:
        """The node, marked where no row speaks for its call."""
        why = reason(str(target)) if target not in TABLE else ""
        if not why and not _plain_inputs(node, self.nodes):
            why = "it reads something that is not a map of numbers"
        if not why:
            shapes = tuple(self.nodes[s].shape for s in node.sources)
            try:
                TABLE[target].window(Call(target=target, args=node.args, inputs=shapes, shape=node.shape))
            except Declined as declined:
                why = f"it {declined}"
        return replace(node, refused=why)


def _plain_inputs(node: Node, nodes: list[Node]) -> bool:
    return bool(node.sources) and all(nodes[s].shape for s in node.sources) and len(node.shape) > 0


def _named_state(program: ExportedProgram) -> dict[str, tuple[str, Tensor]]:
    """Placeholder name -> (name in the state dict, tensor), for parameters, buffers and constants."""
    signature = program.graph_signature
    named = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    constants = getattr(signature, "inputs_to_lifted_tensor_constants", {})
    state = {**program.state_dict, **program.constants}
    return {key: (name, state[name]) for key, name in {**named, **constants}.items() if isinstance(state[name], Tensor)}


def _op_name(target: Any) -> str:
    return TABLE[target].name if target in TABLE else str(target).removesuffix(".default")


def _shape(fx: FxNode) -> tuple[int, ...]:
    """The shape without the batch; empty for what is not one tensor of known size behind its batch."""
    value = fx.meta.get("val")
    if isinstance(value, list | tuple) and value and "batch_norm" in str(fx.target):
        value = value[0]
    if not isinstance(value, Tensor):
        return ()
    sizes = tuple(value.shape)[1:]
    return tuple(int(size) for size in sizes) if all(isinstance(size, int) for size in sizes) else ()


def _is_batch_size(fx: FxNode) -> bool:
    return fx.op == "call_function" and str(fx.target).startswith("aten.sym_size") and fx.args[1:] in ((0,), ())


def _is_alias(fx: FxNode) -> bool:
    """Calls that hand on what they get: the first output of batch norm, copies, slices that take everything."""
    if fx.op != "call_function":
        return False
    if fx.target is aten.slice.Tensor:
        whole = bind(aten.slice.Tensor, fx.args, fx.kwargs)
        return whole["start"] in (None, 0) and whole["end"] in (None, 2**63 - 1) and whole["step"] == 1
    if getattr(fx.target, "__name__", "") == "getitem":
        source, index = fx.args[:2]
        return bool(index == 0) and isinstance(source, FxNode) and "batch_norm" in str(source.target)
    return str(fx.target) in (
        "aten.clone.default",
        "aten.alias.default",
        "aten.contiguous.default",
        "aten.detach.default",
    )


def _reachable(graph: torch.fx.Graph, responses: dict[FxNode, dict[str, Any]]) -> set[FxNode]:
    """What the outputs depend on; a recognised chain hands over to its input directly."""
    (output,) = (n for n in graph.nodes if n.op == "output")
    todo, seen = list(output.all_input_nodes), set()
    while todo:
        fx = todo.pop()
        if fx not in seen:
            seen.add(fx)
            todo.extend([responses[fx]["input"]] if fx in responses else fx.all_input_nodes)
    return seen
