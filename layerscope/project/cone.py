"""Peak -> pixels: carry one activation back through the graph, on windows instead of maps.

The signal of a single position is zero outside its cone, so every step works on the cone's window of each map. One
step serves every row: find the window of the inputs, cut out what the rule needs to know of them, apply the rule
without padding, and clear what lies beyond the border, or it would come back in through the next convolution.
Branches meet in the union of their windows. Where a window is the whole map the call is made as it stands.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from layerscope.core.geometry import IDENTITY
from layerscope.core.methods import METHODS
from layerscope.graph import Carrier, Node, WayBack
from layerscope.graph.exactly import exactly
from layerscope.graph.ops.calls import Call
from layerscope.graph.ops.kernels import NARROW
from layerscope.graph.ops.rules import Rule
from layerscope.graph.sent import sent
from layerscope.project.extents import Extent, extents_of, spatial_size_of
from layerscope.project.windows import cleared, cut, laid


@dataclass(frozen=True)
class Entries:
    """What is carried back: m positions of one node, with their values.

    node: where they start. image: int64[m], which of the forwarded images. unit, row, col: int64[m].
    """

    node: int
    image: Int64[np.ndarray, " m"]
    unit: Int64[np.ndarray, " m"]
    row: Int64[np.ndarray, " m"]
    col: Int64[np.ndarray, " m"]

    def __len__(self) -> int:
        return len(self.unit)

    def part(self, chosen: slice | np.ndarray) -> "Entries":
        """Some of the entries."""
        return Entries(self.node, *(v[chosen] for v in (self.image, self.unit, self.row, self.col)))


class CachedMaps:
    """The cached activations of a forward pass: whole maps of some nodes, shared by all entries of an image."""

    def __init__(self, maps: Mapping[int, Tensor], entries: Entries) -> None:
        self.maps, self.image = maps, entries.image
        self._found: dict[tuple[object, ...], Tensor] = {}

    def windows(self, node: Node, wanted: Extent, fill: float) -> Tensor:
        """The wanted windows of a node's map, one per entry; `fill` beyond the border.

        Several methods ask for the same windows one after the other, so they are cut only once. (Two operations may
        read windows of one size at other places of the same map.)
        """
        key = (node.id, fill, wanted.height, wanted.width, wanted.tops.tobytes(), wanted.lefts.tobytes())
        if key not in self._found:
            found = self._cut(node, wanted, fill)
            self._found[key] = found.float() if found.dtype in NARROW else found
        return self._found[key]

    def _cut(self, node: Node, wanted: Extent, fill: float) -> Tensor:
        if len(node.shape) == 1:
            return self.maps[node.id][torch.from_numpy(self.image)]
        held = Extent.whole(len(self.image), spatial_size_of(node))
        return cut(self.maps[node.id], self.image, held, wanted, fill)


class CachedCones(CachedMaps):
    """The cached activations of a cropped forward pass: windows of the maps, one per entry."""

    def __init__(self, cones: Mapping[int, Tensor], extents: Mapping[int, Extent]) -> None:
        self.cones, self.extents = cones, extents
        self._found = {}

    def _cut(self, node: Node, wanted: Extent, fill: float) -> Tensor:
        cones = self.cones[node.id]
        if len(node.shape) == 1:
            return cones
        return cut(cones, np.arange(len(cones)), self.extents[node.id], wanted, fill)


def needed_maps(program: Carrier, start: int, method: str) -> set[int]:
    """The nodes whose maps the rules of a method read on the way back from `start`."""
    graph, needed, reached = program.graph, set[int](), {start}
    for node in reversed(graph.nodes[1 : start + 1]):
        if node.id not in reached:
            continue
        if _is_where_it_starts(program, start, node.id):
            reached.update(node.sources)
            continue
        rule = graph.op(node).rule(method)
        skipped = rule.skips(program.call(node.id))
        reached.update(source for index, source in enumerate(node.sources) if index not in skipped)
        needed.update(node.sources if rule.inputs else ())
        needed.update([node.id] if rule.output else ())
    return needed


def forward_cones(
    program: Carrier, x: Tensor, entries: Entries, change: Callable[[Tensor, Extent], None] | None = None
) -> tuple[dict[int, Tensor], dict[int, Extent]]:
    """Run the network on each entry's cone only: the windows of every node in it.

    change: writes over the windows of the input before they are run.

    Beyond the border an operation must see its own pad value, not what the operation before it makes of nothing:
    windows are therefore cut anew, with that value, for every call.
    """
    graph = program.graph
    extents = extents_of(program, entries.node, entries.row, entries.col)
    whole = Extent.whole(len(entries), spatial_size_of(graph.nodes[0]))
    given = sent(x, program.device, program.dtype)
    windows = cut(given, entries.image, whole, extents[0], 0.0)
    if change is not None:
        windows = windows.clone() if windows is given else windows
        change(windows, extents[0])
    cones = {0: windows}
    everyone = np.arange(len(entries))
    with exactly(program.device):
        for node in graph.nodes[1:]:
            if node.id not in extents:
                continue
            call, own = program.call(node.id), extents[node.id]
            if own.is_whole:
                cones[node.id] = call.run(*(cones[source] for source in node.sources))
                continue
            fill = graph.op(node).pad_value(call)
            assert fill is not None
            seen = [
                own.through(f, extents[s].spatial_size)
                for f, s in zip(program.windows(node.id), node.sources, strict=True)
            ]
            inputs = tuple(
                cut(cones[s], everyone, extents[s], e, fill) for s, e in zip(node.sources, seen, strict=True)
            )
            shapes = tuple(tuple(i.shape[1:]) for i in inputs)
            cones[node.id] = call.local(shapes, (*node.shape[:-2], own.height, own.width)).run(*inputs)
    return cones, extents


def carry_back(
    program: Carrier, entries: Entries, values: Tensor, cache: CachedMaps, method: str, extents: dict[int, Extent]
) -> Tensor:
    """The signals of the entries at the network's input [m, c, h, w], on extents[0]; zero beyond the picture's border.

    values: [m], the activations, from which each signal starts unless the method starts from one. extents: the entries'
    cones. Signals of a 16-bit network are carried in float32, on the maps that it made: in float16, some layers back,
    they would overflow or vanish.
    Source: Zeiler & Fergus 2013, section 2.1; Simonyan 2013; Springenberg 2014.
    """
    program = program.wide
    if METHODS.known(method).starts == "one":
        values = torch.ones_like(values)
    signals = {entries.node: starting_signal(program, entries, values, extents[entries.node])}
    beyond: set[int] = set()
    way = program.way_back(entries.node, method)
    with exactly(program.device):
        for node in reversed(program.graph.nodes[1 : entries.node + 1]):
            if node.id not in signals:
                continue
            signal = signals.pop(node.id)
            if node.id in beyond:
                signal = cleared(signal, extents[node.id])
            for source, part in _one_step(program, node, entries.node, signal, extents, cache, method, way):
                signals[source] = _sum(signals[source], part, over=node.id in way.own) if source in signals else part
            beyond.update(spilled(program, node))
    return cleared(signals[0], extents[0])


def _sum(signal: Tensor, part: Tensor, *, over: bool) -> Tensor:
    """Of two signals of a node; over: written over the second."""
    return part.add_(signal) if over else signal + part


def spilled(program: Carrier, node: Node) -> set[int]:
    """The inputs of a call beyond whose border it can bring a signal: its window is more than a position of its own, or
    its output is a larger map, as that of a padding."""
    size, found = spatial_size_of(node), set[int]()
    for field, source in zip(program.windows(node.id), node.sources, strict=True):
        own = field.rows == IDENTITY == field.cols
        if not own or spatial_size_of(program.graph.nodes[source]) != size:
            found.add(source)
    return found


def starting_signal(program: Carrier, entries: Entries, values: Tensor, extent: Extent) -> Tensor:
    """One number per entry, in its unit's channel, zero elsewhere; on the whole map if the cone starts with one."""
    shape = program.graph.nodes[entries.node].shape
    units = torch.from_numpy(entries.unit)
    size = (len(entries), *shape[:1], *((extent.height, extent.width) if len(shape) > 1 else ()))
    signal = torch.zeros(size, dtype=program.dtype, device=program.device)
    everyone = torch.arange(len(entries))
    values = values.to(signal.dtype)
    if len(shape) == 1:
        signal[everyone, units] = values
        return signal
    rows, cols = torch.from_numpy(entries.row - extent.tops), torch.from_numpy(entries.col - extent.lefts)
    signal[everyone, units, rows, cols] = values
    return signal.contiguous(memory_format=torch.channels_last)


def _is_where_it_starts(program: Carrier, start: int, node: int) -> bool:
    """True for the chosen layer's own rectifier, which the projection starts before."""
    return node == start and program.graph.op(program.graph.nodes[node]).activation == "rectifier"


def _one_step(
    program: Carrier,
    node: Node,
    start: int,
    signal: Tensor,
    extents: dict[int, Extent],
    cache: CachedMaps,
    method: str,
    way: WayBack,
) -> list[tuple[int, Tensor]]:
    """The signal at a node's output carried to each of its inputs, on the extents of those."""
    if _is_where_it_starts(program, start, node.id):
        source, own = node.sources[0], extents[node.id]
        return [(source, signal if len(node.shape) == 1 else laid(signal, own, extents[source]))]
    rule = program.graph.op(node).rule(method)
    call, seen = on_windows(program, node, rule, signal, extents, cache)
    return carried_on(program, node, rule, way.backs.get(node.id, rule)(signal, call), extents, seen)


def on_windows(
    program: Carrier, node: Node, rule: Rule, signal: Tensor, extents: Mapping[int, Extent], cache: CachedMaps
) -> tuple[Call, list[Extent]]:
    """A node's call on the windows that a signal at its output sees, with the values that the rule reads; and these
    windows, of each input."""
    op, own, call, nodes = program.graph.op(node), extents[node.id], program.call(node.id), program.graph.nodes
    whole = own.is_whole or len(node.shape) == 1
    if whole:
        seen, fill = [Extent.whole(len(signal), spatial_size_of(nodes[s])) for s in node.sources], 0.0
    else:
        fields = program.windows(node.id)
        seen = [own.through(f, spatial_size_of(nodes[s])) for f, s in zip(fields, node.sources, strict=True)]
        fill = op.pad_value(call) or 0.0
    read = zip(node.sources, seen, strict=True) if rule.inputs else ()
    tensors = tuple(cache.windows(nodes[source], windows, fill) for source, windows in read)
    output = cache.windows(node, own, 0.0) if rule.output else None
    if not whole:
        shapes = tuple((*nodes[s].shape[:-2], e.height, e.width) for s, e in zip(node.sources, seen, strict=True))
        call = call.local(shapes, tuple(signal.shape[1:]), tensors, output)
    elif rule.inputs or rule.output:
        call = call.knowing(tensors, output)
    return call, seen


def carried_on(
    program: Carrier, node: Node, rule: Rule, parts: Sequence[Tensor], extents: Mapping[int, Extent],
    seen: Sequence[Extent],
) -> list[tuple[int, Tensor]]:  # fmt: skip
    """What a rule sends to each input, laid on the extents of those."""
    nodes, skipped = program.graph.nodes, rule.skips(program.call(node.id))
    return [
        (source, part if len(nodes[source].shape) == 1 else laid(part, held, extents[source]))
        for index, (source, part, held) in enumerate(zip(node.sources, parts, seen, strict=True))
        if index not in skipped
    ]
