"""Sums in any number type are NumPy's float64 sums, and what is no number is refused by layer and image."""

import numpy as np
import pytest
import torch

from layerscope.core.errors import TraceError
from layerscope.core.geometry import IDENTITY, Field
from layerscope.core.records import Batch, LayerRecord
from layerscope.graph import Program
from layerscope.graph.graph import Graph, Node
from layerscope.scan import Totals, require_finite, scan_shard

TYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def layer(units: int, rows: int, cols: int, *, rectified: bool = False) -> LayerRecord:
    field = Field(rows=IDENTITY, cols=IDENTITY)
    return LayerRecord(
        name="maps", path="input", node=0, kind="relu", units=units, map=(rows, cols), field=field, rectified=rectified
    )


def program(shape: tuple[int, ...], dtype: torch.dtype) -> Program:
    """A network that gives back its input, in a number type."""
    node = Node(id=0, name="input", op="input", target="", module="", classes=(), sources=(), args={}, shape=shape)
    return Program(Graph(nodes=(node,), outputs=(0,)), {"unused": torch.ones(1, dtype=dtype)})


def batch(maps: np.ndarray, first: int = 0) -> Batch:
    return Batch(ids=np.arange(first, first + len(maps)), pixels=maps, placements=(), records=())


def scan(maps: np.ndarray, dtype: torch.dtype, **options) -> Totals:
    record = layer(*maps.shape[1:], **options)
    totals = Totals([record], k=2, classes=1, sampled=len(maps))
    runs = [batch(maps[first : first + 4], first) for first in range(0, len(maps), 4)]
    found = scan_shard(
        program(maps.shape[1:], dtype), [record], runs, k=2, batch_size=4, sample={id: id for id in range(len(maps))}
    )
    totals.add(found, np.zeros(len(found.images), np.int64))
    return totals


def as_held(maps: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """The numbers that the type makes of these, in float64."""
    return torch.from_numpy(maps).to(dtype).double().numpy()


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("largest", [1.0, 300.0, 60000.0, 1e20])
def test_sums_are_those_of_float64(dtype: torch.dtype, largest: float) -> None:
    """Mean, deviation, share above zero and class means, however large values are; 5,000 positions are counted all."""
    if largest > torch.finfo(dtype).max:
        largest = 200.0
    maps = (np.random.default_rng(0).uniform(-0.2, 1, (4, 3, 50, 100)) * largest).astype(np.float32)
    held = as_held(maps, dtype).transpose(1, 0, 2, 3).reshape(3, 4, -1)
    found = scan(maps, dtype).unit_statistics(0)
    np.testing.assert_allclose(found.mean, held.mean((1, 2)), rtol=1e-6)
    np.testing.assert_allclose(found.std, held.std((1, 2)), rtol=1e-6)
    np.testing.assert_allclose(found.positions_above, (held > 0).mean((1, 2)), rtol=1e-6)
    np.testing.assert_allclose(found.class_means[:, 0], held.max(2).mean(1), rtol=1e-6)
    np.testing.assert_array_equal(found.maximum, held.max((1, 2)).astype(np.float32))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_of_equal_values_the_first_place_is_taken(dtype: torch.dtype) -> None:
    """Numbers that the type makes equal are ties: image, row and column are NumPy's first argmax of what it holds."""
    maps = (1 + np.random.default_rng(1).uniform(0, 0.02, (8, 2, 9, 11))).astype(np.float32)
    held = as_held(maps, dtype).reshape(8, 2, -1)
    totals = scan(maps, dtype)
    peaks, sampled = totals.peaks(0), totals.sampled(0)
    for unit in range(2):
        best = sorted(range(8), key=lambda image, unit=unit: (-held[image, unit].max(), image))[:2]
        assert peaks.image[unit].tolist() == best
        assert (peaks.row[unit] * 11 + peaks.col[unit]).tolist() == [int(held[i, unit].argmax()) for i in best]
    np.testing.assert_array_equal(sampled.argmax, held.argmax(2))
    assert dtype != torch.bfloat16 or (held == held.max(2, keepdims=True)).sum(2).max() > 1, "no tie was met"


@pytest.mark.parametrize(
    ("number", "dtype", "words"),
    [
        (np.nan, torch.float32, "NaN at layer maps: the weights or the input are unusable"),
        (np.inf, torch.float32, "infinity at layer maps: the weights or the input are unusable"),
        (-np.inf, torch.float32, "infinity at layer maps"),
        (70000.0, torch.float16, r"infinity at layer maps: float16 overflows above 65504; .*model\.float\(\)"),
        (-70000.0, torch.float16, "infinity at layer maps: float16 overflows"),
        (np.nan, torch.bfloat16, "NaN at layer maps"),
    ],
)
@pytest.mark.parametrize("image", [2, 6])
def test_what_is_no_number_is_refused(number: float, dtype: torch.dtype, words: str, image: int) -> None:
    """In whatever batch it arises, and though it is no maximum: by image and layer, in place of a statistic of it."""
    maps = np.ones((8, 2, 3, 5), np.float32)
    maps[image, 1, 2, 0] = number
    with pytest.raises(TraceError, match=f"^image {image} gives {words}"):
        scan(maps, dtype)


def test_what_float32_cannot_hold_is_refused() -> None:
    """A float64 network may go beyond the type in which peaks are kept; the number is said."""
    maps = torch.ones(2, 2, 3, 5, dtype=torch.float64)
    maps[1, 0, 1, 1] = 1e39
    with pytest.raises(TraceError, match=r"^image 5 gives 1\.0e\+39 at layer maps: activations are kept in float32"):
        require_finite(layer(2, 3, 5), np.array([4, 5]), maps)
