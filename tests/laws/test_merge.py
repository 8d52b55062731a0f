"""A scan is a sum: however its images are cut into batches and shards, the same peaks and numbers come out.

Values are small integers, so that equal ones abound and every sum is exact.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.errors import TraceError
from layerscope.core.geometry import IDENTITY, Field
from layerscope.core.records import HISTOGRAM_EDGES, Batch, ImageRecord, LayerRecord, Peaks, Placement
from layerscope.graph import Graph, Node, Program
from layerscope.graph.graph import INPUT
from layerscope.graph.ops.calls import BatchSize, NodeInput
from layerscope.scan import Totals, merge, scan_shard
from layerscope.scan.reference import scan_slowly
from layerscope.scan.result import LayerResult
from layerscope.scan.shard import SUMMED_EVERY, ShardResult
from layerscope.scan.state import restore_totals, shard_from_bytes, shard_to_bytes, totals_to_parts

UNITS, K = 2, 3
ARRAYS = ("value", "image", "row", "col")


def assert_same(a: Peaks, b: Peaks) -> None:
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def assert_same_places(a: Peaks, b: Peaks) -> None:
    """The same peaks; where in a map an empty place lies means nothing."""
    present = a.image >= 0
    np.testing.assert_array_equal(a.image, b.image)
    np.testing.assert_array_equal(a.value, b.value)
    for name in ("row", "col"):
        np.testing.assert_array_equal(getattr(a, name)[present], getattr(b, name)[present])


def best(found: Sequence[tuple[int, int, int, int]], images: Sequence[int], k: int = K) -> Peaks:
    """The k first of everything when sorted, for every unit alike; found: (value, row, col, unit's shift) by image."""
    peaks = Peaks.empty(UNITS, k)
    for unit in range(UNITS):
        ordered = sorted((-(found[i][0] + unit * found[i][3]), i, found[i][1], found[i][2]) for i in images)
        for rank, (value, image, row, col) in enumerate(ordered[:k]):
            peaks.value[unit, rank], peaks.image[unit, rank] = -value, image
            peaks.row[unit, rank], peaks.col[unit, rank] = row, col
    return peaks


small = st.integers(0, 2)
everything = st.lists(st.tuples(small, small, small, small), max_size=14)


@given(found=everything, parts=st.lists(st.integers(0, 3), min_size=14, max_size=14), order=st.permutations(range(4)))
def test_merge_is_sorting_everything(found, parts, order) -> None:
    """In any order and grouping, merging parts gives the k first of all when sorted: value, image, row, column."""
    shares = [best(found, [i for i in range(len(found)) if parts[i] == part]) for part in order]
    a, b, c, d = shares
    wanted = best(found, range(len(found)))
    assert_same_places(wanted, merge(merge(merge(a, b), c), d))
    assert_same(merge(merge(a, b), merge(c, d)), merge(a, merge(b, merge(c, d))))
    assert_same(merge(a, b), merge(b, a))
    assert_same_places(a, merge(a, Peaks.empty(UNITS, K)))


def test_ties_go_to_the_smaller_image_even_below_every_value() -> None:
    """Among equals the earlier image stays; a real peak of minus infinity comes before an empty place."""
    late, early = best([(1, 2, 2, 0)] * 6, [4, 5]), best([(1, 0, 0, 0)] * 6, [1, 3])
    np.testing.assert_array_equal(merge(late, early).image, [[1, 3, 4]] * UNITS)
    lowest = Peaks.empty(UNITS, K)
    lowest.image[:, 0] = 7
    np.testing.assert_array_equal(merge(Peaks.empty(UNITS, K), lowest).image, [[7, -1, -1]] * UNITS)


def bare(channels: int, rows: int, cols: int, dense: bool = False) -> tuple[Program, LayerRecord]:
    """A network that gives its input back, as a map or flattened, and its only layer."""
    nodes = [Node(id=0, name=INPUT, op=INPUT, target="", module="", shape=(channels, rows, cols))]
    if dense:
        args = {"self": NodeInput(0), "shape": (BatchSize(), channels * rows * cols)}
        shape = (channels * rows * cols,)
        nodes.append(
            Node(
                id=1,
                name="f",
                op="flatten",
                target="aten.reshape.default",
                module="",
                sources=(0,),
                args=args,
                shape=shape,
            )
        )
    field = Field(rows=IDENTITY, cols=IDENTITY)
    layer = LayerRecord(
        name="layer", path="layer", node=int(dense), kind="input", units=nodes[-1].shape[0],
        map=None if dense else (rows, cols), field=field,
    )  # fmt: skip
    return Program(Graph(tuple(nodes), (int(dense),)), {}), layer


def batch(maps: np.ndarray, ids: Sequence[int]) -> Batch:
    place = Placement(row_scale=1.0, col_scale=1.0, top=0.0, left=0.0, height=1, width=1)
    records = tuple(ImageRecord(id=i, source=str(i)) for i in ids)
    return Batch(ids=np.array(ids, np.int64), pixels=maps[list(ids)], placements=(place,) * len(ids), records=records)


def batches(maps: np.ndarray, cuts: Sequence[int], first: int = 0, last: int | None = None) -> Iterator[Batch]:
    edges = sorted({first, *(c for c in cuts if first < c < (last or len(maps))), last or len(maps)})
    for low, high in itertools.pairwise(edges):
        yield batch(maps, range(low, high))


@st.composite
def maps(draw: st.DrawFn) -> np.ndarray:
    """Up to twelve images of small maps with few different values."""
    count, rows, cols = draw(st.integers(1, 12)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    seed, values = draw(st.integers(0, 2**16)), draw(st.integers(1, 3))
    return np.random.default_rng(seed).integers(-values, values, (count, UNITS, rows, cols)).astype(np.float32)


cuts = st.lists(st.integers(1, 11), max_size=4)


@given(maps=maps(), cuts=cuts, size=st.integers(1, 12), rectify=st.booleans())
def test_scan_is_the_slow_scan(maps, cuts, size, rectify) -> None:
    """However images are cut into batches and batches padded, a shard's peaks are those of the loops."""
    program, layer = bare(*maps.shape[1:])
    layer = replace(layer, rectified=rectify)
    result = scan_shard(program, [layer], batches(maps, cuts), k=K, batch_size=size).layers[layer.node]
    assert_same_places(scan_slowly(enumerate(maps), k=K, rectified=rectify), result.peaks)
    np.testing.assert_array_equal(result.maxima, maps.max((2, 3)))


@given(maps=maps(), cuts=cuts, at=st.integers(0, 12))
def test_floors_only_spare_work(maps, cuts, at) -> None:
    """With the k-th values of earlier images as floors, what a shard adds to their peaks stays the same."""
    program, layer = bare(*maps.shape[1:])
    at = min(at, len(maps) - 1)
    before = scan_slowly(enumerate(maps[:at]), k=K, rectified=False) if at else Peaks.empty(UNITS, K)
    plain, floored = (
        scan_shard(program, [layer], batches(maps, cuts, at), k=K, batch_size=4, floors=floors).layers[0].peaks
        for floors in (None, {0: before.value[:, -1].copy()})
    )
    assert_same_places(merge(before, plain), merge(before, floored))
    assert_same_places(scan_slowly(enumerate(maps), k=K, rectified=False), merge(before, floored))


@given(maps=maps())
def test_dense_layers_have_one_position(maps) -> None:
    """Each output of a dense layer is a unit whose peaks lie at row 0, column 0."""
    program, layer = bare(*maps.shape[1:], dense=True)
    flat = maps.reshape(len(maps), -1, 1, 1)
    result = scan_shard(program, [layer], batches(maps, [5]), k=K, batch_size=5).layers[1]
    assert_same_places(scan_slowly(enumerate(flat), k=K, rectified=False), result.peaks)


def test_activations_that_are_not_numbers_are_refused() -> None:
    """NaN in one image is an error that names the image and the layer."""
    program, layer = bare(2, 2, 2)
    maps = np.zeros((5, 2, 2, 2), np.float32)
    maps[3, 1, 0, 1] = np.nan
    with pytest.raises(TraceError, match="image 3 gives NaN at layer layer"):
        scan_shard(program, [layer], batches(maps, [2]), k=K, batch_size=4)


def shards(maps: np.ndarray, edges: Sequence[int]) -> list[ShardResult]:
    program, layer = bare(*maps.shape[1:])
    bounds = sorted({0, *(e for e in edges if e < len(maps)), len(maps)})
    return [
        scan_shard(program, [layer], batches(maps, [], low, high), k=K, batch_size=12, with_input_sums=True)
        for low, high in itertools.pairwise(bounds)
    ]


def summed(parts: Sequence[ShardResult], labels: np.ndarray, layer: LayerRecord, broken: int | None = None) -> Totals:
    """The totals of shards in this order; after `broken` of them everything goes through bytes."""
    totals = Totals([layer], k=K, classes=2)
    for number, part in enumerate(parts):
        if number == broken:
            data, totals = list(totals_to_parts(totals)), Totals([layer], k=K, classes=2)
            restore_totals(totals, data)
            part = shard_from_bytes(shard_to_bytes(part))
        totals.add(part, labels[part.images])
    return totals


@given(maps=maps(), edges=cuts, order=st.randoms(use_true_random=False), broken=st.integers(0, 3))
def test_totals_add_in_any_grouping(maps, edges, order, broken) -> None:
    """Shards of any size in any order: the same peaks and sums; through bytes on the way: the very same bits."""
    _, layer = bare(*maps.shape[1:])
    labels = np.arange(len(maps)) % 3 - 1
    parts = shards(maps, edges)
    order.shuffle(parts)
    one, many = summed(shards(maps, []), labels, layer), summed(parts, labels, layer, broken)
    assert one.images == many.images == len(maps)
    np.testing.assert_array_equal(one.class_counts, many.class_counts)
    assert_same_places(one.peaks(0), many.peaks(0))
    for name in ("histogram", "above", "positions"):
        np.testing.assert_array_equal(getattr(one.layers[0], name), getattr(many.layers[0], name), err_msg=name)
    np.testing.assert_array_equal(one.layers[0].class_sums.high, many.layers[0].class_sums.high)
    # A batch's squares are the square of a float32 norm.
    np.testing.assert_allclose(one.layers[0].sums.high, many.layers[0].sums.high, rtol=1e-6)
    assert list(totals_to_parts(many)) == list(totals_to_parts(summed(parts, labels, layer)))
    for name, value in one.over_inputs().items():
        np.testing.assert_allclose(many.over_inputs()[name], value, rtol=1e-12, err_msg=name)


@given(maps=maps())
def test_unit_statistics_are_numpys(maps) -> None:
    """Mean, deviation, shares, class means and histogram are what NumPy says of all values at once."""
    _, layer = bare(*maps.shape[1:])
    labels = np.arange(len(maps)) % 2
    found = summed(shards(maps, []), labels, layer).unit_statistics(0)
    values = maps.transpose(1, 0, 2, 3).reshape(UNITS, -1).astype(np.float64)
    maxima = maps.max((2, 3)).T
    np.testing.assert_allclose(found.mean, values.mean(1), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.std, values.std(1), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found.positions_above, (values > 0).mean(1), rtol=1e-6)
    np.testing.assert_allclose(found.images_above, (maxima > 0).mean(1), rtol=1e-6)
    np.testing.assert_array_equal(found.maximum, maxima.max(1))
    for number in (0, 1):
        if (labels == number).any():
            expected = maxima[:, labels == number].mean(1)
            np.testing.assert_allclose(found.class_means[:, number], expected, rtol=1e-6, atol=1e-7)


def test_sums_are_taken_on_every_fourth_batch() -> None:
    """Mean, deviation and share of positions come from batches 0, 4, ...; maxima and peaks from all."""
    program, layer = bare(1, 1, 1)
    maps = np.arange(6, dtype=np.float32).reshape(6, 1, 1, 1)
    result = scan_shard(program, [layer], batches(maps, range(1, 6)), k=K, batch_size=2).layers[0]
    assert SUMMED_EVERY == 4
    assert (result.positions, result.total.tolist(), result.squares.tolist()) == (2, [4.0], [16.0])
    assert result.maxima[:, 0].tolist() == [0, 1, 2, 3, 4, 5]


@given(
    values=st.lists(st.floats(-5000, 5000, width=32) | st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0**-12]), max_size=40)
)
def test_histograms_are_numpys(values) -> None:
    """A bin holds what lies above its lower edge and not above its upper; the outermost are open."""
    layer = bare(1, 1, 1)[1]
    maxima = np.array(values, np.float32).reshape(-1, 1)
    empty = np.zeros(1)
    result = LayerResult(maxima, Peaks.empty(1, K), 0, empty, empty, empty, np.empty((0, 1), np.int32))
    totals = Totals([layer], k=K, classes=0)
    totals.add(ShardResult(np.arange(len(maxima)), {0: result}, {}), np.full(len(maxima), -1))
    # NumPy's bins are open above, so everything is turned around.
    edges = np.concatenate([[-np.inf], -HISTOGRAM_EDGES[::-1], [np.inf]])
    expected, _ = np.histogram(-maxima.astype(np.float64), edges)
    np.testing.assert_array_equal(totals.unit_statistics(0).histogram[0], expected[::-1])


def test_an_empty_scan_has_plain_numbers() -> None:
    """Without any image no statistic is NaN, and a unit that nothing raised above zero has maximum 0."""
    layer = replace(bare(2, 1, 1)[1], rectified=True)
    found = Totals([layer], k=K, classes=1).unit_statistics(0)
    for name in ("mean", "std", "maximum", "images_above", "positions_above", "class_means"):
        np.testing.assert_array_equal(getattr(found, name), np.zeros_like(getattr(found, name)))


def test_a_shard_does_not_depend_on_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every batch is run at its full size, so an image's numbers do not hang on how many came with it."""
    program, layer = bare(2, 3, 3)
    sizes: list[int] = []
    plain = program.visit
    monkeypatch.setattr(program, "visit", lambda x, wanted, see: sizes.append(len(x)) or plain(x, wanted, see))
    maps = np.zeros((7, 2, 3, 3), np.float32)
    scan_shard(program, [layer], batches(maps, [3]), k=K, batch_size=4)
    assert sizes == [4, 4] and torch.get_default_dtype() == torch.float32
