"""The sampled images: which, and that the scan keeps of them what the maps hold, however it is cut."""

import io
import itertools
from dataclasses import replace

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from layerscope.core.records import ImageRecord
from layerscope.scan import SampledMaxima, SampleRule, Totals, scan_shard
from layerscope.scan.argmax import first_argmax, place_of
from layerscope.scan.sample import MOST_SAMPLED, SAMPLE_BYTES, SampledImages
from layerscope.scan.state import restore_totals, shard_from_bytes, shard_to_bytes, totals_to_parts
from tests.laws.test_merge import K, bare, batch, cuts, maps


def layers_of(*units: int) -> list:
    return [replace(bare(1, 1, 1)[1], node=node, units=count) for node, count in enumerate(units)]


RECORDS = [ImageRecord(id=id, source=f"{id}.png", sha256=f"{id * 7919:064x}") for id in range(3000)]


def drawn(count: int, layers: list, seed: int) -> set[int]:
    """The images that are sampled of so many, met one after the other."""
    rule = SampleRule.of(count, layers, seed)
    held = SampledImages(rule.most)
    keys = rule.keys(RECORDS[:count])
    held.enter(np.array(list(keys), np.int64), np.array(list(keys.values()), np.int64))
    return set(held.ids[held.slots()].tolist())


@settings(max_examples=20)
@given(
    count=st.integers(0, 3000), units=st.lists(st.integers(1, 50_000), min_size=1, max_size=4), seed=st.integers(0, 9)
)
def test_a_sample_is_small_and_of_the_smallest_keys(count, units, seed) -> None:
    """It stays within images and bytes, and holds the images of the smallest keys of all."""
    layers = layers_of(*units)
    rule, sample = SampleRule.of(count, layers, seed), drawn(count, layers, seed)
    assert len(sample) == min(count, MOST_SAMPLED, SAMPLE_BYTES // (8 * sum(units)))
    ordered = sorted((rule.key(record), record.id) for record in RECORDS[:count])
    assert sample == {id for _, id in ordered[: len(sample)]}


def test_the_seed_chooses_the_sample() -> None:
    """Two seeds choose other images, spread over all of them; where all fit, all are taken."""
    few = layers_of(64)
    a, b = drawn(3000, few, 0), drawn(3000, few, 1)
    assert len(a & b) < 150 and min(a) < 60 and max(a) > 2_940
    assert drawn(MOST_SAMPLED, few, 3) == set(range(MOST_SAMPLED))


@given(cuts=st.lists(st.integers(0, 60), max_size=4), order=st.randoms(use_true_random=False), most=st.integers(0, 20))
def test_samples_of_parts_hold_the_sample_of_all(cuts, order, most) -> None:
    """However images are parted and in whatever order parts come: the same images, each with what belongs to it."""
    keys = np.random.default_rng(0).integers(0, 30, 60)
    parts = [np.arange(a, b) for a, b in itertools.pairwise(sorted({0, 60, *cuts}))]
    order.shuffle(parts)
    held, values = SampledImages(most), np.zeros(most, np.int64)
    for part in parts:
        entering, slots = held.enter(part, keys[part])
        values[slots] = part[entering]
    found = held.ids[held.slots()].tolist()
    assert found == sorted(sorted(range(60), key=lambda id: (keys[id], id))[:most])
    assert values[held.slots()].tolist() == found


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


def keyed(sample) -> dict[int, int]:
    """Images with keys that tell them apart."""
    return {int(image): 1000 - int(image) for image in sample}


def scanned(maps: np.ndarray, edges: list[int], sample: np.ndarray, skipped: set[int], broken: int) -> SampledMaxima:
    """The sampled of a scan in shards cut at these edges; from shard `broken` on it was killed and resumed."""
    program, layer = bare(*maps.shape[1:])
    bounds = sorted({0, *(edge for edge in edges if edge < len(maps)), len(maps)})
    totals = Totals([layer], k=K, classes=0, sampled=len(sample))
    for number, (low, high) in enumerate(itertools.pairwise(bounds)):
        if number == broken:
            data, totals = list(totals_to_parts(totals)), Totals([layer], k=K, classes=0, sampled=len(sample))
            restore_totals(totals, data)
        used = [image for image in range(low, high) if image not in skipped]
        runs = [batch(maps, used[first : first + 3]) for first in range(0, len(used), 3)]
        shard = scan_shard(program, [layer], runs, k=K, batch_size=2, sample=keyed(sample))
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
    totals = Totals([layer], k=K, classes=0, sampled=2)
    totals.add(
        scan_shard(program, [layer], [batch(values, range(5))], k=K, batch_size=5, sample=keyed([1, 4])), np.full(5, -1)
    )
    found = totals.sampled(layer.node)
    np.testing.assert_array_equal(found.maxima, values[[1, 4]].reshape(2, -1))
    assert not found.argmax.any()


def test_names_in_the_bytes_stay() -> None:
    """A scan that was begun goes on: the bytes of shards and totals name their arrays."""
    program, layer = bare(2, 3, 4)
    totals = Totals([layer], k=K, classes=0, sampled=2)
    values = np.random.default_rng(1).normal(size=(3, 2, 3, 4)).astype(np.float32)
    part = scan_shard(
        program, [layer], [batch(values, range(3))], k=K, batch_size=3, sample=keyed([0, 2]), with_input_sums=True
    )
    totals.add(part, np.full(3, -1))
    (whole,) = totals_to_parts(totals)
    for data, of in ((shard_to_bytes(part), "pictures"), (whole, "pictures.2")):
        sums = {f"{of}.{name}" for name in ("images", "pixels", "total", "products", "power")}
        stored = np.load(io.BytesIO(data)).files
        assert {"sampled", f"{layer.node}.maxima", f"{layer.node}.places"} | sums <= set(stored)
