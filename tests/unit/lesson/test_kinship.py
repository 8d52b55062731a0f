"""How alike pictures are: what units make of them, told from chance, with the unit itself left out."""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from operator import mul
from pathlib import Path

import numpy as np
import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.lesson.kinship import FEWEST, SETS, _ByClasses, _counted, _kinds, kinship
from tests.helpers.atlases import small_atlas

UNITS = 12


@pytest.fixture(params=[True, False], ids=["classes", "no classes"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AtlasFile]:
    """Of two layers of twelve units; without classes only peaks tell."""
    path = small_atlas(tmp_path / "kin.atlas")
    if not request.param:
        with closing(sqlite3.connect(path)) as atlas, atlas:
            atlas.execute("UPDATE image SET label = NULL")
    with AtlasFile(path) as opened:
        yield opened


def by_hand(cosines: np.ndarray) -> float:
    """The mean over all pairs, each once."""
    return float(np.mean([cosines[a, b] for a in range(len(cosines)) for b in range(a)]))


def by_lengths(rows: np.ndarray) -> np.ndarray:
    """The cosine of each row with each, one after the other."""
    return np.array([[sum(map(mul, a, b)) / (math.hypot(*a) * math.hypot(*b)) for b in rows] for a in rows])


def test_alike_pictures_are_told_from_chance(file: AtlasFile) -> None:
    """Only units above chance are there, the most alike first; those that are not asked for are not."""
    layer = file.layers[1]
    found = kinship(file, layer, range(UNITS))
    alike = [one.alike for one in found.values()]
    assert alike == sorted(alike, reverse=True) and all(one.alike > one.chance for one in found.values())
    assert all(one.pictures >= FEWEST and one.kind in found for one in found.values())
    asked = kinship(file, layer, (0, 3))
    assert set(asked) == set(found) & {0, 3} and kinship(file, layer, ()) == {}


def test_pictures_of_one_kind_are_alike_and_others_are_not() -> None:
    """Two kinds of three classes each, told by eight units: cosines of 1 within, less than 0 between."""
    of = np.repeat([[1.0, 1, 1, -1, -1, -1]], 8, axis=0) * np.array([1, -1] * 4)[:, None]
    found = _ByClasses(layer=0, of=of.T, products=None, number={10 + place: place for place in range(6)})
    every = found.cosines(np.array([10, 11, 12, 13, 14]))
    inside, between = every[:3, :3], every[:2, 3:]
    assert np.allclose(inside, 1) and np.allclose(between, -1) and by_hand(inside) == pytest.approx(1)


def test_the_unit_itself_does_not_count() -> None:
    """What two pictures have in common by this unit alone makes them no more alike."""
    classes = _ByClasses(layer=4, of=np.array([[9.0, 1.0, 0.0], [9.0, 0.0, 1.0]]), products=None, number={0: 0, 1: 1})
    peaks = _counted({4: np.array([[0, 1], [0, -1], [-1, 1]])})
    both = np.array([[0, 1]])
    for profiles in (classes, peaks):
        assert profiles.cosines(both[0])[0, 1] > 0.4 and profiles.alike(both)[0] > 0.4
        assert profiles.alike(both, (4, [0]))[0] == 0
    assert classes.alike(both, (3, [0]))[0] > 0.9
    assert _counted({4: np.array([[0, 1]])}).alike(both, (4, [0])).tolist() == [0.0]


@pytest.mark.parametrize("many", [False, True])
def test_by_classes_pictures_are_as_alike_as_the_means_of_their_classes(many: bool) -> None:
    """Sets of images, two of one class among them, more than are compared at once: each by hand, one unit left out.

    many: of more classes than are multiplied each with each beforehand.
    """
    random = np.random.default_rng(5)
    of, sets = random.normal(size=(7, 11)), np.stack([random.permutation(9)[:4] for _ in range(2 * SETS + 1)])
    number = {image: image % 7 for image in range(9)}
    products = None if many else of @ of.T
    profiles, units = (
        _ByClasses(layer=3, of=of, products=products, number=number),
        random.integers(0, 11, len(sets)).tolist(),
    )
    for without, left in ((None, [[]] * len(sets)), ((2, units), [[]] * len(sets)), ((3, units), [[u] for u in units])):
        found = profiles.alike(sets, without)
        for images, gone, alike in zip(sets, left, found, strict=True):
            rows = np.delete(of[[number[image] for image in images.tolist()]], gone, axis=1)
            assert alike == pytest.approx(by_hand(by_lengths(rows)))


def test_units_of_one_kind_share_its_name() -> None:
    """The first of a kind names it: units 7 and 2 have pictures of the same kind, unit 5 has others."""
    kinds = _kinds(
        _counted({0: np.array([[0, 1, 2], [3, 4, 5]])}), [(7, 1.0, [0, 1, 2]), (5, 1.0, [3, 4, 5]), (2, 0.9, [1, 2, 0])]
    )
    assert kinds == {7: 7, 5: 5, 2: 7}


def test_by_peaks_pictures_are_as_alike_as_the_sets_of_their_units() -> None:
    """Cosine of two sets of units, of some layers, in which some units have fewer peaks; a unit is left out of all."""
    random = np.random.default_rng(3)
    rows = {layer: np.stack([random.permutation(14)[:5] for _ in range(20)]) for layer in (2, 5)}
    rows[5][::3, 3:] = -1
    profiles = _counted(rows)
    of = {i: {(a, u) for a, row in rows.items() for u, ones in enumerate(row) if i in ones} for i in range(14)}
    assert set(profiles.known) == {image for image, units in of.items() if units}

    def cosine(a: set[tuple[int, int]], b: set[tuple[int, int]]) -> float:
        return len(a & b) / max(len(a) * len(b), 1) ** 0.5

    for layer, unit in ((2, 4), (5, 1), (9, 0), (2, 7)):
        images = [int(image) for image in rows.get(layer, rows[2])[unit] if image >= 0]
        sets = [of[image] - {(layer, unit)} for image in images]
        expected = np.array([[cosine(a, b) for b in sets] for a in sets])
        assert profiles.alike(np.array([images]), (layer, [unit]))[0] == pytest.approx(by_hand(expected))
    assert profiles.alike(np.array([[0, 1, 2], [3, 4, 5]])).shape == (2,)
    every = np.array([[cosine(of[a], of[b]) for b in range(14)] for a in range(14)])
    assert np.allclose(profiles.cosines(np.arange(14)), every)


def test_few_pictures_say_nothing(tmp_path: Path) -> None:
    """Of units with two peaks nothing is told, and nothing of a layer that has none."""
    path = small_atlas(tmp_path / "few.atlas", k=2)
    with AtlasFile(path) as file:
        assert kinship(file, file.layers[1], range(UNITS)) == {}
    with closing(sqlite3.connect(path)) as atlas, atlas:
        atlas.execute("DELETE FROM peak")
    with AtlasFile(path) as file:
        assert kinship(file, file.layers[1], range(UNITS)) == {}
