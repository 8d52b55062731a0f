"""How far units of one number stand out is what a slow look at each pair gives; of a unit with itself, most."""

from math import log

import numpy as np
import pytest

from layerscope.changes.agreement import Profiles
from layerscope.changes.standing_out import OUT, standing_out

UNITS, CLASSES, BINS = 20, 6, 12


def drawn(seed: int, units: int = UNITS, *, classes: int = CLASSES, related: bool = True) -> Profiles:
    """A layer whose units were drawn by a seed: each is high in one image of its own, and in one that all know."""
    rng = np.random.default_rng(seed)
    means, relations = rng.normal(size=(units, classes)), rng.random((units, units if related else 0))
    means -= means.mean(1, keepdims=True) if classes else 0
    heights = rng.random((units, 2)) + 0.1
    heights /= np.linalg.norm(heights, axis=1, keepdims=True)
    places = np.zeros(2 * units, np.int64)
    return Profiles(
        alive=np.ones(units, bool),
        unit=np.repeat(np.arange(units), 2),
        image=np.stack([np.zeros(units, np.int64), 1 + rng.integers(0, 5, units)], 1).ravel(),
        row=places,
        col=places,
        near=(1, 1),
        height=heights.ravel(),
        classes=means / np.linalg.norm(means, axis=1, keepdims=True) if classes else means,
        maximum=np.ones(units),
        below=np.sort(rng.random((units, BINS)), axis=1),
        relations=relations / np.linalg.norm(relations, axis=1, keepdims=True) if related else relations,
    )


def heights(one: Profiles, unit: int) -> dict[int, float]:
    return {int(i): float(h) for u, i, h in zip(one.unit, one.image, one.height, strict=True) if u == unit}


def alike(one: Profiles, other: Profiles, first: int, second: int) -> list[float]:
    """How alike two units are, in each way that both layers know."""
    mine, theirs = heights(one, first), heights(other, second)
    found = [sum(mine[image] * theirs[image] for image in mine.keys() & theirs.keys())]
    if one.classes.shape[1]:
        found.append(sum(a * b for a, b in zip(one.classes[first], other.classes[second], strict=True)))
    if one.relations.shape[1]:
        found.append(sum(a * b for a, b in zip(one.relations[first], other.relations[second], strict=True)))
    return [*found, -sum(abs(a - b) for a, b in zip(one.below[first], other.below[second], strict=True))]


def slow(one: Profiles, other: Profiles, unit: int) -> float:
    """The mean place of a number among the pairs of one of its units and another, one pair at a time."""
    others = [number for number in range(one.units) if number != unit]
    null = [alike(one, other, unit, each) for each in others] + [alike(one, other, each, unit) for each in others]
    own = alike(one, other, unit, unit)
    parts = []
    for way, value in enumerate(own):
        rank = 1 + sum(pair[way] >= value - 1e-12 for pair in null)
        parts.append(log((len(null) + 1) / rank) / log(len(null) + 1))
    return sum(parts) / len(parts)


@pytest.mark.parametrize(("classes", "related"), [(CLASSES, True), (0, True), (CLASSES, False), (0, False)])
def test_it_is_that_of_a_slow_look(classes, related) -> None:
    """With and without classes and neighbours; the agreement has the rest of the weight."""
    one, other = (drawn(seed, classes=classes, related=related) for seed in (1, 2))
    units, same = np.array([3, 0, 17]), np.array([0.0, 0.5, 1.0])
    expected = [OUT * slow(one, other, int(u)) + (1 - OUT) * s for u, s in zip(units, same, strict=True)]
    assert standing_out(one, other, units, same) == pytest.approx(expected)


def test_a_unit_stands_out_beside_itself() -> None:
    """By all; and one that was drawn anew does not, on the whole."""
    one, other, every, full = drawn(1), drawn(2), np.arange(UNITS), np.ones(UNITS)
    assert standing_out(one, one, every, full) == pytest.approx(1)
    assert np.median(standing_out(one, other, every, 0 * full)) < 0.4


def test_a_small_layer_has_too_few_pairs() -> None:
    """The agreement is what it was."""
    one, other, same = drawn(1, 15), drawn(2, 15), np.linspace(0, 1, 15)
    assert (standing_out(one, other, np.arange(15), same) == same).all()
    assert standing_out(one, other, np.arange(0), np.zeros(0)).shape == (0,)
