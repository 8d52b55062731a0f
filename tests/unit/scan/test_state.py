"""Totals as bytes: in small parts, whatever their size, and the same bits when they come back."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from layerscope.core.records import LayerRecord, Peaks
from layerscope.scan import Totals, state
from layerscope.scan.proposed import Candidates
from layerscope.scan.state import PART_BYTES, restore_totals, totals_to_parts
from tests.laws.test_merge import K, bare

CLASSES = 3


def totals_of(layers: list[LayerRecord], sampled: int) -> Totals:
    return Totals(layers, k=K, classes=CLASSES, sampled=sampled)


def drawn(layers: list[LayerRecord], sampled: int) -> Totals:
    """Totals full of drawn numbers; of the sample every second image was met."""
    rng, totals = np.random.default_rng(0), totals_of(layers, sampled)
    totals.images, totals.class_counts = 77, rng.integers(0, 99, CLASSES)
    totals.input_sums = {last: {"images": np.array(5), "power": rng.random((4, 4))} for last in (7, 250)}
    some = np.sort(rng.permutation(77)[: sampled // 2])
    totals.sample.enter(some, rng.integers(0, 99, len(some)))
    for layer in layers:
        sums = totals.layers[layer.node]
        sums.positions = int(rng.integers(1, 999))
        sums.peaks = Peaks(
            value=rng.random((layer.units, K), np.float32), image=rng.integers(0, 77, (layer.units, K)),
            row=rng.integers(0, 9, (layer.units, K), np.int32), col=rng.integers(0, 9, (layer.units, K), np.int32),
        )  # fmt: skip
        for name in ("histogram", "above"):
            getattr(sums, name)[...] = rng.integers(0, 99, getattr(sums, name).shape)
        for name in ("sums", "class_sums"):
            for part in ("high", "low"):
                getattr(getattr(sums, name), part)[...] = rng.random(getattr(sums, name).high.shape)
        for name in ("maxima", "argmax"):
            getattr(sums, name)[: len(some)] = rng.integers(0, 99, (len(some), layer.units))
        few, (low, high) = rng.integers(0, layer.units, 5 * (layer.node == 0), np.int32), rng.random((2, 5), np.float32)
        totals.candidates[layer.node] = Candidates(
            few.astype(np.int64), few, few, low[: len(few)], high[: len(few)], sums.peaks.value
        )
    return totals


def arrays_of(totals: Totals) -> dict[str, np.ndarray]:
    """Everything that totals hold, by name."""
    found = {"images": np.array(totals.images), "counts": totals.class_counts}
    found |= {"ids": totals.sample.ids, "keys": totals.sample.keys}
    found |= {f"{last} {name}": value for last, sums in totals.input_sums.items() for name, value in sums.items()}
    for node, sums in totals.layers.items():
        for name in ("histogram", "above", "positions", "maxima", "argmax"):
            found[f"{node} {name}"] = np.asarray(getattr(sums, name))
        for name in ("sums", "class_sums"):
            found |= {f"{node} {name} {part}": getattr(getattr(sums, name), part) for part in ("high", "low")}
        found |= {f"{node} peaks {name}": getattr(sums.peaks, name) for name in ("value", "image", "row", "col")}
        names = ("image", "slot", "unit", "low", "high", "lows")
        found |= {f"{node} candidates {name}": getattr(totals.candidates[node], name) for name in names}
    return found


def layers_of(*units: int) -> list[LayerRecord]:
    return [replace(bare(1, 1, 1)[1], node=node, units=count) for node, count in enumerate(units)]


@pytest.mark.parametrize("part", [1, 300, 5_000, 2**40])
def test_parts_of_any_size_hold_the_same(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a row is a part of its own or all lies in one part, as earlier versions had it: the very same bits."""
    monkeypatch.setattr(state, "PART_BYTES", part)
    layers = layers_of(7, 1, 20)
    totals, back = drawn(layers, 12), totals_of(layers, 12)
    parts = list(totals_to_parts(totals))
    assert (len(parts) == 1) == (part == 2**40)
    restore_totals(back, parts)
    expected, found = arrays_of(totals), arrays_of(back)
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_totals_without_images_have_parts() -> None:
    """Where nothing was met, nothing comes back."""
    layers = layers_of(3)
    totals, back = totals_of(layers, 2), totals_of(layers, 2)
    restore_totals(back, totals_to_parts(totals))
    assert not back.images and not len(back.sample.slots()) and not back.candidates and not back.input_sums


def test_no_copy_of_the_totals_is_made() -> None:
    """However many units there are, what is made of their sums at any moment is a few parts, and no part is large."""
    totals = drawn(layers_of(6_000, 2_000), 200)
    whole = sum(array.nbytes for array in arrays_of(totals).values())
    assert whole > 20 * PART_BYTES
    tracemalloc.start()
    largest = max(map(len, totals_to_parts(totals)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert largest < 1.1 * PART_BYTES
    assert most < 6 * PART_BYTES
