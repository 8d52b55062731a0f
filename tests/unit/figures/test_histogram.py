"""The spread of the images' maxima: every image in it, every peak where it belongs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.records import HISTOGRAM_EDGES
from layerscope.figures.histogram import LONGEST_GAP, histogram

BINS = len(HISTOGRAM_EDGES) + 1
VALUES = st.lists(st.floats(-5000, 5000, width=32), min_size=1, max_size=40)


def counted(values: list[float]) -> np.ndarray:
    """Counts as the scan makes them."""
    return np.bincount(np.searchsorted(HISTOGRAM_EDGES, values, side="left"), minlength=BINS)


@given(VALUES)
def test_every_image_is_in_a_bar_and_every_value_on_its_bar(values):
    """A mark for each counted value lies within a bar of the chart; larger values lie further right."""
    chart = histogram(counted(values), tuple(sorted(values)))
    assert sum(bar.value for bar in chart.bars) == len(values)
    assert len(chart.marks) == len(values)
    assert list(chart.marks) == sorted(chart.marks)
    for mark in chart.marks:
        assert any(bar.place <= mark <= bar.place + 1 for bar in chart.bars)


@given(VALUES)
def test_bars_never_overlap_and_long_gaps_are_short(values):
    """Neighbours stand at least a step apart; what is left out is marked by a break."""
    chart = histogram(counted(values), ())
    gaps = np.diff([bar.place for bar in chart.bars])
    assert (gaps >= 1).all()
    assert (gaps <= LONGEST_GAP + 1).all()
    assert len(chart.breaks) < len(chart.bars)


def test_a_known_spread():
    """Zeros, then a long empty stretch, then a value of one in the middle of its axis: ticks say 0 and 1."""
    chart = histogram(counted([0.0, 0.0, 1.0]), (1.0,))
    assert [bar.value for bar in chart.bars] == [2.0, 1.0]
    assert chart.breaks == (2.5,)
    assert dict((words, place) for place, words in chart.ticks) == {"0": 0.5, "1": 5.0}
    assert chart.marks == (5.0,)
