"""The cone of a position: how much of each map lies between it and the pixels that can matter to it.

Geometry only. For m entries (positions of one node) every node before it gets one ``Extent``: windows of one size at m
places. What overhangs a map's border stays until it is as large as the map; then it is the map.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int64

from layerscope.core.geometry import Field, Window
from layerscope.graph import Carrier, Node


@dataclass(frozen=True)
class Extent:
    """Windows of m entries in one node's map, in px of that map.

    tops, lefts: int64[m], below zero where a window crosses the border. height, width: of all of them. spatial_size:
    the map's own height and width; (1, 1) for a dense layer.
    """

    tops: Int64[np.ndarray, " m"]
    lefts: Int64[np.ndarray, " m"]
    height: int
    width: int
    spatial_size: tuple[int, int]

    @classmethod
    def whole(cls, count: int, spatial_size: tuple[int, int]) -> "Extent":
        """The whole map for every entry."""
        zeros = np.zeros(count, np.int64)
        return cls(zeros, zeros, *spatial_size, spatial_size)

    @cached_property
    def is_whole(self) -> bool:
        size = (self.height, self.width)
        return size == self.spatial_size and not self.tops.any() and not self.lefts.any()

    @cached_property
    def overhanging(self) -> Int64[np.ndarray, " n"]:
        """The entries whose window crosses the border."""
        rows = (self.tops < 0) | (self.tops + self.height > self.spatial_size[0])
        cols = (self.lefts < 0) | (self.lefts + self.width > self.spatial_size[1])
        return np.flatnonzero(rows | cols)

    def same_place(self, other: "Extent") -> bool:
        """True where both are the very same windows."""
        return (
            (self.height, self.width) == (other.height, other.width)
            and np.array_equal(self.tops, other.tops)
            and np.array_equal(self.lefts, other.lefts)
        )

    def union(self, other: "Extent") -> "Extent":
        """The smallest windows of one size that hold both, cut to the map where they reach its size."""
        tops, height = _joined(self.tops, self.height, other.tops, other.height, self.spatial_size[0])
        lefts, width = _joined(self.lefts, self.width, other.lefts, other.width, self.spatial_size[1])
        return Extent(tops, lefts, height, width, self.spatial_size)

    def through(self, field: Field, spatial_size: tuple[int, int]) -> "Extent":
        """What these windows see of an input whose map has this size; it may overhang the border."""
        tops, height = _seen(field.rows, self.tops, self.height)
        lefts, width = _seen(field.cols, self.lefts, self.width)
        return Extent(tops, lefts, height, width, spatial_size)

    def clipped(self) -> "Extent":
        """The same, with the whole map in place of a window that is at least as large."""
        return self.union(self)


def _joined(
    first: np.ndarray, first_size: int, second: np.ndarray, second_size: int, length: int
) -> tuple[np.ndarray, int]:
    starts = np.minimum(first, second)
    size = int((np.maximum(first + first_size, second + second_size) - starts).max())
    return (np.zeros_like(starts), length) if size >= length else (starts, size)


def _seen(window: Window, starts: np.ndarray, size: int) -> tuple[np.ndarray, int]:
    assert isinstance(window.step, int) and isinstance(window.size, int) and isinstance(window.start, int)
    return starts * window.step + window.start, (size - 1) * window.step + window.size


def spatial_size_of(node: Node) -> tuple[int, int]:
    """The rows and columns of a node's map; 1 x 1 for a dense layer."""
    return (node.shape[-2], node.shape[-1]) if len(node.shape) > 1 else (1, 1)


def extents_of(
    program: Carrier,
    start: int,
    rows: Int64[np.ndarray, " m"],
    cols: Int64[np.ndarray, " m"],
    method: str = "",
    last: int = 0,
) -> dict[int, Extent]:
    """The cone of each position (row, col) of node `start`: an Extent for every node that can matter to it.

    method: only what this method carries a signal through; all that the position depends on where none is named. last:
    nothing is gone through from this node on.
    """
    nodes = program.graph.nodes
    extents = {start: Extent(rows, cols, 1, 1, spatial_size_of(nodes[start]))}
    for node in reversed(nodes[last + 1 : start + 1]):
        if node.id not in extents:
            continue
        own, rule = extents[node.id], program.graph.op(node).rule(method) if method else None
        skipped = rule.skips(program.call(node.id)) if rule is not None else frozenset[int]()
        if own.is_whole or program.on_whole_maps(node.id, rule):
            extents[node.id] = own = Extent.whole(len(rows), own.spatial_size)
        for index, (field, source) in enumerate(zip(program.windows(node.id), node.sources, strict=True)):
            if index in skipped:
                continue
            spatial_size = spatial_size_of(nodes[source])
            seen = Extent.whole(len(rows), spatial_size) if own.is_whole else own.through(field, spatial_size).clipped()
            extents[source] = extents[source].union(seen) if source in extents else seen
    return extents
