"""The tests behind names that stand: exact where they are exact, and held to counting where that can be done."""

from dataclasses import replace
from itertools import combinations
from math import comb

import numpy as np
import pytest

from layerscope.core.concepts import ConceptScore, UnitConcept
from layerscope.dissect.standing import (
    Edits,
    NameJudge,
    Responses,
    exceeding,
    holm,
    interval,
    sign_test,
    upper_tail,
)


@pytest.mark.parametrize("count", [1, 5, 12])
def test_the_sign_test_counts_heads(count):
    """Its p is the share of all sequences of so many coins with at least as many heads."""
    for more in range(count + 1):
        heads = [bin(sequence).count("1") for sequence in range(2**count)]
        assert sign_test(more, count) == pytest.approx(np.mean(np.array(heads) >= more), abs=1e-15)
    assert sign_test(0, 0) == 1


def rank_test(wins: float, own: int, other: int) -> float:
    [z] = exceeding(np.array([float(wins)]), own, np.array([float(other)]))
    return upper_tail(z)


def test_the_rank_test_is_near_counting():
    """Beside the exact share of all ways to divide the ranks, its p is off by little, in the tail too."""
    own, every = 6, 13
    wins = [sum(rank > other for rank in ways for other in set(range(every)) - set(ways))
            for ways in combinations(range(every), own)]  # fmt: skip
    assert len(wins) == comb(every, own)
    for won in range(20, 43):
        exact = float(np.mean(np.array(wins) >= won))
        assert rank_test(won, own, every - own) == pytest.approx(exact, abs=0.008)


def test_ties_make_the_rank_test_stricter():
    """All equal is no evidence."""
    assert rank_test(9 * 8 / 2, 9, 8) > 0.5


def test_holm_holds_the_family():
    """By hand; the largest never falls below one before it, and those that are not given stand behind."""
    assert holm({0: 0.01, 1: 0.04, 2: 0.03}, 3) == pytest.approx({0: 0.03, 2: 0.06, 1: 0.06})
    assert holm({5: 0.01}, 60) == pytest.approx({5: 0.6})
    rng = np.random.default_rng(0)
    false = [min(holm(dict(enumerate(rng.random(20))), 20).values()) < 0.05 for _ in range(600)]
    assert np.mean(false) < 0.075


def test_intervals_cover_the_mean():
    """Of 200 samples about 95 % of the intervals hold the true mean; the same seed gives the same one."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        mean, low, high = interval(rng.random(30), 0)
        assert low <= mean <= high
        held += low <= 0.5 <= high
    assert 175 <= held <= 200
    assert interval(np.arange(9.0), 4) == interval(np.arange(9.0), 4)


IMAGES, NAMES = 60, ("wheel", "ring", "tree")


def drawings() -> Edits:
    """Of each of the images three drawings, one a concept; a wheel alone shows its ring."""
    image, concept = (axis.ravel() for axis in np.indices((IMAGES, 3)))
    shows = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]], bool)
    every = np.ones((len(image), 3), bool)
    return Edits(image=image, concept=concept, controlled=every[:, 0], shown=shows[concept], held=every)


def responses(parts: tuple[float, float, float], level: float, rng: np.random.Generator) -> Responses:
    """A unit that adds up what each concept gives (a ring goes with its wheel), and something that is always there."""
    edits, gives = drawings(), np.array(parts)
    there = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 0]])
    without, alone = (there[edits.concept] * gives).sum(1), (edits.shown * gives).sum(1)
    noise = rng.random((3, len(without))) * 0.02
    return Responses(
        before=np.full((IMAGES, 1), gives.sum() + level) + rng.random((IMAGES, 1)) * 0.01,
        without=(without + level + noise[0])[:, None],
        control=(gives.sum() + level - noise[1])[:, None],
        alone=(alone + level / 4 + noise[2])[:, None],
    )


RANKED = tuple(ConceptScore(concept=name, level=3, score=0.1, iou=0.2, frequency=0.1) for name in NAMES)


@pytest.mark.parametrize(
    "parts, level, verdicts",
    [
        ((1.0, 0.0, 0.0), 0.0, ("necessary and sufficient", "seen together", "seen together")),
        ((0.0, 1.0, 0.0), 0.0, ("necessary", "necessary and sufficient", "seen together")),
        ((0.0, 0.0, 1.0), 0.0, ("seen together", "seen together", "necessary and sufficient")),
        ((0.0, 0.0, 0.0), 1.0, ("seen together", "seen together", "seen together")),
    ],
)
def test_a_unit_stands_by_what_it_was_built_of(parts, level, verdicts):
    """A concept that a unit is made of passes both; one that holds it is necessary, not sufficient; others neither."""
    judge = NameJudge(drawings(), NAMES, (3, 2, 5), seed=0)
    found = responses(parts, level, np.random.default_rng(0))
    [unit] = judge.layer(found, (UnitConcept(unit=0, ranked=RANKED, best=RANKED[0]),))
    assert tuple(one.verdict for one in unit.tried) == verdicts
    for one in unit.tried:
        assert one.necessity and one.necessity.low <= one.necessity.gone <= one.necessity.high
        assert one.sufficiency and one.sufficiency.low <= one.sufficiency.reached <= one.sufficiency.high


def test_a_whole_does_not_stand_by_its_part():
    """Where a ring does it all, a wheel that reaches more stands through it, unless it takes more too."""
    judge, named = NameJudge(drawings(), NAMES, (3, 2, 5), seed=0), (UnitConcept(unit=0, ranked=RANKED),)
    found = responses((0.0, 1.0, 0.0), 0.0, np.random.default_rng(0))
    wheels = (drawings().concept == 0)[:, None]
    [unit] = judge.layer(replace(found, alone=found.alone + 0.2 * wheels), named)
    assert [one.verdict for one in unit.tried[:2]] == ["through its ring", "necessary and sufficient"]
    assert [one.stands for one in unit.tried[:2]] == [False, True]
    less = replace(
        found, without=found.without + 0.3 * (drawings().concept == 1)[:, None], alone=found.alone + 0.2 * wheels
    )
    [unit] = judge.layer(less, named)
    assert [one.stands for one in unit.tried[:2]] == [True, True]


def test_pictures_without_a_control_do_not_count():
    """A name is not judged on what nothing else of its size could be set against."""
    edits = replace(drawings(), controlled=np.zeros(3 * IMAGES, bool))
    found = responses((1.0, 0.0, 0.0), 0.0, np.random.default_rng(0))
    [unit] = NameJudge(edits, NAMES, (3, 2, 5), seed=0).layer(found, (UnitConcept(unit=0, ranked=RANKED),))
    assert [one.necessity for one in unit.tried] == [None] * 3 and unit.tried[0].sufficient


def test_a_dead_unit_has_nothing_to_stand_on():
    """Without a ninth peak above zero nothing is tried."""
    judge = NameJudge(drawings(), NAMES, (3, 2, 5), seed=0)
    [unit] = judge.layer(responses((0, 0, 0), -1.0, np.random.default_rng(0)), (UnitConcept(unit=0, ranked=RANKED),))
    assert unit.tried == ()
