"""What is kept is given again, the longest unused is let go, and two readers do not make one thing twice."""

import threading
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from layerscope.viewer.store import Store


@given(asked=st.lists(st.integers(0, 9), max_size=60), most=st.integers(0, 12))
def test_it_holds_the_newest_within_its_bytes(asked: list[int], most: int) -> None:
    """Every answer is the one that was made; what is made again had to be let go: by a plain model of the same."""
    store, held, made = Store[bytes](most, len), [], []
    for key in asked:
        expected = bytes(key)
        assert store.get(key, lambda key=key, expected=expected: made.append(key) or expected) == expected
        if key in held:
            held.remove(key)
        else:
            assert made.pop() == key
        held.append(key)
        while sum(held) > most:
            held.pop(0)
    assert made == []


def test_two_readers_make_one_thing_once() -> None:
    """The second waits for the first."""
    store, together, made = Store[bytes](100, len), threading.Barrier(4), []

    def read(_: int) -> bytes:
        together.wait()
        return store.get("a", lambda: made.append(1) or b"made")

    with ThreadPoolExecutor(4) as readers:
        assert list(readers.map(read, range(4))) == [b"made"] * 4
    assert made == [1]
