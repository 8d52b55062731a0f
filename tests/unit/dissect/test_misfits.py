"""Images under a wrong label come first in the list; the trial counts what it plants."""

import numpy as np
import pytest

from layerscope.core.labels import LabelTree
from layerscope.dissect.labels import LabelTests
from layerscope.dissect.misfits import misfits, planted_labels, z_of
from layerscope.dissect.ranks import Ranks

CLASSES, EACH, UNITS = 6, 40, 30
TRUE = np.arange(CLASSES * EACH) % CLASSES


def layers(strength: float) -> list[Ranks]:
    """Two layers of units, each of which likes one class so much."""
    rng = np.random.default_rng(0)
    liked = np.arange(UNITS) % CLASSES
    values = rng.gamma(2, 1, (len(TRUE), UNITS)) + strength * (TRUE[:, None] == liked)
    return [Ranks.of(part.astype(np.float32)) for part in (values[:, :11], values[:, 11:])]


def labelled(labels: np.ndarray) -> LabelTests:
    names = tuple(f"class {number}" for number in range(CLASSES))
    tree = LabelTree(names=names, parents=np.full(CLASSES, -1), levels=np.ones(CLASSES, np.int64), deepest=labels)
    return LabelTests(tree, labels)


def listed(labels: np.ndarray, strength: float = 2.0, seed: int = 0):
    ranks, tests = layers(strength), labelled(labels)
    names = [f"{number}.png" for number in range(len(labels))]
    return misfits(ranks, tests, z_of(ranks, tests), names, seed)


def test_planted_mislabels_are_found():
    """At least 0.6 of one in twenty, in the first tenth, by labels that this test corrupted itself; most with the class
    that they really are of."""
    rng, labels = np.random.default_rng(5), TRUE.copy()
    wrong = rng.permutation(len(TRUE))[: len(TRUE) // 20]
    labels[wrong] = (TRUE[wrong] + rng.integers(1, CLASSES, len(wrong))) % CLASSES
    found = listed(labels)
    names = {one.image: one for one in found.images}
    assert (found.judged, len(found.images)) == (len(TRUE), len(TRUE) // 10)
    caught = [place for place in wrong.tolist() if f"{place}.png" in names]
    assert len(caught) >= 0.6 * len(wrong)
    assert np.mean([names[f"{place}.png"].other == f"class {TRUE[place]}" for place in caught]) >= 0.7
    scores = [one.score for one in found.images]
    assert scores == sorted(scores, reverse=True)
    assert all(one.score == pytest.approx(one.others - one.own, abs=1e-5) for one in found.images)


def test_the_trial_tells_good_units_from_noise():
    """What the program plants it finds by units that know the classes, and by others about as chance does."""
    good, noise = listed(TRUE), listed(TRUE, strength=0.0)
    assert good.planted == noise.planted == len(TRUE) // 20
    assert good.found is not None and noise.found is not None
    assert good.found >= 0.6 > 0.5 > noise.found


def test_planted_labels_are_wrong():
    """One in twenty, seeded, each under another label that can be judged."""
    judged = np.ones(CLASSES, bool)
    wrong, chosen = planted_labels(TRUE, judged, 1)
    assert np.flatnonzero(wrong != TRUE).tolist() == chosen.tolist() and len(chosen) == len(TRUE) // 20
    assert np.array_equal(planted_labels(TRUE, judged, 1)[0], wrong)


def test_small_labels_are_not_judged():
    """Of fewer than five images each: no list, and no trial."""
    labels = np.array([0, 0, 1, 1, 2, 2])
    ranks = [Ranks.of(np.arange(6, dtype=np.float32)[:, None])]
    tests = labelled(labels)
    found = misfits(ranks, tests, z_of(ranks, tests), list("abcdef"), 0)
    assert (found.images, found.judged, found.planted, found.found) == ((), 0, 0, None)
