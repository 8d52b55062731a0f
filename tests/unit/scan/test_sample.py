"""The sampled images: which, and that the scan keeps of them what the maps hold, however it is cut."""

import io
import itertools
from dataclasses import replace

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from layerscope.scan import SampledMaxima, Totals, sample_of, scan_shard
from layerscope.scan.argmax import first_argmax, place_of
from layerscope.scan.sample import MOST_SAMPLED, SAMPLE_BYTES
from layerscope.scan.state import restore_totals, shard_from_bytes, shard_to_bytes, totals_to_parts
from tests.laws.test_merge import K, bare, batch, cuts, maps


def layers_of(*units: int) -> list:
    return [replace(bare(1, 1, 1)[1], node=node, units=count) for node, count in enumerate(units)]


@given(
    count=st.integers(0, 3000), units=st.lists(st.integers(1, 50_000), min_size=1, max_size=4), seed=st.integers(0, 9)
)
def test_a_sample_is_small_and_repeatable(count, units, seed) -> None:
    """It grows, has no image twice, stays within images and bytes, and is the same each time."""
    sample = sample_of(count, layers_of(*units), seed)
    assert (np.diff(sample) > 0).all() and ((sample >= 0) & (sample < count)).all()
    assert len(sample) == min(count, MOST_SAMPLED, SAMPLE_BYTES // (8 * sum(units)))
    np.testing.assert_array_equal(sample, sample_of(count, layers_of(*units), seed))


def test_the_seed_chooses_the_sample() -> None:
    """Two seeds choose other images, spread over all of them; where all fit, all are taken."""
    few = layers_of(64)
    a, b = sample_of(10_000, few, 0), sample_of(10_000, few, 1)
    assert len(np.intersect1d(a, b)) < 100 and a.min() < 200 and a.max() > 9_800
    np.testing.assert_array_equal(sample_of(MOST_SAMPLED, few, 3), np.arange(MOST_SAMPLED))


@given(maps=maps())
def test_first_places_are_argmax(maps) -> None:
    """The first of equal values in reading order, as NumPy's argmax names it."""
    values = torch.from_numpy(maps).permute(0, 2, 3, 1)
    of_rows = values.amax(2)
    found = first_argmax(values, of_rows, of_rows.amax(1))
    expected = maps.reshape(*maps.shape[:2], -1).argmax(2)
    np.testing.assert_array_equal(found.numpy(), expected)
    image, unit = (torch.from_numpy(index.ravel()) for index in np.indices(expected.shape))
    np.testing.assert_array_equal(place_of(values, of_rows, image, unit).numpy(), expected.ravel())


def scanned(maps: np.ndarray, edges: list[int], sample: np.ndarray, skipped: set[int], broken: int) -> SampledMaxima:
    """The sampled of a scan in shards cut at these edges; from shard `broken` on it was killed and resumed."""
    program, layer = bare(*maps.shape[1:])
    bounds = sorted({0, *(edge for edge in edges if edge < len(maps)), len(maps)})
    totals = Totals([layer], k=K, classes=0, sample=sample)
    for number, (low, high) in enumerate(itertools.pairwise(bounds)):
        if number == broken:
            data, totals = list(totals_to_parts(totals)), Totals([layer], k=K, classes=0, sample=sample)
            restore_totals(totals, data)
        used = [image for image in range(low, high) if image not in skipped]
        runs = [batch(maps, used[first : first + 3]) for first in range(0, len(used), 3)]
        shard = scan_shard(program, [layer], runs, k=K, batch_size=2, sample=sample)
        totals.add(shard_from_bytes(shard_to_bytes(shard)), np.full(len(shard.images), -1))
    return totals.sampled(layer.node)


@given(
    maps=maps(), edges=cuts, broken=st.integers(0, 5),
    sample=st.sets(st.integers(0, 11), max_size=12), skipped=st.sets(st.integers(0, 11), max_size=6),
)  # fmt: skip
def test_a_scan_keeps_what_the_maps_hold(maps, edges, broken, sample, skipped) -> None:
    """Any shards, killed anywhere: each sampled image's maxima and first places; skipped images drop out."""
    chosen = np.array(sorted(image for image in sample if image < len(maps)), np.int64)
    found = scanned(maps, edges, chosen, skipped, broken)
    kept = [image for image in chosen.tolist() if image not in skipped]
    flat = maps[kept].reshape(len(kept), maps.shape[1], maps.shape[2] * maps.shape[3])
    assert found.images.tolist() == kept
    np.testing.assert_array_equal(found.maxima, flat.max(2))
    np.testing.assert_array_equal(found.argmax, flat.argmax(2))


def test_dense_layers_are_sampled() -> None:
    """The outputs of a dense layer are their own maxima."""
    values = np.random.default_rng(0).normal(0, 1, (5, 2, 1, 2)).astype(np.float32)
    program, layer = bare(2, 1, 2, dense=True)
    totals = Totals([layer], k=K, classes=0, sample=np.array([1, 4]))
    totals.add(
        scan_shard(program, [layer], [batch(values, range(5))], k=K, batch_size=5, sample=totals.sample), np.full(5, -1)
    )
    found = totals.sampled(layer.node)
    np.testing.assert_array_equal(found.maxima, values[[1, 4]].reshape(2, -1))
    assert not found.argmax.any()


def test_names_in_the_bytes_stay() -> None:
    """A scan that an earlier version began goes on: the bytes of shards and totals name their arrays as it did."""
    program, layer = bare(2, 3, 4)
    totals = Totals([layer], k=K, classes=0, sample=np.array([0, 2]))
    values = np.random.default_rng(1).normal(size=(3, 2, 3, 4)).astype(np.float32)
    part = scan_shard(
        program, [layer], [batch(values, range(3))], k=K, batch_size=3, sample=totals.sample, with_input_sums=True
    )
    totals.add(part, np.full(3, -1))
    sums = {f"pictures.{name}" for name in ("images", "pixels", "total", "products", "power")}
    (whole,) = totals_to_parts(totals)
    for data in (shard_to_bytes(part), whole):
        stored = np.load(io.BytesIO(data)).files
        assert {f"{layer.node}.maxima", f"{layer.node}.places"} | sums <= set(stored)
