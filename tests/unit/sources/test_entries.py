"""Lists of any length are those that were given, wherever they lie."""

import os
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from layerscope.sources.entries import PART, SHORT, EntryTable, PieceEntries, entry_list
from layerscope.sources.listing import Entry
from layerscope.sources.met import MOST_HELD, FirstImages


def entries(count: int):
    """Names with what makes names hard, and every second value missing."""
    return [
        Entry(
            identity=f"élan/{number}\u2028'\".jpg", size=None if number % 2 else number,
            label=None if number % 3 else f"class {number % 7}", path=f"/a/{number}", offset=number << 33,
        )
        for number in range(count)
    ]  # fmt: skip


def test_a_long_list_is_that_which_was_given() -> None:
    given = entries(SHORT + PART + 3)
    table = entry_list(iter(given))
    assert isinstance(table, EntryTable) and len(table) == len(given)
    assert list(table) == given and table == given and table[-1] == given[-1]
    assert [table[place] for place in (0, PART - 1, PART, len(given) - 1)] == [
        given[place] for place in (0, PART - 1, PART, len(given) - 1)
    ]
    assert list(table[5:12:3]) == given[5:12:3]
    with pytest.raises(IndexError):
        table[len(given)]


def test_a_short_list_stays_as_it_is() -> None:
    assert entry_list(iter(entries(SHORT))) == tuple(entries(SHORT))
    assert entry_list([]) == ()


def test_a_long_list_travels_and_is_read_by_many_threads() -> None:
    given = entries(SHORT + 20 * PART)
    table = entry_list(given)
    assert pickle.loads(pickle.dumps(table)) == table
    places = [place * 7919 % len(given) for place in range(4000)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(table.__getitem__, places)) == [given[place] for place in places]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_reads_it_too() -> None:
    """Processes that share a file share its position: whoever used that would read another's part."""
    table = entry_list(entries(SHORT + 20 * PART))
    child = os.fork()
    if not child:
        os._exit(0 if [e.offset >> 33 for e in table] == list(range(len(table))) else 1)
    assert [e.offset >> 33 for e in table] == list(range(len(table)))
    assert os.waitpid(child, 0)[1] == 0


def test_what_was_left_behind_is_not_guessed() -> None:
    given = entries(5)
    some = PieceEntries(5, {3: given[3]})
    assert len(some) == 5 and some[3] == given[3] and some[-2] == given[3]
    with pytest.raises(RuntimeError, match="image 2 was not named"):
        some[2]


def test_the_first_image_of_each_content_is_known_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory, on the disk, and where it goes from one to the other."""
    monkeypatch.setattr("layerscope.sources.met.MOST_HELD", 8)
    assert MOST_HELD > 8
    found, expected = FirstImages(), {}
    for id in (*range(0, 60), *range(30, -1, -1)):
        key = bytes([id * 31 % 23])
        expected[key] = min(expected.get(key, id), id)
        assert found.note(key, id) == expected[key]
