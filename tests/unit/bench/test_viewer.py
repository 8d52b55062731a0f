"""The viewer's budgets: what counts as met, and how a line is told; on numbers whose answers are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.viewer.budget import HEADS, Budget, head, markdown, share_of
from bench.viewer.wide import K, write_wide
from layerscope.atlas.read import AtlasFile

VALUES = st.lists(st.floats(0.1, 1e4), min_size=1, max_size=30)


@given(VALUES, st.floats(0.1, 1e4))
def test_a_limit_is_held_by_the_median_from_either_side(found, limit):
    """A most and a least value are both met only by the limit itself, and one of them always is."""
    most, least = (Budget(what="", limit=limit, found=found, unit="ms", floor=floor) for floor in (False, True))
    assert most.met or least.met
    assert (most.met and least.met) == (most.measured == limit)


def test_a_line_tells_limit_median_range_and_whether_it_is_met():
    """The range stands there where repeats differ, and what cannot be told apart is "under" the least that can."""
    lines = markdown(
        [
            Budget(what="start", limit=1.0, found=[0.9, 1.2, 0.8], unit="s"),
            Budget(what="speed", limit=100, found=[40.0], unit="units/s", floor=True),
            Budget(what="frame", limit=200, found=[0.0, 0.0], unit="ms", below=50),
            Budget(what="requests", limit=20, found=[6], unit=""),
        ]
    ).splitlines()
    assert lines == [
        "| start | 1 s | 0.9 s (0.8 to 1.2) | yes |",
        "| speed | at least 100 units/s | 40 units/s | no |",
        "| frame | 200 ms | under 50 ms | yes |",
        "| requests | 20 | 6 | yes |",
    ]
    assert [line.count("|") for line in head().splitlines()] == [len(HEADS) + 1] * 2


@given(VALUES, st.floats(0.01, 1))
def test_a_share_of_the_values_is_at_most_the_value(found, share):
    """So many of them do not exceed it, and it is one of them; all of them do not exceed the largest."""
    value = share_of(found, share)
    assert value in found
    assert sum(one <= value for one in found) >= share * len(found) - 1e-9
    assert share_of(found, 1.0) == max(found)


def test_no_values_have_no_share():
    """Nothing measured is an error, not a zero."""
    with pytest.raises(ValueError, match="nothing was measured"):
        share_of([], 0.5)


def test_a_wide_atlas_is_whole_and_the_same_each_time(tmp_path):
    """Every unit has its peaks and its sheets; two atlases hold the same bytes of tiles."""
    paths = [write_wide(tmp_path / f"{turn}.atlas", units=3, tile=16) for turn in range(2)]
    sheets = []
    for path in paths:
        with AtlasFile(path) as file:
            assert file.finished
            assert [len(file.peaks(0, unit)) for unit in range(3)] == [K] * 3
            found = [file.encoded_sheet(0, unit, "projections", "guided", "natural") for unit in range(3)]
            sheets.append([one.pixels for one in found if one])
    assert sheets[0] == sheets[1]
    assert len(sheets[0]) == 3
