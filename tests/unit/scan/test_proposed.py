"""Who may be among the k highest: whatever the errors within their bounds, nobody who is can be left out."""

from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from layerscope.core.records import Batch, Peaks
from layerscope.graph import Graph, Node
from layerscope.graph.args import bind
from layerscope.graph.ops import OPERATIONS
from layerscope.graph.ops.calls import NodeInput
from layerscope.scan import scan_shard
from layerscope.scan.proposed import FLAT, MARGIN, Bounds, Candidates, bounds_of, candidates_of, in_floats, parts_of
from layerscope.scan.shard import NOBODY
from tests.helpers.building import small_network

K = 3
# Few values, so that ties are common, and steps of a bound, so that errors lie exactly at it.
STEP = 0.25
VALUES = st.integers(-3, 6).map(lambda n: n * STEP)


def highest(exact: np.ndarray, *, rectified: bool) -> set[int]:
    """The images that a scan keeps for a unit, told by sorting: the larger first, and among equals the earlier."""
    order = sorted(range(len(exact)), key=lambda image: (-exact[image], image))[:K]
    return {image for image in order if exact[image] > 0 or not rectified}


def slots(ids: np.ndarray) -> np.ndarray:
    return np.arange(len(ids), dtype=np.int32)


def merged(parts: list[Candidates], units: int) -> Candidates:
    found = Candidates.none(units, K)
    for part in parts:
        found = found.joined(part)
    return found


@given(
    exact=st.lists(VALUES, min_size=1, max_size=14),
    errors=st.lists(st.sampled_from([-2, -1, 0, 1, 2]), min_size=14, max_size=14),
    cuts=st.sets(st.integers(1, 13)),
    rectified=st.booleans(),
    plain=st.booleans(),
)
@settings(deadline=None)
def test_nobody_who_is_among_the_highest_is_left_out(exact, errors, cuts, rectified, plain) -> None:
    """Errors up to their bound and exactly at it, many ties, images in shards however they are cut, some shards exact:
    of the candidates and the exact ones a scan would keep what it keeps of all images."""
    values = np.array(exact, np.float32)[:, None]
    if rectified:
        values = np.maximum(values, 0)
    fast = values + np.array(errors[: len(exact)], np.float32)[:, None] * STEP
    ids = 10 + 2 * np.arange(len(exact))
    parts, known = [], set[int]()
    edges = [0, *sorted(cut for cut in cuts if cut < len(exact)), len(exact)]
    for number, (first, last) in enumerate(pairwise(edges)):
        part = slice(first, last)
        if plain and number % 2:
            peaks = Peaks.empty(1, K)
            kept = sorted(highest(values[part, 0], rectified=rectified), key=lambda i: (-values[part][i, 0], i))
            peaks.value[0, : len(kept)] = values[part][kept, 0]
            parts.append(in_floats(peaks))
            known |= {first + image for image in kept}
            continue
        low, high = fast[part] - 2 * STEP, fast[part] + 2 * STEP
        if rectified:
            low, high = np.maximum(low, 0), np.maximum(high, 0)
        parts.append(candidates_of(ids[part], slots(ids[part]), low, high, K, rectified=rectified))
    found = merged(parts, 1)
    chosen = {(int(image) - 10) // 2 for image in found.image}
    assert highest(values[:, 0], rectified=rectified) <= chosen | known
    assert found.outside(ids, values) == 0


def test_only_who_may_be_among_them_is_run_again() -> None:
    """Known answers: of ten images three are certain, one is near enough, the others are not; and of images that are
    all the same to a unit the first three are enough."""
    maxima = np.array([9, 8, 7, 6.5, 6, 5, 4, 3, 2, 1], np.float32)[:, None]
    ids = np.arange(10)
    assert candidates_of(ids, slots(ids), maxima - 0.3, maxima + 0.3, K, rectified=False).image.tolist() == [0, 1, 2, 3]
    # At 0.25 the fourth could at most be equal to the third, which is earlier.
    assert candidates_of(ids, slots(ids), maxima - 0.25, maxima + 0.25, K, rectified=False).image.tolist() == [0, 1, 2]
    later = candidates_of(ids, slots(ids), maxima[::-1] - 0.25, maxima[::-1] + 0.25, K, rectified=False)
    assert later.image.tolist() == [6, 7, 8, 9]
    same = np.full((10, 1), 6, np.float32)
    first = candidates_of(ids, slots(ids), same, same, K, rectified=True)
    assert first.image.tolist() == [0, 1, 2]
    assert first.joined(candidates_of(ids + 10, slots(ids), same, same, K, rectified=True)).image.tolist() == [0, 1, 2]
    dead = np.zeros((10, 1), np.float32)
    assert not len(candidates_of(ids, slots(ids), dead, dead, K, rectified=True).image)


def test_a_bound_that_did_not_hold_is_seen() -> None:
    """An exact value beyond an interval, below it, or none at all; at its end it is within."""
    ids, exact = np.arange(4), np.array([3, 2, 1, 0.5], np.float32)[:, None]
    found = candidates_of(ids, slots(ids), exact - 0.5, exact + 0.5, 2, rectified=False)
    assert found.outside(ids, exact + 0.5) == found.outside(ids, exact - 0.5) == 0
    assert found.outside(ids, exact + np.array([0, 0.75, 0, 0], np.float32)[:, None]) == 0.25
    assert found.outside(ids, exact - np.array([1, 0, 0, 0], np.float32)[:, None]) == 0.5
    assert found.outside(ids, np.full_like(exact, np.nan)) == np.inf
    assert found.outside(ids[2:] + 5, exact[2:] + 9) == 0


def test_bounds_are_a_margin_around_what_was_measured() -> None:
    """Of each unit so many times the spread of its own errors, at least of half the median; none where the two never
    differ."""
    exact = torch.zeros(4, 4)
    fast = torch.tensor([[1.0, 4.0, 0.5, 0.0]] * 2 + [[-1.0, -4.0, -0.5, 0.0]] * 2)
    bound = bounds_of({7: exact}, {7: fast}).by_node[7]
    # The median of 1, 4, 0.5 and 0 is 0.75.
    assert bound.tolist() == pytest.approx([MARGIN, 4 * MARGIN, 0.5 * MARGIN, 0.0])
    assert isinstance(bounds_of({7: exact}, {7: fast}), Bounds)


def test_what_stands_for_a_layer() -> None:
    """What goes into a rectifier, also through a concatenation; the layer itself where it is something else."""
    aten = "aten."
    rows = [("input", (), (3, 8, 8)), ("conv2d", (0,), (4, 8, 8)), ("relu", (1,), (4, 8, 8)),
            ("conv2d", (0,), (2, 8, 8)), ("relu", (3,), (2, 8, 8)), ("add", (1, 2), (4, 8, 8))]  # fmt: skip
    nodes = tuple(
        Node(id=n, name=f"n{n}", op=op, target=aten + op, module="", sources=sources, shape=shape)
        for n, (op, sources, shape) in enumerate(rows)
    )
    graph = Graph(nodes, (5,))
    assert [(part.node, part.unit, part.flat) for part in parts_of(graph, 2)] == [(1, 0, 2)]
    assert [(part.node, part.unit, part.flat) for part in parts_of(graph, 5)] == [(5, 0, None)]


@pytest.mark.parametrize("name", sorted(FLAT))
def test_what_ends_pass_through_never_falls(name: str) -> None:
    """Or the ends of an interval would change places; each row's own samples, over many numbers."""
    x = torch.linspace(-12, 12, 4801, dtype=torch.float64)[None]
    for sample in OPERATIONS[name].samples():
        args = bind(sample.target, sample.args, {})
        (inputs,) = [key for key, value in args.items() if value == NodeInput(0)]
        values = sample.target(**{**args, inputs: x})
        assert bool((values.diff() >= 0).all()), args


def test_in_whatever_order_images_come_the_same_stay() -> None:
    """Many equal values, images in other orders and batches, and places that nobody stands in."""

    class Runner:
        graph, dtype, device = Graph((), ()), torch.float32, torch.device("cpu")

        def run(self, x: torch.Tensor, wanted: Collection[int]) -> dict[int, torch.Tensor]:
            return {layer.node: x[:, :, 0, 0]}

    layer = replace(small_network()["relu4"], units=2)
    rng = np.random.default_rng(0)
    values = rng.integers(0, 4, (40, 2)).astype(np.float32)

    def peaks(ids: np.ndarray, size: int) -> Peaks:
        parts = [ids[first : first + size] for first in range(0, len(ids), size)]
        batches = [
            Batch(ids=part, pixels=values[np.maximum(part, 0)][..., None, None], placements=(), records=())
            for part in parts
        ]
        return scan_shard(Runner(), [layer], batches, k=K, batch_size=size).layers[layer.node].peaks

    expected = peaks(np.arange(40), 8)
    for size in (5, 8):
        shuffled = rng.permutation(np.concatenate([np.arange(40), np.full(8, NOBODY)]))
        found = peaks(shuffled, size)
        assert np.array_equal(found.image, expected.image) and np.array_equal(found.value, expected.value)
