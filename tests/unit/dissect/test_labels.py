"""Names from labels are those of counting pairs for each label; labels dealt out by lot name nothing by a compound."""

import numpy as np
import pytest

from layerscope.core.labels import ALPHA, LEAST_AUC, LEAST_GAIN, LabelTree
from layerscope.dissect.labels import LabelTests, name_layer
from layerscope.dissect.ranks import Ranks
from tests.helpers.ranks import carried, pairwise_auc

# The way of an image's labels from the highest down, for each kind of image.
WAYS = (("animal", "dog"), ("animal", "cat"), ("thing", "car"), ("thing", "boat"), ("thing", "cup"), ("animal",))
NAMES = ("animal", "boat", "car", "cat", "cup", "dog", "thing")
PARENTS = np.array([-1, 6, 6, 0, 6, 0, -1])
EACH = 30
KINDS = np.arange(len(WAYS) * EACH) % len(WAYS)
# What excites a unit: kinds of images.
UNITS = {"dog": [0], "animal": [0, 1, 5], "dog or car": [0, 2], "thing, not cup": [2, 3], "nothing": [], "never": []}


def tree() -> LabelTree:
    deepest = np.array([NAMES.index(WAYS[kind][-1]) for kind in KINDS])
    return LabelTree(names=NAMES, parents=PARENTS, levels=np.array([1, 2, 2, 2, 2, 2, 1]), deepest=deepest)


def maxima(seed: int = 0) -> np.ndarray:
    """Rectified noise, and three more where a unit is excited; the last unit is zero throughout."""
    rng = np.random.default_rng(seed)
    noise = np.maximum(rng.normal(0, 1, (len(KINDS), len(UNITS))), 0)
    excited = np.array([np.isin(KINDS, kinds) for kinds in UNITS.values()]).T
    values = (noise + 3 * excited).astype(np.float32)
    values[:, -1] = 0
    return values


@pytest.fixture(scope="module")
def named():
    labels = tree()
    return name_layer("a", Ranks.of(maxima()), LabelTests(labels, labels.deepest), seed=0)[0]


def test_a_unit_is_named_by_what_excites_it(named):
    """A label, the label above several, two labels, a label without one below it; chance and silence have no name."""
    names = [None if unit.best is None else unit.best.label for unit in named.units]
    assert names == ["dog", "animal", "dog or car", "thing, not cup", None, None]
    assert [unit.best.images for unit in named.units if unit.best] == [30, 90, 60, 60]
    assert [unit.dead for unit in named.units] == [False] * 5 + [True]


def test_scores_are_those_of_pairs(named):
    """AUC and images of every ranked label and compound, counted one by one along the ways of the hierarchy."""
    values, ways = maxima().astype(np.float64), [WAYS[kind] for kind in KINDS]
    for unit in named.units:
        for score in unit.ranked:
            inside = carried(ways, score.label)
            assert (score.images, score.level) == (inside.sum(), 1 if score.label in ("animal", "thing") else 2)
            assert score.auc == pytest.approx(pairwise_auc(values[:, unit.unit], inside), abs=1e-9)
    either = carried(ways, "dog") | carried(ways, "car")
    without = carried(ways, "thing") & ~carried(ways, "cup")
    for number, inside in ((2, either), (3, without)):
        assert named.units[number].best.auc == pytest.approx(pairwise_auc(values[:, number], inside), abs=1e-9)


def test_shuffled_labels_name_nothing_by_a_compound(named):
    """The margin stands above whatever they gain, and at its least; they are few that they name at all."""
    assert named.shuffled.compounds == 0 and named.margin >= LEAST_GAIN
    assert (named.figures.named, named.figures.compounds, named.figures.distinct) == (4, 2, 4)


def test_labels_by_lot_name_few_units():
    """Of units of noise about one in a hundred reaches p, and by AUC none."""
    rng, labels = np.random.default_rng(3), tree()
    noise = np.maximum(rng.normal(0, 1, (len(KINDS), 300)), 0).astype(np.float32)
    found = name_layer("a", Ranks.of(noise), LabelTests(labels, labels.deepest), seed=0)[0]
    low = sum(unit.ranked[0].p < ALPHA for unit in found.units)
    assert low <= 300 * 3 * ALPHA
    assert all(unit.best is None or unit.best.auc >= LEAST_AUC for unit in found.units)
    assert found.figures.compounds == 0


def test_labels_that_tell_nothing_apart_are_not_tried():
    """One that all images carry, and one of a single image."""
    labels = LabelTree(
        names=("all", "one", "two"), parents=np.array([-1, 0, 0]), levels=np.array([1, 2, 2]),
        deepest=np.array([1, 2, 2]),
    )  # fmt: skip
    assert LabelTests(labels, labels.deepest).tried.tolist() == [False, False, True]
