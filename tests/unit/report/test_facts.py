"""Facts are the atlas's and the dissections' own figures; nothing is added, and as JSON they are the same."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.report.facts import BEST, facts_of
from tests.helpers.atlases import small_atlas
from tests.helpers.facts import LEVELS, dissection, unit_concept

LAYERS = ["features.1", "features.4"]


def test_layers_come_in_order_with_what_the_atlas_knows_of_them(file, facts):
    """Name, place, units, receptive field and its share of the picture; images scanned, no copy or skipped one."""
    assert [(layer.name, layer.place) for layer in facts.layers] == list(zip(LAYERS, (1, 2), strict=True))
    for layer in facts.layers:
        record = file.layer(layer.name).record
        assert (layer.units, layer.field) == (record.units, record.field.rows.size)
        assert layer.share == record.field.rows.size / file.run.input.height
    assert facts.images == len(file.images()) - 2
    assert (facts.network, facts.source) == (file.run.network, file.run.images)


def test_figures_are_the_dissections(facts, dissections):
    """The atlas's own, every baseline, and those of each further training."""
    for place, layer in enumerate(facts.layers):
        own = dissections[0].layers[place]
        assert (layer.figures, layer.bau) == (own.figures, own.bau)
        assert layer.trainings == tuple(one.layers[place].figures for one in dissections)
        assert layer.baselines == {name: measured.figures for name, measured in own.baselines.items()}
    assert (facts.trainings, facts.dissected) == (2, dissections[0].images)
    assert facts.baselines == ("shuffled masks", "random mixtures", "untrained network")


def test_specificity_is_the_atlas_s(file, facts):
    """Its median, for each method that the layer has projections by."""
    for layer in facts.layers:
        stored = {m: file.statistic("specificity", file.layer(layer.name).id, m) for m in file.run.methods}
        assert layer.specificity == {method: value["median"] for method, value in stored.items()}


def test_a_layer_without_projections_has_no_specificity(file):
    """Nothing is said where nothing was measured."""
    units = [unit_concept(unit, None) for unit in range(12)]
    (layer,) = facts_of(file, [dissection({"classifier.1": units})]).layers
    assert layer.specificity == {}
    assert layer.share == 1.0


@given(st.lists(st.tuples(st.sampled_from([None, *LEVELS]), st.floats(0.04, 0.9)), min_size=12, max_size=12))
def test_best_units_and_counts_of_concepts(atlas, named):
    """The best are named units of different concepts, best first, each the best of its concept; the counts of
    concepts add up to the detectors, the most frequent first."""
    units = [unit_concept(unit, concept, score) for unit, (concept, score) in enumerate(named)]
    (layer,) = facts_of(atlas, [dissection({"features.1": units})]).layers
    concepts = [concept for concept, _ in named if concept is not None]
    assert len(layer.best) == min(len(set(concepts)), BEST)
    assert [unit.concept for unit in layer.best] == list(dict.fromkeys(unit.concept for unit in layer.best))
    assert [unit.score for unit in layer.best] == sorted((unit.score for unit in layer.best), reverse=True)
    for unit in layer.best:
        assert unit.score == max(score for concept, score in named if concept == unit.concept)
        assert layer.named(unit.unit) == unit
    assert layer.concepts == {concept: concepts.count(concept) for concept in set(concepts)}
    assert list(layer.concepts.values()) == sorted(layer.concepts.values(), reverse=True)


def test_json_holds_the_same_figures(facts):
    """For each layer, in order: its name and figures at the top, best units with concept and score, the baselines."""
    data = json.loads(json.dumps(facts.as_json()))
    assert [layer["name"] for layer in data["layers"]] == LAYERS
    for plain, layer in zip(data["layers"], facts.layers, strict=True):
        for name in ("units", "dead", "detectors", "distinct_concepts", "mean_concept_level", "median_score"):
            assert plain[name] == getattr(layer.figures, name)
        assert {int(level): count for level, count in plain["levels"].items()} == layer.figures.levels
        assert [(u["unit"], u["concept"], u["score"]) for u in plain["best_units"]] == [
            (unit.unit, unit.concept, unit.score) for unit in layer.best
        ]
        assert {name: one["detectors"] for name, one in plain["baselines"].items()} == {
            name: figures.detectors for name, figures in layer.baselines.items()
        }
        assert [one["detectors"] for one in plain["trainings"]] == [figures.detectors for figures in layer.trainings]
    assert (data["images"], data["dissected_images"]) == (facts.images, facts.dissected)


def test_the_report_knows_no_torch():
    """Facts, sentences and page can be made where PyTorch is not in memory."""
    code = "import sys, layerscope.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    """An atlas that is only read, for the examples that are drawn."""
    from layerscope.atlas.read import AtlasFile

    with AtlasFile(small_atlas(tmp_path_factory.mktemp("facts") / "small.atlas", images=12)) as opened:
        yield opened
