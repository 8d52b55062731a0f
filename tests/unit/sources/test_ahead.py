import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.sources.ahead import in_order


def calls(values):
    return [lambda value=value: value * value for value in values]


@given(st.lists(st.lists(st.integers(), max_size=5), max_size=12), st.integers(1, 4), st.integers(0, 5))
def test_results_come_in_order(groups, threads, ahead):
    """Groups and their results come back as given, for any number of threads and any look-ahead."""
    out = list(in_order([(place, calls(group)) for place, group in enumerate(groups)], threads=threads, ahead=ahead))
    assert out == [(place, [value * value for value in group]) for place, group in enumerate(groups)]


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_no_more_than_the_look_ahead_is_begun(ahead):
    """When a group is handed out, exactly `ahead` further ones have been asked for."""
    asked = []

    def groups():
        for place in range(10):
            asked.append(place)
            yield place, calls([place])

    for place, _ in in_order(groups(), threads=2, ahead=ahead):
        assert len(asked) == min(place + 1 + ahead, 10)


def test_slow_early_work_does_not_change_the_order():
    """A first call that ends last still comes first."""
    slow = [lambda: time.sleep(0.05) or "slow", lambda: "fast"]
    assert list(in_order([(0, slow), (1, [lambda: "later"])], threads=3, ahead=2)) == [
        (0, ["slow", "fast"]),
        (1, ["later"]),
    ]


def decoders():
    return [thread for thread in threading.enumerate() if thread.name.startswith("layerscope-decode")]


def test_an_early_end_leaves_no_thread_and_drops_the_rest():
    """Closing the iteration ends the threads; work that had not begun is never done."""
    done = []
    groups = ((place, [lambda place=place: (time.sleep(0.01), done.append(place))]) for place in range(1000))
    running = in_order(groups, threads=2, ahead=50)
    next(running)
    running.close()
    assert not decoders() and len(done) < 40


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_what_a_call_raises_comes_out_and_the_threads_end(failure):
    """A failure is raised at its own group, after the groups before it."""

    def fail():
        raise failure("here")

    running = in_order([(0, calls([3])), (1, [fail]), (2, calls([4]))], threads=2, ahead=2)
    assert next(running) == (0, [9])
    with pytest.raises(failure, match="here"):
        next(running)
    assert not decoders()
