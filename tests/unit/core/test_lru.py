"""What is kept is given again, the longest unused is let go, and two readers do not make one thing twice."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.lru import LruCache


@given(asked=st.lists(st.integers(0, 9), max_size=60), most=st.integers(0, 12))
def test_it_holds_the_newest_within_its_weight(asked: list[int], most: int) -> None:
    """Every answer is the one that was made; what is made again had to be let go: by a plain model of the same."""
    cache, held, made = LruCache[bytes](most, len), [], []
    for key in asked:
        expected = bytes(key)
        assert cache.get(key, lambda key=key, expected=expected: made.append(key) or expected) == expected
        if key in held:
            held.remove(key)
        else:
            assert made.pop() == key
        held.append(key)
        while sum(held) > most and len(held) > 1:
            held.pop(0)
    assert made == []


def test_two_readers_make_one_thing_once() -> None:
    """The second waits for the first."""
    cache, together, made = LruCache[bytes](100, len), threading.Barrier(4), []

    def read(_: int) -> bytes:
        together.wait()
        return cache.get("a", lambda: made.append(1) or b"made")

    with ThreadPoolExecutor(4) as readers:
        assert list(readers.map(read, range(4))) == [b"made"] * 4
    assert made == [1]


def test_what_raises_is_not_kept() -> None:
    """A value that could not be made is made when it is next asked for."""
    cache = LruCache[int](4)
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 // 0)
    assert cache.find("a") is None
    assert cache.get("a", lambda: 1) == cache.find("a") == 1


def test_a_heavy_value_is_kept_alone() -> None:
    """The newest value stays even where it is heavier than all may be together; a lighter one takes its place."""
    cache = LruCache[bytes](3, len)
    cache.put("heavy", b"12345")
    assert cache.find("heavy") == b"12345"
    cache.put("light", b"1")
    assert cache.find("heavy") is None and cache.find("light") == b"1"
