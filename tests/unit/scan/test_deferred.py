"""A shard that is looked at when it is over: what it finds is what looking at every batch finds, errors included."""

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from layerscope.core.errors import TraceError
from layerscope.core.geometry import IDENTITY, Field
from layerscope.core.records import Batch, LayerRecord
from layerscope.graph import Program
from layerscope.graph.graph import INPUT, Graph, Node
from layerscope.scan import scan_in_steps, shard
from layerscope.scan.deferred import is_deferred
from layerscope.scan.peaks import NOBODY
from layerscope.scan.proposed import Bounds, Proposing
from layerscope.scan.state import shard_to_bytes

SHAPE = UNITS, ROWS, COLS = 3, 2, 3
# The input as it is, rectified, negative, dense, and too large for float32 where it is above 3.
LAYERS: Mapping[int, Callable[[Tensor], Tensor]] = {
    0: lambda x: x, 1: lambda x: x.relu(), 2: lambda x: -x, 3: lambda x: x.flatten(1), 4: lambda x: x * 1e38,
}  # fmt: skip
DENSE, RECTIFIED = 3, 1


@dataclass(frozen=True)
class Several:
    """A runner of these layers, in their order."""

    dtype: torch.dtype = torch.float32

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    @property
    def graph(self) -> Graph:
        return Graph(tuple(Node(id=id, name=INPUT, op=INPUT, target="", module="", shape=SHAPE) for id in LAYERS), ())

    def run(self, x: Tensor, wanted: Collection[int]) -> dict[int, Tensor]:
        return {node: made(x.to(self.dtype)) for node, made in LAYERS.items() if node in wanted}


def layer(node: int) -> LayerRecord:
    return LayerRecord(
        name=f"layer {node}", path="", node=node, kind="", field=Field(rows=IDENTITY, cols=IDENTITY),
        units=UNITS * ROWS * COLS if node == DENSE else UNITS, map=None if node == DENSE else (ROWS, COLS),
        rectified=node == RECTIFIED,
    )  # fmt: skip


def outcome(
    on: bool, runner: Any, maps: np.ndarray, ids: np.ndarray, *, cuts: Sequence[int], nodes: Sequence[int],
    k: int = 2, size: int = 4, proposed: bool = False, **how: Any,
) -> bytes | str:  # fmt: skip
    """All that a shard finds, as bytes; or what it says of a number that is none. on: looked at when it is over."""
    edges = [0, *sorted({cut for cut in cuts if cut < len(maps)}), len(maps)]
    runs = [Batch(ids=ids[a:b], pixels=maps[a:b], placements=(), records=()) for a, b in itertools.pairwise(edges)]
    proposing = Proposing(Program(runner.graph, {}), [], Bounds({}), k) if proposed else None
    chosen = [layer(node) for node in nodes]
    with mock.patch.object(shard, "is_deferred", lambda device: on):
        steps = scan_in_steps(runner, chosen, runs, k=k, batch_size=size, proposing=proposing, **how)
        try:
            while True:
                next(steps)
        except StopIteration as end:
            return shard_to_bytes(end.value)
        except TraceError as error:
            return str(error)


def drawn(count: int, seed: int, most: int) -> np.ndarray:
    """Maps of few different values, so that ties abound."""
    return np.random.default_rng(seed).integers(-most, most + 1, (count, *SHAPE)).astype(np.float32)


cuts = st.lists(st.integers(1, 11), max_size=3)
nodes = st.sets(st.integers(0, 3), min_size=1).map(sorted)
seeds = st.integers(0, 2**16)


@given(
    count=st.integers(1, 12), seed=seeds, most=st.integers(1, 2), order=st.none() | st.permutations(range(12)),
    nobody=st.sets(st.integers(0, 11), max_size=2), floors=st.none() | st.sampled_from([1, 2, 0, -np.inf]),
    cuts=cuts, nodes=nodes, sample=st.none() | st.sets(st.integers(0, 11)).map(sorted), k=st.integers(1, 14),
    size=st.integers(1, 5), proposed=st.booleans(), dtype=st.sampled_from([torch.float32, torch.bfloat16]),
)  # fmt: skip
@example(  # images at the floor, the first in order and the others behind it
    count=6, seed=0, most=0, order=[5, 1, 4, 2, 0, 3], nobody=set(), floors=0, cuts=[1, 3], nodes=[0], sample=None, k=9,
    size=4, proposed=False, dtype=torch.float32,
)  # fmt: skip
def test_looking_later_finds_the_same(
    count, seed, most, order, nobody, floors, cuts, nodes, sample, k, size, proposed, dtype
) -> None:
    """To the bit: ties, floors, images in any order, places where nobody is, sampled places, dense and rectified
    layers, in 16 bits, and where peaks are only proposed."""
    ids = np.arange(count) if order is None else np.array([id for id in order if id < count])
    ids[[place for place in nobody if place < count and order is not None]] = NOBODY
    how = {
        "cuts": cuts, "nodes": nodes, "k": k, "size": size, "proposed": proposed,
        "sample": None if sample is None else {image: 9 - image for image in sample},
        "floors": None if floors is None else {n: np.full(layer(n).units, floors, np.float32) for n in nodes},
    }  # fmt: skip
    now, later = (outcome(on, Several(dtype), drawn(count, seed, most), ids, **how) for on in (False, True))
    assert isinstance(now, bytes) and now == later


WRONG = [np.nan, np.inf, -np.inf, 4.0, 1.0]


@given(
    seed=seeds, cuts=cuts, nodes=st.sets(st.integers(0, 4), min_size=1).map(sorted), size=st.integers(1, 5),
    wrong=st.lists(
        st.tuples(st.integers(0, 7), st.integers(0, 2), st.integers(0, 1), st.integers(0, 2), st.sampled_from(WRONG)),
        min_size=1, max_size=3,
    ),
)  # fmt: skip
@example(  # at a later layer in an earlier batch, and the other way round
    seed=0, cuts=[4], nodes=[0, 4], size=4, wrong=[(1, 0, 0, 0, 4.0), (5, 0, 0, 0, np.nan)],
)  # fmt: skip
def test_the_same_number_is_refused(seed, cuts, nodes, size, wrong) -> None:
    """Of several, at several layers and images, that which would have been met first, in the same words."""
    maps = drawn(8, seed, 1)
    for image, unit, row, col, number in wrong:
        maps[image, unit, row, col] = number
    for dtype in (torch.float64, torch.float32):
        now, later = (
            outcome(on, Several(dtype), maps, np.arange(8), cuts=cuts, nodes=nodes, size=size) for on in (False, True)
        )
        assert now == later


@pytest.mark.parametrize("on", [False, True])
def test_of_a_batch_nan_is_named_first(on: bool) -> None:
    """Though an earlier image gives infinity: that is often what came of it."""
    maps = drawn(4, 0, 1)
    maps[1, 0, 0, 0], maps[2, 1, 1, 1] = np.inf, np.nan
    assert str(outcome(on, Several(), maps, np.arange(4), cuts=(), nodes=[0])).startswith("image 2 gives NaN at layer")


@pytest.mark.parametrize("on", [False, True])
def test_a_shard_without_images_is_empty(on: bool) -> None:
    """Nothing was met, and nothing is wrong."""
    assert outcome(on, Several(), np.empty((0, *SHAPE), np.float32), np.empty(0, np.int64), cuts=(), nodes=[0, 3]) == (
        outcome(not on, Several(), np.empty((0, *SHAPE), np.float32), np.empty(0, np.int64), cuts=(), nodes=[0, 3])
    )


def test_a_processor_looks_at_once() -> None:
    """Its numbers are there when they are made; those of other devices are waited for."""
    assert [is_deferred(torch.device(name)) for name in ("cpu", "cuda", "mps", "xpu")] == [False, True, True, True]
