"""Many projections: entries of one layer in batches of constant bytes, whatever the layer.

A batch that fits the processor's cache runs several times as fast as one that does not, so batches are cut by the
bytes of their largest step, not by count. Where hardly one entry fits, a few still share the weights that each step
reads and the time that it takes to begin.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from layerscope.core.errors import TraceError
from layerscope.core.geometry import Box
from layerscope.core.records import Projections
from layerscope.graph import Carrier
from layerscope.graph.ops.table import GATES_HELD
from layerscope.project.cone import CachedCones, CachedMaps, Entries, carry_back, forward_cones, needed_maps
from layerscope.project.extents import Extent, extents_of, spatial_size_of
from layerscope.project.shares import Shares, Sharing
from layerscope.project.windows import laid

BATCH_BYTES = 16 * 2**20
MOST_ENTRIES = 64
FEW_ENTRIES, FEW_BYTES = 4, 64 * 2**20


def batch_size(program: Carrier, node: int, method: str = "") -> int:
    """How many entries of a layer make one batch: BATCH_BYTES over the bytes of one entry's largest step; but a few
    where they fit into FEW_BYTES.

    method: of what this method goes through; of all that the entries depend on where none is named.
    """
    graph = program.graph
    rows, cols = (np.array([size // 2]) for size in spatial_size_of(graph.nodes[node]))
    extents = extents_of(program, node, rows, cols, method)

    def size(n: int) -> int:
        shape = graph.nodes[n].shape
        return int(np.prod(shape[:-2] or shape)) * extents[n].height * extents[n].width if n in extents else 0

    steps = [size(n) + sum(size(s) for s in graph.nodes[n].sources) for n in extents if n]
    largest = max(steps, default=1) * program.dtype.itemsize
    few = min(FEW_BYTES // largest, FEW_ENTRIES)
    return int(np.clip(max(BATCH_BYTES // largest, few), 1, MOST_ENTRIES))


@dataclass(frozen=True)
class Carried:
    """One batch of entries, carried back by several methods.

    part: which of the entries. signals: by method, [m, c, h, w]. extents: where they lie, by method: one that sends
    nothing into gates stays in the cone of the map itself. values: [m], the activations that they start from. shares:
    what these are made of, by earlier layer's node, where that was asked for.
    """

    part: slice
    signals: dict[str, Tensor]
    extents: dict[str, Extent]
    values: Tensor
    shares: Mapping[int, Shares] = field(default_factory=dict[int, Shares])

    def joined(self) -> tuple[dict[str, Tensor], Extent]:
        """All signals on windows of one size, and where these lie."""
        first, *others = self.extents.values()
        extent = reduce(Extent.union, others, first)
        return {name: laid(signal, self.extents[name], extent) for name, signal in self.signals.items()}, extent


def carried(
    program: Carrier,
    entries: Entries,
    methods: Sequence[str],
    maps: dict[int, Tensor],
    *,
    size: int | None = None,
    sharing: Sharing | None = None,
    placed: Bool[np.ndarray, " m"] | None = None,
) -> Iterator[Carried]:
    """The entries batch by batch, on the maps of whole images.

    sharing: also tells what the values are made of; placed: for which of them also where it lies.
    """
    size = size or min(batch_size(program, entries.node, method) for method in methods or (GATES_HELD,))
    for first in range(0, len(entries), size):
        part = slice(first, first + size)
        batch = entries.part(part)
        values, cache = activations_at(maps[entries.node], batch), CachedMaps(maps, batch)
        yield _carried(program, part, batch, methods, values, cache, sharing, placed)


def carried_cropped(
    program: Carrier,
    entries: Entries,
    methods: Sequence[str],
    x: Tensor,
    *,
    size: int | None = None,
    sharing: Sharing | None = None,
    placed: Bool[np.ndarray, " m"] | None = None,
) -> Iterator[Carried]:
    """The same after a forward pass of the entries' cones only."""
    size = size or batch_size(program, entries.node)
    for first in range(0, len(entries), size):
        part = slice(first, first + size)
        batch = entries.part(part)
        cones, extents = forward_cones(program, x, batch)
        values = _at(cones[entries.node], batch, extents[entries.node])
        yield _carried(program, part, batch, methods, values, CachedCones(cones, extents), sharing, placed)


def values_of_cones(
    program: Carrier, x: Tensor, entries: Entries, change: Callable[[slice, Tensor, Extent], None]
) -> Tensor:
    """The entries' activations in changed inputs, of which only their cones are run.

    change: writes over the windows of the input, of some of the entries, before they are run.
    """
    size, found = batch_size(program, entries.node), []
    for first in range(0, len(entries), size):
        part = slice(first, first + size)
        batch = entries.part(part)
        cones, extents = forward_cones(program, x, batch, partial(change, part))
        found.append(_at(cones[entries.node], batch, extents[entries.node]))
    return torch.cat(found)


def _carried(
    program: Carrier,
    part: slice,
    batch: Entries,
    methods: Sequence[str],
    values: Tensor,
    cache: CachedMaps,
    sharing: Sharing | None,
    placed: Bool[np.ndarray, " m"] | None,
) -> Carried:
    signals, extents = {}, {}
    for method in methods:
        cone = extents_of(program, batch.node, batch.row, batch.col, method)
        signals[method], extents[method] = carry_back(program, batch, values, cache, method, cone), cone[0]
        _require_finite(program, batch, method, signals[method])
    wanted = np.zeros(len(batch), bool) if placed is None else placed[part]
    return Carried(part, signals, extents, values, sharing(batch, cache, wanted) if sharing else {})


def _require_finite(program: Carrier, entries: Entries, method: str, signal: Tensor) -> None:
    """Raises TraceError for a projection that is too large for its number type: no tile can show it."""
    if math.isfinite(float(signal.sum())):  # as it is unless one number is not, or all together are too large
        return
    finite = torch.isfinite(signal).flatten(1).all(1)
    if not bool(finite.all()):
        unit = entries.unit[int(finite.logical_not().nonzero()[0])]
        raise TraceError(
            f"the {method} projection of unit {unit} of {program.graph.nodes[entries.node].name} overflows "
            f"{str(signal.dtype).removeprefix('torch.')}: "
            "the weights are too large; build the network in float64, as model.double() makes it"
        )


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


def project(program: Carrier, x: Tensor, entries: Entries, method: str, *, cropped: bool = False) -> Projections:
    """Project activations of one layer for a batch of inputs [n, c, h, w]; each starts from its own value.

    cropped: forward each entry's cone only, in place of whole images; both agree.
    """
    if cropped:
        parts = list(carried_cropped(program, entries, [method], x))
    else:
        maps = program.run(x, needed_maps(program, entries.node, method) | {entries.node})
        parts = list(carried(program, entries, [method], maps))
    height, width = program.graph.nodes[0].shape[-2:]
    return Projections(
        method=method,
        signal=torch.cat([part.signals[method].contiguous() for part in parts]).cpu().numpy(),
        boxes=tuple(box for part in parts for box in boxes_of(part.extents[method])),
        values=torch.cat([part.values for part in parts]).to(program.wide.dtype).cpu().numpy(),
        input_size=(height, width),
    )


def boxes_of(extent: Extent) -> list[Box]:
    """The windows of an extent as boxes."""
    return [
        Box(top=int(top), left=int(left), bottom=int(top) + extent.height, right=int(left) + extent.width)
        for top, left in zip(extent.tops, extent.lefts, strict=True)
    ]
