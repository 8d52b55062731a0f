"""Cones: of every map just the positions between a peak and the pixels that can matter to it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.geometry import Box
from layerscope.graph import Program
from layerscope.project.extents import Extent, extents_of, spatial_size_of
from layerscope.project.run import boxes_of
from tests.helpers.networks import CASES, Case
from tests.laws.checks import traced_case


def reached(program: Program, start: int, row: int, col: int) -> dict[int, set[tuple[int, int]]]:
    """Position by position, what a place of a node can see of every node before it; inside the maps only."""
    nodes, seen = program.graph.nodes, {start: {(row, col)}}
    for node in reversed(nodes[1 : start + 1]):
        for field, source in zip(program.windows(node.id), node.sources, strict=True):
            for place in seen.get(node.id, ()):
                box = field.box(*place).clipped(*spatial_size_of(nodes[source]))
                inside = np.ndindex(box.height, box.width)
                seen.setdefault(source, set()).update((box.top + r, box.left + c) for r, c in inside)
    return seen


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.thin(2)
def test_cones_hold_all_that_a_position_can_see(case: Case) -> None:
    """In the middle and in the corners, every position that brute force reaches lies in its extent."""
    program = traced_case(case).program
    start = max(node.id for node in program.graph.nodes if len(node.shape) == 3)
    rows, cols = spatial_size_of(program.graph.nodes[start])
    places = [(rows // 2, cols // 2), (0, 0), (rows - 1, cols - 1), (0, cols - 1)]
    extents = extents_of(program, start, *(np.array(axis) for axis in zip(*places, strict=True)))
    for index, place in enumerate(places):
        for node, seen in reached(program, start, *place).items():
            box, size = boxes_of(extents[node])[index], spatial_size_of(program.graph.nodes[node])
            tops, lefts = zip(*seen, strict=True) if seen else ((box.top,), (box.left,))
            assert box.top <= min(tops) and max(tops) < box.bottom, program.graph.nodes[node].name
            assert box.left <= min(lefts) and max(lefts) < box.right
            assert extents[node].spatial_size == size and box.height <= size[0] and box.width <= size[1]


def test_cones_of_a_plain_chain_are_tight() -> None:
    """Away from the border, without branches, each extent is exactly what brute force reaches."""
    program = traced_case(CASES[0]).program
    start = next(node.id for node in program.graph.nodes if node.name == "relu2")
    extents = extents_of(program, start, np.array([3]), np.array([4]))
    seen = reached(program, start, 3, 4)
    assert set(extents) == set(seen)
    for node, extent in extents.items():
        (box,) = boxes_of(extent)
        held = {(r, c) for r in range(box.top, box.bottom) for c in range(box.left, box.right)}
        assert {p for p in held if extent.spatial_size[0] > p[0] >= 0 <= p[1] < extent.spatial_size[1]} == seen[node]


starts = st.lists(st.integers(-6, 9), min_size=3, max_size=3).map(np.array)
sizes = st.tuples(st.integers(5, 9), st.integers(5, 9))


@given(
    sizes, starts, starts, starts, starts, st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)
)
def test_union_holds_both(size, tops, lefts, other_tops, other_lefts, h, w, other_h, other_w) -> None:
    """All windows keep one size, hold both parts, and become the map where they reach its size."""
    a, b = Extent(tops, lefts, h, w, size), Extent(other_tops, other_lefts, other_h, other_w, size)
    both = a.union(b)
    for one, x, y in zip(boxes_of(both), boxes_of(a), boxes_of(b), strict=True):
        for part in (x.clipped(*size), y.clipped(*size)):
            if part.height and part.width:
                assert one.top <= part.top and part.bottom <= one.bottom
                assert one.left <= part.left and part.right <= one.right
    assert both.height <= size[0] and both.width <= size[1]
    assert both.height < size[0] or not both.tops.any()


@given(sizes, starts, starts, st.integers(1, 6), st.integers(1, 6))
def test_overhanging_are_those_that_cross_the_border(size, tops, lefts, height, width) -> None:
    """An entry overhangs where clipping changes its box."""
    extent = Extent(tops, lefts, height, width, size)
    crossing = [i for i, box in enumerate(boxes_of(extent)) if box.clipped(*size) != box]
    assert extent.overhanging.tolist() == crossing


def test_whole_maps_are_known_as_such() -> None:
    """The whole plane for every entry; the same size elsewhere is not whole."""
    whole = Extent.whole(2, (4, 5))
    assert whole.is_whole and boxes_of(whole) == [Box(top=0, left=0, bottom=4, right=5)] * 2
    moved = Extent(np.array([0, 1]), np.zeros(2, np.int64), 4, 5, (4, 5))
    assert not moved.is_whole and moved.clipped().is_whole
    assert whole.same_place(Extent.whole(2, (4, 5))) and not whole.same_place(moved)
