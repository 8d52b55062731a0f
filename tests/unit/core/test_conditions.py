"""Conditions on what changed are read as they are written, and hold as their signs say."""

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.changes import CHANGES, MATCHED, NAMES, WORST_FIRST
from layerscope.core.conditions import SIGNS, Bound, Condition
from layerscope.core.values import Unfit

OF_PYTHON = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def test_the_words_are_one_table():
    """Each word once, with a sentence; the order of badness has them all."""
    assert len(set(NAMES)) == len(CHANGES) == len(WORST_FIRST)
    assert set(WORST_FIRST) == set(NAMES)
    assert all(change.sentence and not change.sentence.endswith(".") for change in CHANGES)


@given(st.sampled_from(NAMES), st.sampled_from(sorted(SIGNS)), st.integers(0, 300), st.booleans(), st.integers(0, 300))
def test_a_condition_comes_back_and_holds_as_python_says(word, sign, bound, percent, count):
    """Written, read and written again it is the same; a percentage is of all units that fired."""
    found = Bound().check(f" {word} {sign} {bound}{' %' if percent else ''} ")
    assert found == Condition(word, sign, float(bound), percent) == Bound().check(found.written)
    value = 100 * count / 300 if percent else count
    assert found.holds(count, 300) == OF_PYTHON[sign](value, bound)


@pytest.mark.parametrize("word", [name for name in NAMES if name != MATCHED])
def test_a_word_alone_means_any(word):
    """None is allowed."""
    found = Bound().check(word)
    assert found == Condition(word, ">", 0.0)
    assert (found.holds(0, 9), found.holds(1, 9)) == (False, True)


@pytest.mark.parametrize(
    "wrong",
    ["", "dead>", "dead>x", "dead>-1", "gone>0", "dead>0 lost>0", "dead>1e9", ">0", "dead=>1", "dead>\u0663", 3, None],
)
def test_what_is_no_condition_is_refused(wrong):
    """By its kind, before anything is opened."""
    with pytest.raises(Unfit):
        Bound().check(wrong)


def test_of_matched_units_it_must_be_said_how_many():
    """That some are matched is no reason to fail."""
    with pytest.raises(Unfit) as refused:
        Bound().check("matched")
    assert "matched<95%" in refused.value.hint


def test_shares_of_nothing_are_nothing():
    """No unit ever fired: a share of none is 0 %."""
    assert not Bound().check("dead>0%").holds(0, 0)
