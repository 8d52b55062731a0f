"""Many projections: entries of one layer in batches of constant bytes, whatever the layer.

A batch that fits the processor's cache runs several times as fast as one that does not, so batches are cut by the
bytes of their largest step, not by count.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from layerscope.core.geometry import Box
from layerscope.core.records import Projections
from layerscope.graph import Program
from layerscope.project.cone import Entries, Kept, KeptCones, carry_back, forward_cones, needed_maps
from layerscope.project.extents import Extent, extents_of

BATCH_BYTES = 16 * 2**20
MOST_ENTRIES = 64


def batch_size(program: Program, node: int) -> int:
    """How many entries of a layer make one batch: BATCH_BYTES over the bytes of one entry's largest step."""
    graph = program.graph
    middle = [np.array([size // 2]) for size in (graph.nodes[node].shape[-2:] if len(graph.nodes[node].shape) > 1 else (1, 1))]
    extents = extents_of(graph, node, *middle)

    def size(n: int) -> int:
        shape = graph.nodes[n].shape
        return int(np.prod(shape[:-2] or shape)) * extents[n].height * extents[n].width

    steps = [size(n) + sum(size(s) for s in graph.nodes[n].sources) for n in extents if n]
    largest = max(steps, default=1) * program.dtype.itemsize
    return int(np.clip(BATCH_BYTES // largest, 1, MOST_ENTRIES))


def carried(
    program: Program, entries: Entries, maps: dict[int, Tensor], values: Tensor, method: str
) -> Iterator[tuple[slice, Tensor, Extent]]:
    """The entries batch by batch, on shared maps: which of them, their signals, and where these lie."""
    size = batch_size(program, entries.node)
    for first in range(0, len(entries), size):
        part = slice(first, first + size)
        batch = entries.part(part)
        yield part, *carry_back(program, batch, values[part], Kept(maps, batch), method)


def carried_alone(
    program: Program, entries: Entries, x: Tensor, method: str
) -> Iterator[tuple[slice, Tensor, Extent, Tensor]]:
    """The same with a forward pass of the cones only; the activations found on the way come last."""
    size = batch_size(program, entries.node)
    for first in range(0, len(entries), size):
        part = slice(first, first + size)
        batch = entries.part(part)
        cones, extents = forward_cones(program, x, batch)
        values = _at(cones[entries.node], batch, extents[entries.node])
        yield part, *carry_back(program, batch, values, KeptCones(cones, extents), method), values


def _at(cones: Tensor, entries: Entries, extent: Extent) -> Tensor:
    """The entries' own activations, out of the windows of their node."""
    everyone, units = np.arange(len(entries)), entries.unit
    if cones.dim() == 2:
        return cones[everyone, units]
    return cones[everyone, units, entries.row - extent.tops, entries.col - extent.lefts]


def activations_at(maps: Tensor, entries: Entries) -> Tensor:
    """The entries' activations, out of whole maps [n, units, rows, cols] or [n, units]."""
    index = (entries.image, entries.unit, *((entries.row, entries.col) if maps.dim() == 4 else ()))
    return maps[tuple(torch.from_numpy(np.ascontiguousarray(i)) for i in index)]


def project(program: Program, x: Tensor, entries: Entries, method: str, *, alone: bool = False) -> Projections:
    """Project activations of one layer for a batch of inputs [n, c, h, w]; each starts from its own value.

    alone: forward each entry's cone only, in place of whole images; both agree.
    """
    signals: list[Tensor] = []
    boxes: list[Box] = []
    found: list[Tensor] = []
    if alone:
        for _, signal, extent, values in carried_alone(program, entries, x, method):
            signals, boxes, found = [*signals, signal], [*boxes, *boxes_of(extent)], [*found, values]
    else:
        maps = program.run(x, needed_maps(program, entries.node, method) | {entries.node})
        found = [activations_at(maps[entries.node], entries)]
        for _, signal, extent in carried(program, entries, maps, found[0], method):
            signals, boxes = [*signals, signal], [*boxes, *boxes_of(extent)]
    height, width = program.graph.nodes[0].shape[-2:]
    return Projections(
        method=method,
        signal=torch.cat([s.contiguous() for s in signals]).cpu().numpy(),
        boxes=tuple(boxes),
        values=torch.cat(found).cpu().numpy(),
        input_size=(height, width),
    )


def boxes_of(extent: Extent) -> list[Box]:
    """The windows of an extent as boxes."""
    return [
        Box(top=int(top), left=int(left), bottom=int(top) + extent.height, right=int(left) + extent.width)
        for top, left in zip(extent.tops, extent.lefts, strict=True)
    ]
