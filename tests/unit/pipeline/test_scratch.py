"""Tiles on their way: each has its place, and what comes back is what was put."""

import errno
import os
import zlib
from pathlib import Path

import numpy as np
import pytest

from layerscope.core.errors import AtlasError
from layerscope.pipeline.scratch import Scratch, Slots

K = 3


@pytest.fixture
def scratch(tmp_path: Path):
    """Two layers: units 1, 4 and 5 of the first, all of the second."""
    first = Slots(0, (1, 4, 5), K, (4, 6), 3)
    second = Slots(first.end, (0, 1), K, (2, 2), 1, shares=5)
    held = Scratch(tmp_path / "a.tiles", {7: first, 9: second})
    yield held
    held.close()


def tiles(slots: Slots, seed: int) -> tuple[np.ndarray, np.ndarray, bytes]:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (slots.tiles, *slots.size, 3), dtype=np.uint8)
    return pixels, random.random(slots.tiles, dtype=np.float32), random.bytes(slots.shares)


def places(scratch: Scratch) -> list[tuple[int, int, int]]:
    return [(layer, unit, rank) for layer, own in scratch.slots.items() for unit in own.units for rank in range(K)]


def test_what_was_put_comes_back(scratch: Scratch) -> None:
    """In whatever order: every peak keeps its own tiles, scales and shares, and no slot touches another."""
    put = {place: tiles(scratch.slots[place[0]], seed) for seed, place in enumerate(places(scratch))}
    for place in sorted(put, key=lambda place: hash(place)):
        scratch.put(*place, *put[place])
    for (layer, unit, rank), (pixels, scales, shares) in put.items():
        found_pixels, found_scales, found_shares = scratch.unit(layer, unit)
        assert found_shares[rank].tobytes() == shares
        np.testing.assert_array_equal(found_pixels[rank], pixels)
        np.testing.assert_array_equal(found_scales[rank], scales)


def test_what_was_not_put_is_zero(scratch: Scratch) -> None:
    """Before, behind and between what was put."""
    scratch.put(7, 4, 1, *tiles(scratch.slots[7], 0))
    for layer, unit in ((7, 1), (7, 5), (9, 1)):
        pixels, scales, _ = scratch.unit(layer, unit)
        assert not pixels.any() and not scales.any()
    pixels, scales, _ = scratch.unit(7, 4)
    assert pixels[1].any() and not pixels[[0, 2]].any() and not scales[[0, 2]].any()


def test_the_checksum_is_of_what_stands_in_the_file(scratch: Scratch) -> None:
    """The sum of what `put` returned; a lost or changed byte makes it another."""
    chosen = places(scratch)[::2]
    total = sum(scratch.put(*place, *tiles(scratch.slots[place[0]], seed)) for seed, place in enumerate(chosen))
    assert scratch.checksum(chosen) == total == scratch.checksum(chosen[::-1])
    with scratch.path.open("r+b") as file:
        file.seek(5)
        byte = file.read(1)
        file.seek(5)
        file.write(bytes([byte[0] ^ 1]))
    assert scratch.checksum(chosen) != total
    os.truncate(scratch.path, 0)
    assert scratch.checksum(chosen) == zlib.crc32(b"") * len(chosen)


def test_the_same_peak_again_is_the_same_bytes(scratch: Scratch) -> None:
    """A piece of work that is done again leaves the file as it was."""
    for seed, place in enumerate(places(scratch)):
        scratch.put(*place, *tiles(scratch.slots[place[0]], seed))
    before = scratch.path.read_bytes()
    scratch.put(9, 0, 2, *tiles(scratch.slots[9], places(scratch).index((9, 0, 2))))
    assert scratch.path.read_bytes() == before and len(before) == scratch.slots[9].end


def test_a_file_left_behind_is_taken_up(scratch: Scratch) -> None:
    """Opened again, everything is still in its place."""
    pixels, scales, _ = tiles(scratch.slots[7], 3)
    scratch.put(7, 5, 0, pixels, scales)
    again = Scratch(scratch.path, scratch.slots)
    np.testing.assert_array_equal(again.unit(7, 5)[0][0], pixels)
    again.close(remove=True)
    assert not scratch.path.exists()


def test_a_full_disk_is_a_sentence(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the file and says that the same command goes on."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(AtlasError, match=r"a\.tiles cannot be written \(No space left on device\); free some space"):
        scratch.put(9, 0, 0, *tiles(scratch.slots[9], 0))


def test_a_write_that_is_cut_short_goes_on(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few bytes the system takes at a time, all of them arrive at their place."""
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, offset: pwrite(file, data[:7], offset))
    pixels, scales, _ = tiles(scratch.slots[7], 1)
    total = scratch.put(7, 4, 2, pixels, scales)
    np.testing.assert_array_equal(scratch.unit(7, 4)[0][2], pixels)
    np.testing.assert_array_equal(scratch.unit(7, 4)[1][2], scales)
    assert scratch.checksum([(7, 4, 2)]) == total


@pytest.mark.parametrize("then", ["nothing is written", "an error"])
def test_a_disk_that_fills_in_the_middle_of_a_write(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    """The part that fitted is no success: the disk is said to be full, however the system tells."""
    taken = iter([10])

    def filling(*_: object) -> int:
        written = next(taken, 0)
        if not written and then == "an error":
            raise OSError(errno.ENOSPC, "No space left on device")
        return written

    monkeypatch.setattr(os, "pwrite", filling)
    with pytest.raises(AtlasError, match=r"a\.tiles cannot be written \(No space left on device\); free some space"):
        scratch.put(7, 4, 2, *tiles(scratch.slots[7], 1))
