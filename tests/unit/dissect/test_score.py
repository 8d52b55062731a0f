"""The score's known answers: a perfect detector, an independent unit, areas that do not matter."""

import numpy as np
import pytest

from layerscope.core.concepts import UnitConcept
from layerscope.dissect.score import chance, figures, iou, units_named
from layerscope.dissect.thresholds import Counts
from tests.helpers.dissection import Concept, slow_ious

CONCEPTS = (Concept("large", 1), Concept("small", 2))
PX = 40_000


def measured(values: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """IoUs of activations [px, u] with masks [px, c] by either measure, cut by the package's own thresholds."""
    values, area = values.astype(np.float16), masks.sum(0)
    counts = Counts(values.shape[1])
    counts.add(np.ascontiguousarray(values).view(np.int16))
    areas = np.append(area, int(0.005 * len(values)))
    bits, above = counts.thresholds(areas)
    over = values[:, :, None] > bits.view(np.float16)
    own = (over[:, :, :-1] & masks[:, None]).sum(0)
    single = (over[:, :, -1:] & masks[:, None]).sum(0)
    return iou(own, above[:, :-1], area), iou(single, above[:, -1:], area), counts.above_zero


def named(values: np.ndarray, masks: np.ndarray, concepts: tuple[Concept, ...] = CONCEPTS) -> tuple[UnitConcept, ...]:
    """The units of activations [px, u] against masks [px, c]."""
    found, found_bau, above_zero = measured(values, masks)
    return units_named(concepts, masks.sum(0), np.full(masks.shape[1], len(values)), found, found_bau, above_zero)


def test_the_ious_are_those_of_a_slow_loop():
    """By either measure, thresholds and overlaps give what sorting all values gives."""
    rng = np.random.default_rng(0)
    values, masks = rng.gamma(2, size=(900, 3)).astype(np.float16), rng.random((900, 2)) < [0.3, 0.02]
    found, found_bau, _ = measured(values, masks)
    np.testing.assert_allclose(found, slow_ious(values.astype(float), masks))
    np.testing.assert_allclose(found_bau, slow_ious(values.astype(float), masks, area=4))


@pytest.mark.parametrize("share", [0.4, 0.05, 0.001])
def test_a_perfect_detector(share):
    """Highest exactly on the concept: IoU 1, score 1 - f / (2 - f), for concepts of any size."""
    rng = np.random.default_rng(1)
    mask = rng.random((PX, 1)) < share
    (unit,) = named(mask + rng.random((PX, 1)) * 0.9, mask)
    frequency = mask.mean()
    assert unit.best is not None and unit.best.iou == 1
    assert unit.best.score == pytest.approx(1 - frequency / (2 - frequency))


def test_an_independent_unit_scores_zero():
    """A unit that knows nothing of the concepts scores about 0, whatever their area, and is named by none."""
    rng = np.random.default_rng(2)
    masks = rng.random((PX, 4)) < [0.5, 0.2, 0.05, 0.01]
    concepts = tuple(Concept(str(i), i) for i in range(4))
    (unit,) = named(rng.random((PX, 1)), masks, concepts)
    assert unit.best is None and len(unit.ranked) == 3
    assert max(abs(one.score) for one in unit.ranked) < 0.01


def test_area_does_not_matter():
    """A detector that is equally right on concepts of 30 % and 0.3 % names both; Bau's one threshold only the small."""
    rng = np.random.default_rng(3)
    masks = rng.random((PX, 2)) < [0.3, 0.003]
    units = named(np.where(masks, 1.0, 0.0) + rng.normal(0, 0.45, (PX, 2)), masks)
    assert [unit.best.concept for unit in units if unit.best] == ["large", "small"]
    assert [unit.bau.concept if unit.bau else None for unit in units] == [None, "small"]


def test_a_unit_that_is_seldom_above_zero_is_cut_at_zero():
    """Above zero on a tenth of the concept and nowhere else: the IoU is a tenth, less what chance would give."""
    mask = np.zeros((1000, 1), bool)
    mask[:100] = True
    values = np.zeros((1000, 1))
    values[:10] = 1
    (unit,) = named(values, mask, CONCEPTS[:1])
    assert unit.ranked[0].iou == pytest.approx(0.1)
    assert unit.ranked[0].score == pytest.approx(0.1 - 0.1 / 1.9)
    assert unit.best is not None


def test_chance_is_what_independent_masks_get():
    """f / (2 - f): a third at one half, and half of f for small f."""
    np.testing.assert_allclose(chance(np.array([0.5, 1.0, 1e-6])), [1 / 3, 1, 5e-7], rtol=1e-5)


def test_dead_units_and_absent_concepts():
    """A unit never above zero has no concepts; a concept that no px carries names nothing."""
    masks = np.zeros((1000, 2), bool)
    masks[:50, 0] = True
    values = np.stack([np.zeros(1000), masks[:, 0]], axis=1)
    dead, alive = named(values, masks)
    assert dead.dead and dead.best is None
    assert [one.concept for one in alive.ranked] == ["large"]


def test_figures_of_a_layer():
    """Detectors, distinct concepts, mean level and levels are counts over the named units."""
    rng = np.random.default_rng(4)
    masks = rng.random((PX, 2)) < 0.1
    values = np.concatenate([masks, masks[:, 1:], rng.random((PX, 1)), np.zeros((PX, 1))], axis=1)
    counted = figures(named(values, masks))
    assert (counted.units, counted.dead, counted.detectors, counted.distinct_concepts) == (5, 1, 3, 2)
    assert counted.mean_concept_level == pytest.approx(5 / 3)
    assert counted.levels == {1: 1, 2: 2}


def test_figures_without_detectors():
    """Where nothing is found there is no mean level."""
    counted = figures(named(np.zeros((100, 2)), np.ones((100, 2), bool)))
    assert (counted.detectors, counted.mean_concept_level, counted.median_score) == (0, None, None)
