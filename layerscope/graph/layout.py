"""The graph is channels first, however the network holds its maps.

Walked once, in execution order: an exchange or a reshape of axes moves no number, it only changes how a tensor of the
network lies in the value that stands for it (`graph/axes.py`). A call that acts on each number, on each channel or on
one axis is made on the value, whatever the lie; for every other the numbers are put in the network's own order first.
A network that is channels first throughout is left as it is.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.fx import Graph, Node
from torch.fx.node import map_arg

from layerscope.graph.axes import REPEATED, Axes, Lie, Part
from layerscope.graph.batch import first
from layerscope.graph.rearranged import Emitter, rearranged, shuffled

aten = torch.ops.aten


class Layout:
    """A program's graph on its way to channels first, and how its tensors lie.

    handlers: how a kind of call is made on values (`graph/layout_calls.py`). lies: the tensors that are not their own
    value: the value, and how the tensor lies in it.
    """

    def __init__(self, graph: Graph, constants: Container[Node], handlers: "Callable[[Node], Handler | None]") -> None:
        self.graph, self.constants, self.handlers = graph, constants, handlers
        self.lies: dict[Node, tuple[Node, Axes]] = {}
        self._made: dict[Node, Node] = {}

    def straighten(self, opaque: Mapping[Node, dict[str, Any]], inner: Container[Node]) -> None:
        """Rewrite the graph in place. opaque: calls that stand for chains, with the arguments of the whole; inner: the
        other calls of these chains."""
        for fx in list(self.graph.nodes):
            if fx.target is aten._assert_tensor_metadata.default:
                self.graph.erase_node(fx)
        for fx in list(self.graph.nodes):
            if fx in opaque:
                arguments = opaque[fx]
                arguments.update((key, self.own(a, fx)) for key, a in arguments.items() if isinstance(a, Node))
            elif fx.op == "output":
                fx.args = self._returned(fx)
            elif fx.op == "call_function" and fx not in inner and fx not in self.constants:
                handler = self._handler(fx)
                if handler is None or not handler(self, fx):
                    self.as_it_was(fx)
        self.graph.eliminate_dead_code()

    def of(self, fx: Node) -> tuple[Node, Axes]:
        """The value of a tensor, and how it lies in it."""
        return self.lies[fx] if fx in self.lies else (fx, Axes.plain(shape(fx)))

    def own(self, fx: Node, before: Node) -> Node:
        """A tensor in the network's own order: put so before a call, where it is not."""
        if fx not in self.lies:
            return fx
        if fx not in self._made:
            value, axes = self.lies[fx]
            self._made[fx] = rearranged(Emitter(self.graph, before, fx), value, axes)
        return self._made[fx]

    def settled(self, fx: Node, before: Node) -> tuple[Node, Axes]:
        """As `of`; a tensor that is a map or a row of numbers in the value's own order is put so first."""
        value, axes = self.of(fx)
        as_map = len(axes.own) == 3 and (len(axes.base) == 1 or axes.shape == axes.base)
        if fx in self.lies and axes.in_order and (len(axes.own) == 1 or as_map):
            made = self.own(fx, before)
            self.lies.pop(fx)
            if made is not fx:
                self.lies[fx] = (made, Axes.plain(shape(made)))
            return self.of(fx)
        return value, axes

    def ordered(self, fx: Node, before: Node, dim: int) -> tuple[Node, Axes]:
        """As `settled`; where an axis of the tensor is the channels in another order, they are put so first."""
        value, axes = self.settled(fx, before)
        parts = axes.own[dim]
        if len(parts) < 2 or len(axes.base) != 3 or axes.of(parts) != (0,):
            return value, axes
        made = shuffled(Emitter(self.graph, before, fx), value, parts)
        own = [(Part(0, 1, axes.base[0]),) if own is parts else own for own in axes.own]
        self.lies[fx] = made, axes.with_own(own)
        return self.lies[fx]

    def _returned(self, output: Node) -> Any:
        """What the network returns: the values themselves, where axes are only exchanged."""

        def given(fx: Node) -> Node:
            if not self.is_map(fx):
                return fx
            value, axes = self.settled(fx, output)
            return value if axes.is_plain or axes.permutes else self.own(fx, output)

        return map_arg(output.args, given)

    def as_it_was(self, fx: Node) -> None:
        """A call that needs the network's own tensors."""
        for source in fx.all_input_nodes:
            if source in self.lies:
                fx.replace_input_with(source, self.own(source, fx))

    def lies_in(self, fx: Node, value: Node, axes: Axes) -> bool:
        """A call that moves no number: its tensor is a value that there is already."""
        if not (value is fx and axes.is_plain):
            self.lies[fx] = (value, axes)
        return True

    def becomes(self, fx: Node, axes: Axes | None, target: Any, /, *args: Any, **kwargs: Any) -> bool:
        """A call is made on values: these arguments, whose result has its tensor in such a way."""
        fx.target, fx.args, fx.kwargs = target, args, kwargs
        fx.meta["val"] = Emitter.value(target, args, kwargs)
        if axes is not None and not axes.is_plain:
            self.lies[fx] = (fx, axes)
        return True

    def seen_otherwise(self) -> dict[Node, tuple[Lie, ...]]:
        """For every value how the network's tensors lie in it, where otherwise than itself."""
        found: dict[Node, dict[Lie, None]] = {}
        for value, axes in self.lies.values():
            if not axes.repeats and (not axes.is_plain or axes.shape != axes.base):
                found.setdefault(value, {})[axes.own] = None
        return {value: tuple(lies) for value, lies in found.items()}

    def is_map(self, fx: Any) -> bool:
        """True for a tensor that depends on the picture, of known size behind its batch."""
        if not isinstance(fx, Node) or fx in self.constants:
            return False
        value = fx.meta.get("val")
        return isinstance(value, Tensor) and value.dim() > 1 and all(isinstance(n, int) for n in value.shape[1:])

    def _handler(self, fx: Node) -> "Handler | None":
        value = first(fx)
        given = [source for source in fx.all_input_nodes if isinstance(source.meta.get("val"), Tensor)]
        known = all(source in self.constants or self.is_map(source) for source in given)
        return self.handlers(fx) if isinstance(value, Tensor) and value.dim() and fx.all_input_nodes and known else None


Handler = Callable[[Layout, Node], bool]


def shape(fx: Node) -> tuple[int, ...]:
    """The shape of a tensor without its batch."""
    return tuple(fx.meta["val"].shape[1:])


def met(axes: Axes, other: Axes) -> "tuple[Axes, tuple[int, ...]] | None":
    """How a tensor `other` lies in a value with the axes of another tensor's, along which it is repeated where it is 1
    long: with the shape of that value. None where it does not fit in without moving numbers."""
    if len(axes.own) != len(other.own):
        return None
    theirs: list[Part] = []
    ours: list[Part] = []
    for place, parts in enumerate(axes.own):
        if all(part.axis == REPEATED for part in other.own[place]):
            continue
        cut = other.split_like([part.size for part in parts], place)
        if cut is None or [p.size for p in cut] != [p.size for p in parts]:
            return None
        theirs, ours = [*theirs, *cut], [*ours, *parts]
    if any(part.axis == REPEATED for part in (*theirs, *ours)):
        return None
    filled = {part.axis for part in ours}
    base = tuple(size if axis in filled else 1 for axis, size in enumerate(axes.base))
    order = sorted(range(len(ours)), key=lambda i: (ours[i].axis, -ours[i].step))
    given = sorted(range(len(ours)), key=lambda i: (theirs[i].axis, -theirs[i].step))
    if order != given or (Axes(base, (tuple(ours),)).of(ours) is None and ours):
        return None
    kept = tuple(p if any(q.axis != REPEATED for q in o) else () for p, o in zip(axes.own, other.own, strict=True))
    return Axes(base, kept), base


def nodes_in(values: Iterable[Any]) -> list[Node]:
    found: list[Node] = []
    map_arg(tuple(values), found.append)
    return found
