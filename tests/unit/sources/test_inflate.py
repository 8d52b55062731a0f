"""A gzip file read from any place gives the bytes that gzip itself unpacks."""

import gzip
import threading

import numpy as np
import pytest

from layerscope.sources import inflate
from layerscope.sources.inflate import BrokenStream, Inflated


def noise(size: int) -> bytes:
    """Bytes that hardly get smaller, with some that do."""
    drawn = np.random.default_rng(7).integers(0, 256, size, np.uint8)
    drawn[size // 3 : size // 2] = 0
    return drawn.tobytes()


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks lie close, and are thinned out."""
    monkeypatch.setattr(inflate, "CHUNK", 1000)
    monkeypatch.setattr(inflate, "MOST_MARKS", 9)


def read_from(packed: bytes) -> tuple[Inflated, list[int]]:
    """A gzip file in memory, and the places from which its bytes were fetched."""
    asked: list[int] = []

    def fetch(offset: int, size: int) -> bytes:
        asked.append(offset)
        return packed[offset : offset + size]

    return Inflated(fetch), asked


@pytest.mark.parametrize("members", [1, 3])
def test_any_place_in_any_order_gives_what_gzip_unpacks(members: int) -> None:
    """Of one member and of several, with the padding that tapes have behind them; behind the end there is nothing."""
    content = noise(50_000)
    parts = [content[start::members] for start in range(members)]
    content = b"".join(parts)
    packed = b"".join(map(gzip.compress, parts)) + bytes(512)
    assert gzip.decompress(packed) == content
    held, _ = read_from(packed)
    random = np.random.default_rng(1)
    for _ in range(200):
        offset, size = int(random.integers(0, 51_000)), int(random.integers(0, 4000))
        assert held.read(offset, size) == content[offset : offset + size]
    assert held.read(0, len(content) + 10) == content and held.read(len(content), 10) == b""
    assert 2 < len(held._marks) <= 9


def test_what_was_passed_once_is_not_unpacked_from_the_start_again() -> None:
    """A mark before the place spares what lies before it; so does standing there already."""
    content = noise(60_000)
    held, asked = read_from(gzip.compress(content))
    assert held.read(59_000, 100) == content[59_000:59_100]
    first = len(asked)
    assert held.read(40_000, 100) == content[40_000:40_100]
    assert len(asked) - first <= first // 3 and min(asked[first:]) > 15_000
    before = len(asked)
    assert held.read(40_050, 40) == content[40_050:40_090] and len(asked) == before


def test_threads_read_the_same_bytes() -> None:
    """Several at once, at places far apart."""
    content = noise(60_000)
    held, _ = read_from(gzip.compress(content))
    wrong: list[int] = []

    def some(seed: int) -> None:
        for offset in np.random.default_rng(seed).integers(0, 59_000, 40).tolist():
            if held.read(offset, 700) != content[offset : offset + 700]:
                wrong.append(offset)

    threads = [threading.Thread(target=some, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_broken_stream_is_said_each_time(damage: str) -> None:
    """What lies well before the damage is had, then and later; who reads to the end is told of it."""
    content = noise(30_000)
    packed = bytearray(gzip.compress(content))
    if damage == "cut":
        del packed[-3000:]
    else:
        packed[-3000] ^= 0xFF
        packed[-2999:-2990] = b"\xff" * 9
    held, _ = read_from(bytes(packed))
    for _ in range(2):
        assert held.read(1000, 500) == content[1000:1500]
        with pytest.raises(BrokenStream):
            held.read(0, 40_000)
