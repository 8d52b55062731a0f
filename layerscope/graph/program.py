"""A graph with its weights, ready to run: forward, only as deep as needed, keeping only what is wanted.

How, is told by a plan (`graph/plan.py`), which is made once for the nodes that are wanted.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, ParamSpec, TypeVar
from weakref import WeakMethod

import torch
from torch import Tensor

from layerscope.core.errors import TraceError
from layerscope.core.geometry import Field
from layerscope.core.methods import METHODS, Method
from layerscope.graph.backward import back_of, way_back
from layerscope.graph.bounded import is_trusted
from layerscope.graph.following import Visit, followed
from layerscope.graph.fused import Filters, can_join, factors_of
from layerscope.graph.graph import Graph, Node
from layerscope.graph.ops.calls import Call, Weight
from layerscope.graph.ops.kernels import NARROW
from layerscope.graph.ops.rules import Back, Rule
from layerscope.graph.plan import Step, plan_of
from layerscope.graph.runner import Carrier, WayBack
from layerscope.graph.sent import sent
from layerscope.graph.transposed import can_turn

P = ParamSpec("P")
R = TypeVar("R")

FLOATING = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
# Integers and truth values have their uses as factors and masks, but not as what is learned.
COUNTING = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
LEARNED = frozenset({"weight", "bias", "running_mean", "running_var"})


def _remembered(method: Callable[P, R], most: int | None = None) -> Callable[P, R]:
    """A method whose answers are kept. Its program is not: one that kept itself would hold its weights, gigabytes in
    float64, until garbage is looked for."""
    weak = WeakMethod(method)

    def ask(*args: P.args, **kwargs: P.kwargs) -> R:
        asked = weak()
        assert asked is not None, "the program is gone"
        return asked(*args, **kwargs)

    return lru_cache(most)(ask)  # type: ignore[return-value]


class Program:
    """A traced network that can be run: the runner of the house.

    graph: the nodes. weights: by name, all on one device. layout: of maps and of weights of four dimensions. dtype,
    device: of the weights.
    """

    # It is large, and the same in every stage of a build: see core/parcels.py.
    travels_alone = True

    def __init__(
        self, graph: Graph, weights: dict[str, Tensor], layout: torch.memory_format = torch.channels_last
    ) -> None:
        self.graph, self.layout = graph, layout
        self.weights = {name: self.laid_out(tensor) for name, tensor in weights.items()}
        floating = [w for w in self.weights.values() if w.is_floating_point()]
        self.dtype = floating[0].dtype if floating else torch.float32
        self.device = floating[0].device if floating else torch.device("cpu")
        self.call = _remembered(self._call)
        self.windows = _remembered(self._windows)
        self.on_whole_maps = _remembered(self._on_whole_maps)
        self._filters_once = _remembered(self._filters)
        self._back_once = _remembered(self._back)
        self._way_back_once = _remembered(self._way_back, 64)
        self.plan = _remembered(self._planned, 64)
        self._narrow = any(weight.dtype in NARROW for weight in floating)
        self._wide: Program | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """What another process makes the same program of; what was only remembered stays here.

        The other process may have its device under another number, so that only the kind of it travels.
        """
        weights = {name: weight.cpu() for name, weight in self.weights.items()}
        return _arrived, (self.graph, weights, self.layout, self.device.type)

    def to(self, device: torch.device | str) -> "Program":
        """The same program on another device."""
        return Program(self.graph, {name: w.to(device) for name, w in self.weights.items()})

    @property
    def wide(self) -> "Program":
        """The same program with 16-bit weights in float32: what is carried back on it does not overflow."""
        if self._narrow and self._wide is None:
            self._wide = self._widened()
        return self._wide or self

    def _widened(self) -> "Program":
        return Program(self.graph, {n: w.float() if w.dtype in NARROW else w for n, w in self.weights.items()})

    def check(self) -> None:
        """Raises TraceError where a weight is not a finite number, or of a kind that is not computed with."""
        learned = {
            value.name
            for node in self.graph.nodes
            for argument, value in node.args.items()
            if argument in LEARNED and isinstance(value, Weight)
        }
        for name, weight in self.weights.items():
            if weight.dtype not in (FLOATING if name in learned else (*FLOATING, *COUNTING)):
                raise _unsuited(name, weight)
            if weight.is_floating_point() and not bool(torch.isfinite(weight).all()):
                raise TraceError(f'the weights "{name}" hold numbers that are not finite (NaN or infinity)')

    def run(self, x: Tensor, wanted: Collection[int]) -> dict[int, Tensor]:
        """The values of the wanted nodes for a batch of inputs [n, c, h, w]; in the program's dtype, channels-last."""
        asked = frozenset(wanted)
        for fused in (True, False) if self._may_join(x) else (False,):
            values = {0: self._given(x)}
            if followed(self.plan(asked, asked, fused=fused), values):
                break
        return {node: values[node] for node in wanted}

    def visit(self, x: Tensor, wanted: Collection[int], see: Callable[[int, int, Tensor], None]) -> None:
        """Shows the wanted nodes' values, as `run` would give them, while they lie in the cache: the node, the place of
        the first image in the batch, and the values, which the next call may write over. Every image once, in order."""
        Visit(self, self._given(x), frozenset(wanted), see).follow(fused=self._may_join(x))

    def way_back(self, start: int, method: str) -> WayBack:
        """How a signal goes back from a node by a method, where otherwise than by each call's own rule."""
        return self._way_back_once(start, METHODS.known(method), turn=can_turn(self.dtype, self.device))

    def _given(self, x: Tensor) -> Tensor:
        return self.laid_out(sent(x, self.device, self.dtype))

    def _may_join(self, x: Tensor) -> bool:
        return can_join(self.dtype, self.device) and self.layout == torch.channels_last and is_trusted(x)

    def laid_out(self, tensor: Tensor) -> Tensor:
        """The same numbers in the program's memory layout."""
        return tensor.contiguous(memory_format=self.layout) if tensor.dim() == 4 else tensor

    def _call(self, node: int) -> Call:
        """The node's call, with its weights in place."""
        call = self.graph.call(self.graph.nodes[node])
        return replace(call, args={name: self._weighed(value) for name, value in call.args.items()})

    def _windows(self, node: int) -> tuple[Field, ...]:
        """What each position of a node sees of each of its inputs, in px of that input."""
        return self.graph.op(self.graph.nodes[node]).window(self.call(node))

    def _on_whole_maps(self, node: int, rule: Rule | None = None) -> bool:
        """True for calls that are made on whole maps: every output sees everything, the border has no constant, or
        outputs see more or less by their place."""
        call = self.call(node)
        if self.graph.op(self.graph.nodes[node]).pad_value(call) is None:
            return True
        skipped = rule.skips(call) if rule is not None else frozenset[int]()
        fields = [field for index, field in enumerate(self.windows(node)) if index not in skipped]
        return any(f.beyond or not all(w.plain and w.step for w in (f.rows, f.cols)) for f in fields)

    def _weighed(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(self._weighed(one) for one in value)
        return self.weights[value.name] if isinstance(value, Weight) else value

    def _filters(self, conv: int, affine: tuple[int, ...], padding: tuple[int, int]) -> Filters:
        """A convolution's filters, with the constants of the nodes behind it in them."""
        found = [factors for node in affine if (factors := factors_of(self, node)) is not None]
        return Filters(self.call(conv), found, padding)

    def _back(self, conv: int, behind: tuple[int, ...], *, turn: bool) -> Back | None:
        return back_of(self, self._filters_once, conv, behind, turn=turn)

    def _way_back(self, start: int, method: Method, *, turn: bool) -> WayBack:
        return way_back(self, start, method.name, partial(self._back_once, turn=turn))

    def _planned(self, wanted: frozenset[int], kept: frozenset[int], *, fused: bool) -> tuple[Step, ...]:
        return plan_of(self, wanted, kept, self._filters_once if fused else None)


def _arrived(graph: Graph, weights: dict[str, Tensor], layout: torch.memory_format, device: str) -> Program:
    """A program that has travelled, on this process's device of the kind that it comes from."""
    return Program(graph, {name: weight.to(device) for name, weight in weights.items()}, layout)


def runner_of(graph: Graph, weights: Mapping[str, Tensor]) -> Carrier:
    """The runner of a graph with its weights, all on one device: the one place where it is chosen."""
    return Program(graph, dict(weights))


def _unsuited(name: str, weight: Tensor) -> TraceError:
    kind = "quantised, " if weight.is_quantized else ""
    return TraceError(
        f'the weights "{name}" are {kind}of type {str(weight.dtype).removeprefix("torch.")}; only float16, bfloat16, '
        "float32 and float64 can be projected: convert the network, as model.float() does"
    )


def describe(nodes: Iterable[Node]) -> str:
    """Refused nodes in one clause: each operation and reason once, with the first node that it happens at."""
    names: dict[tuple[str, str], list[str]] = defaultdict(list)
    for node in nodes:
        names[node.op, node.refused].append(node.name)
    return "; ".join(
        f'node "{at[0]}"{f" (and {len(at) - 1} more)" if at[1:] else ""} calls {op}: {why}'
        for (op, why), at in names.items()
    )
