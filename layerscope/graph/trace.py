"""An exported program becomes a graph: name every call by its module, bind it to its row, fold what is constant.

A call that no row speaks for, or that does not treat the pictures of a batch each by itself, is marked with the reason;
what lies before it can still be had.
"""

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.export import ExportedProgram
from torch.export.graph_signature import OutputKind
from torch.fx import Node as FxNode
from torch.utils._pytree import tree_flatten_with_path, tree_unflatten

from layerscope.core.errors import TraceError
from layerscope.graph import affine, gates, response
from layerscope.graph.args import bind
from layerscope.graph.arguments import CallArguments
from layerscope.graph.batch import BatchDim, first, is_number
from layerscope.graph.constants import GETITEM, Constants, WeightsRecipe, is_copy
from layerscope.graph.export import exported, specialised
from layerscope.graph.functional import decomposed, without_effects
from layerscope.graph.graph import INPUT, Graph, Node
from layerscope.graph.layout import Layout
from layerscope.graph.layout_calls import handler_of
from layerscope.graph.module import Copied, bare, copied
from layerscope.graph.names import Namer
from layerscope.graph.ops import OPERATIONS
from layerscope.graph.ops.calls import Call, Declined, holds_source
from layerscope.graph.ops.norm import local_response_norm
from layerscope.graph.ops.refused import reason
from layerscope.graph.spelling import respell

aten = torch.ops.aten


@dataclass(frozen=True)
class Traced:
    """A graph, the weights that its nodes name, and the recipe that makes these from a state dict.

    returned: for each of the network's outputs, in its own order, the node; None where it is none. left_out: hooks of
    other tools that the user's module has and the graph does not, one clause each.
    """

    graph: Graph
    weights: dict[str, Tensor]
    recipe: WeightsRecipe
    returned: tuple[int | None, ...] = ()
    left_out: tuple[str, ...] = ()


def trace_module(model: nn.Module, shape: tuple[int, int, int]) -> Traced:
    """Trace a module for inputs of this shape (channels, height, width), in evaluation mode.

    Raises TraceError where the model cannot be exported or takes more than one input.
    """
    return read_module(prepared(model), shape)


def prepared(model: nn.Module) -> Copied:
    """The copy of a module that is traced. Raises TraceError where there can be none."""
    return copied(bare(model))


def read_module(twin: Copied, shape: tuple[int, int, int]) -> Traced:
    """Trace a prepared module. Raises TraceError where it cannot be exported or takes more than one input."""
    program = exported(twin.module, shape)
    return replace(read_functional(without_effects(program)), left_out=twin.left_out)


def read_program(program: ExportedProgram, shape: tuple[int, int, int] | None = None) -> Traced:
    """Read an exported program (a `.pt2` file's, for example) as a graph and its weights.

    shape: channels, height, width of the inputs, for a program whose height or width was left free.
    Raises TraceError for a program of several inputs, or one that cannot be used for inputs of this shape.
    """
    _require_one_input(program)
    if shape is not None:
        program = specialised(program, shape)
    return read_functional(decomposed(program))


def _require_one_input(program: ExportedProgram) -> None:
    names = program.graph_signature.user_inputs
    if len(names) != 1:
        raise TraceError(
            f"the model takes {len(names)} inputs ({', '.join(map(str, names))}); only one picture is known"
        )


def read_functional(program: ExportedProgram) -> Traced:
    """Read a program without side effects; its graph is rewritten."""
    _require_one_input(program)
    reader = _Reader(program)
    graph, recipe = reader.read()
    if not graph.outputs:
        raise TraceError("nothing that the model returns depends on the picture")
    return Traced(graph, recipe.weights(program.state_dict), recipe, tuple(reader.returned()))


class _Reader:
    """Walks an exported program once, in execution order."""

    def __init__(self, program: ExportedProgram) -> None:
        self.program = program
        respell(program.graph)
        self.input = next(n for n in program.graph.nodes if n.name in program.graph_signature.user_inputs)
        self.batch = BatchDim(self.input)
        self.responses, self.inner = response.find(program.graph)
        layout = Layout(program.graph, Constants(program), handler_of)
        layout.straighten(self.responses, self.inner)
        self.lies = layout.seen_otherwise()
        affine.gather(program.graph, Constants(program))
        self.constants = Constants(program)
        gates.mark(program.graph, self.constants, {*self.responses, *self.inner})
        self.outputs = _user_outputs(program)
        self.wanted = _reachable(self.outputs, self.responses)
        self.namer = Namer(n for n in program.graph.nodes if self._is_node(n))
        self.nodes: list[Node] = []
        self.ids: dict[FxNode, int] = {}
        self.mixed: set[int] = set()

    def read(self) -> tuple[Graph, WeightsRecipe]:
        """The graph, and how its weights are made."""
        for fx in self.program.graph.nodes:
            if fx is self.input:
                self.ids[fx] = 0
                self.nodes.append(Node(id=0, name=INPUT, op=INPUT, target="", module="", shape=self._shape(fx)))
            elif self._is_alias(fx) and fx.args[0] in self.ids:
                self.ids[fx] = self.ids[fx.args[0]]
            elif self._is_node(fx):
                self._append(fx)
        outputs = {self.ids[n] for n in self.outputs if n in self.ids}
        return Graph(tuple(self.nodes), tuple(sorted(outputs)), tuple(self._named())), self.constants.recipe()

    def returned(self) -> Iterator[int | None]:
        """For each of the network's outputs its node."""
        (output,) = (n for n in self.program.graph.nodes if n.op == "output")
        given: Any = output.args[0]
        for value, spec in zip(given, self.program.graph_signature.output_specs, strict=True):
            if spec.kind == OutputKind.USER_OUTPUT:
                yield self.ids.get(value) if isinstance(value, FxNode) else None

    def _named(self) -> Iterator[tuple[str, int]]:
        """The outputs of a network that returns several, by their keys and places."""
        returned = list(self.returned())
        spec = self.program.call_spec.out_spec
        if spec is None or spec.is_leaf() or spec.num_leaves != len(returned):
            return
        placed, _ = tree_flatten_with_path(tree_unflatten(range(len(returned)), spec))
        for path, place in placed:
            node = returned[place]
            if node:
                yield ".".join(["output", *(str(_key(entry)) for entry in path)]), node

    def _is_node(self, fx: FxNode) -> bool:
        if fx.op != "call_function" or fx not in self.wanted or fx in self.inner or fx in self.constants:
            return False
        return not self._is_alias(fx) and not is_number(fx)

    def _is_alias(self, fx: FxNode) -> bool:
        """Calls that hand on what they get: copies, slices that take everything, an output of a call with several."""
        if fx.op != "call_function" or fx in self.constants:
            return False
        if fx.target is aten.slice.Tensor:
            whole = bind(aten.slice.Tensor, fx.args, fx.kwargs)
            return whole["start"] in (None, 0) and whole["end"] in (None, 2**63 - 1) and whole["step"] == 1
        if fx.target is operator.getitem:
            source, index = fx.args
            # A row speaks for the first output of its call.
            return isinstance(source, FxNode) and source.target in OPERATIONS.targets and bool(index == 0)
        return is_copy(fx) or (fx.target is aten._to_copy.default and _same_numbers(fx))

    def _append(self, fx: FxNode) -> None:
        name, module, classes = self.namer.name(fx, self._known_as(fx))
        target, raw = self._bound(fx)
        arguments = CallArguments(self.ids, self.constants, self.batch, name)
        args = {key: arguments.value(value, key) for key, value in raw.items()}
        known = GETITEM if target is operator.getitem else str(target)
        node = Node(
            id=len(self.nodes), name=name, op=_op_name(target), target=known, module=module, classes=classes,
            calls=self.namer.calls(fx), sources=tuple(arguments.sources), args=args, shape=self._shape(fx),
            lies=self.lies.get(fx, ()),
        )  # fmt: skip
        if target is operator.getitem:
            node = replace(node, op=self.nodes[node.sources[0]].op)
        behind = bool(self.mixed.intersection(node.sources)) or target is operator.getitem
        mixed = self.batch.mixed(fx)
        if mixed or behind:
            self.mixed.add(node.id)
        if behind or not node.sources:
            # What was mixed once cannot be had, wherever it is led; only the call that mixes it is told.
            alone = "" if behind else "it makes a map of constants alone, for as many pictures as there are"
            why = self._unknown(target) or ("" if behind else mixed) or alone
        else:
            why = mixed or self._declined(node, target)
        stuck = arguments.why or self._cannot_be_run(fx, target, mixed)
        self.nodes.append(replace(node, refused=stuck or arguments.counted or why, stuck=stuck))
        self.ids[fx] = node.id

    def _cannot_be_run(self, fx: FxNode, target: Any, mixed: str) -> str:
        """Why a call without a row cannot even be run for the sake of what lies behind it, or nothing."""
        if target is operator.getitem:
            return self._unknown(target) if fx.args[0].target in OPERATIONS.targets else ""  # type: ignore[union-attr]
        if not isinstance(target, OpOverload):
            return "it is no ATen call"
        if torch.Tag.nondeterministic_seeded in target.tags:
            return reason(str(target))
        if target is aten.as_strided.default:
            return "it reads memory as it lies, which differs from layout to layout"
        return mixed if mixed and not self.batch.kept(fx) else ""

    def _shape(self, fx: FxNode) -> tuple[int, ...]:
        """The shape without the batch; empty for what is not one tensor with the batch in front and of known size."""
        value = fx.meta.get("val")
        if isinstance(value, list | tuple) and fx.target not in OPERATIONS.targets:
            return ()
        value = first(fx)
        if not isinstance(value, Tensor) or not value.dim() or not self.batch.is_size(value.shape[0]):
            return ()
        sizes = tuple(value.shape)[1:]
        return tuple(int(size) for size in sizes) if all(isinstance(size, int) for size in sizes) else ()

    def _known_as(self, fx: FxNode) -> Any:
        """What the call is named after, where no module is its own."""
        if fx.target is operator.getitem:
            return fx.args[0].target  # type: ignore[union-attr]
        return local_response_norm if fx in self.responses else fx.target

    def _bound(self, fx: FxNode) -> tuple[Any, dict[str, Any]]:
        if fx in self.responses:
            return local_response_norm, self.responses[fx]
        if fx.target is operator.getitem:
            return fx.target, {"of": fx.args[0], "index": fx.args[1]}
        if not hasattr(fx.target, "_schema"):
            return fx.target, {str(place): value for place, value in enumerate(fx.args)}
        # A view asks for a memory layout that channels-last maps do not have; a reshape gives the same numbers.
        target: Any = aten.reshape.default if fx.target is aten.view.default else fx.target
        return target, bind(target, fx.args, fx.kwargs)

    def _unknown(self, target: Any) -> str:
        """Why a call has no row, or nothing."""
        if target is operator.getitem:
            return "it is a further output of a call; only the first is known"
        return "" if target in OPERATIONS.targets else reason(str(target))

    def _declined(self, node: Node, target: Any) -> str:
        """Why no row speaks for a call, or nothing."""
        if target not in OPERATIONS.targets:
            return self._unknown(target)
        if not node.shape or not all(self.nodes[s].shape for s in node.sources):
            return "it reads something that is not a map of numbers"
        row, shapes = OPERATIONS.targets[target], tuple(self.nodes[s].shape for s in node.sources)
        for key, value in node.args.items():
            if key not in row.inputs and holds_source(value):
                return f'it takes a map as its "{key}", where only a constant is known'
        try:
            row.window(Call(target=target, args=node.args, inputs=shapes, shape=node.shape))
        except Declined as declined:
            return f"it {declined}"
        return ""


def _same_numbers(fx: FxNode) -> bool:
    """True for a conversion to the type and device that its input has already."""
    before, after = (n.meta["val"] for n in (fx.all_input_nodes[0], fx))
    return bool(before.dtype == after.dtype and before.device == after.device)


def _op_name(target: Any) -> str:
    return OPERATIONS.targets[target].name if target in OPERATIONS.targets else str(target).removesuffix(".default")


def _key(entry: Any) -> Any:
    """The key, place or name by which a value stands in another."""
    return next(getattr(entry, name) for name in ("key", "idx", "name") if hasattr(entry, name))


def _user_outputs(program: ExportedProgram) -> list[FxNode]:
    """What the network returns; what it keeps for its next run (counters, running means) is no output."""
    (output,) = (n for n in program.graph.nodes if n.op == "output")
    specs = program.graph_signature.output_specs
    returned = zip(output.args[0], specs, strict=True)
    return [fx for fx, spec in returned if isinstance(fx, FxNode) and spec.kind is OutputKind.USER_OUTPUT]


def _reachable(outputs: list[FxNode], responses: Mapping[FxNode, dict[str, Any]]) -> set[FxNode]:
    """What the outputs depend on; a recognised chain hands over to its input directly."""
    todo, seen = list(outputs), set()
    while todo:
        fx = todo.pop()
        if fx not in seen:
            seen.add(fx)
            todo.extend([responses[fx]["input"]] if fx in responses else fx.all_input_nodes)
    return seen
