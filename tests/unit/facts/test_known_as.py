"""What units are known as: concepts in words with how many units each names, doubtful ones left out; classes."""

from dataclasses import replace

import numpy as np
import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.words import WORDS
from layerscope.atlas.write import AtlasWriter
from layerscope.core.words import UnitWords, WordScore
from layerscope.facts.known_as import favourites, known_as, naming_concepts
from layerscope.facts.layer import guesses
from layerscope.facts.standing import names_shown
from tests.helpers.atlases import CLASSES, small_atlas
from tests.helpers.books import full_atlas, named_atlas


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("known")


def test_concepts_are_counted(folder):
    """By how many units they name, most first, then by name; together they are the layer's named units."""
    with AtlasFile(full_atlas(folder / "full.atlas")) as file:
        layer = file.layers[0]
        named = guesses(file.concepts(layer.id))
        found = naming_concepts(file, layer)
        for one in found:
            assert one.units == sum(best.concept == one.concept for best in named.values()) > 0
        assert sum(one.units for one in found) == len(named)
        assert [(-one.units, one.concept) for one in found] == sorted((-one.units, one.concept) for one in found)
        assert naming_concepts(file, file.layers[2]) == ()


def test_a_doubtful_name_does_not_count(folder):
    """Of the atlas whose unit 0 did not stand, that unit is known by what its peaks show."""
    with AtlasFile(named_atlas(folder / "named.atlas")) as file:
        layer = file.layers[0]
        best = guesses(file.concepts(layer.id))
        counted = sum(one.units for one in naming_concepts(file, layer))
        assert names_shown(file, layer)[0] == "boat 6, ground 3 of nine"
        assert counted == len(best) - 1
        assert names_shown(file, layer)[2] == best[2].concept


def test_runners_up_are_the_others(folder):
    """Of a named unit the two others of the three that rank, of one without a name all three."""
    with AtlasFile(full_atlas(folder / "ranked.atlas")) as file:
        concepts = file.concepts(0)
        for unit in (0, 1):
            ranked, best = concepts[unit].ranked, concepts[unit].best
            assert concepts[unit].runners_up == tuple(one for one in ranked if one is not best)
        assert len(concepts[0].runners_up) == 2


def test_favourites_are_the_classes_above_the_mean(folder):
    """By hand: of each unit the classes whose mean lies above that over all images, best first, three at most."""
    with AtlasFile(small_atlas(folder / "small.atlas")) as file:
        layer, counts = file.layers[1], np.array(file.statistic("class_counts"), float)
        means = file.unit_statistics(layer.id).class_means
        found = favourites(file, layer)
        for unit, row in enumerate(means.tolist()):
            overall = sum(mean * count for mean, count in zip(row, counts, strict=True)) / counts.sum()
            best = sorted(zip(row, CLASSES, strict=True), reverse=True)
            assert found.get(unit, ()) == tuple(name for mean, name in best if mean > overall)[:3]
        assert len(means) - 1 not in found
        assert known_as(file, layer)[0] == f"fires most for {', '.join(found[0])}"
        for asked in ([3], [5, 0], [], [len(means) + 7]):
            assert favourites(file, layer, asked) == {unit: found[unit] for unit in asked if unit in found}


def test_units_are_known_by_the_first_thing_that_is_known(folder):
    """What peaks show in place of a doubtful concept, a concept, then a label, then a word, then classes; of the units
    that are asked for the same as of all."""
    path = named_atlas(folder / "called.atlas")
    word = WordScore(word="kettle", share=0.1, auc=0.9, z=8.0, p=1e-9, images=10)
    with AtlasWriter.resume(path) as writer:
        concepts = {one.unit: one for one in writer.concepts(0)}
        writer.put_concepts(0, (replace(one, best=None) if one.unit in (2, 4) else one for one in concepts.values()))
        writer.put_statistic(WORDS, {"figures": {"units": 12}}, layer=0)
        writer.put_words(0, (UnitWords(unit=unit, ranked=(word,), best=word) for unit in (2, 4, 6)))
    with AtlasFile(path) as file:
        layer, last = file.layers[0], file.layers[2]
        found, classes = known_as(file, layer), favourites(file, layer)
        assert found[0] == "boat 6, ground 3 of nine"
        assert (found[2], found[4], found[6]) == ("disc", "kettle", concepts[6].best.concept)
        assert found[1] == f"fires most for {', '.join(classes[1])}"
        only = known_as(file, last)
        assert only and all(name.startswith("fires most for ") for name in only.values())
        for unit in range(layer.record.units):
            assert known_as(file, layer, [unit]) == {u: name for u, name in found.items() if u == unit}
