"""Each sentence is true of the figures that it is made from, in good English whatever their number is."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.atlas.retention import retention_of
from layerscope.facts.standing import NameStanding
from layerscope.report import sentences
from layerscope.report.facts import UnitFacts
from tests.helpers.atlases import retained
from tests.helpers.facts import counts, layer_facts, run_facts

BASELINES = ("shuffled masks", "random mixtures", "untrained network")
LEVELS = st.dictionaries(st.integers(1, 5), st.integers(1, 40), max_size=5)


def run_with(*trainings: list[dict[int, int]], **baselines: list[dict[int, int]]):
    """A run of several trainings: for each the levels of each layer's detectors. baselines: likewise, by name."""
    names = {name.replace("_", " "): levels for name, levels in baselines.items()}
    return run_facts(
        *(
            layer_facts(
                place + 1,
                *(counts(levels[place], units=64) for levels in trainings),
                baselines={name: counts(levels[place], units=64) for name, levels in names.items()},
            )
            for place in range(len(trainings[0]))
        )
    )


def test_a_rise_is_said_with_its_ends():
    """First layer to last, as they are."""
    said = sentences.of_run(run_with([{1: 4}, {1: 1, 2: 1}, {5: 3, 4: 1}]))
    assert said == ["From layer 1 to layer 3 the mean concept level rises: 1.00 to 4.75."]


def test_a_level_that_does_not_rise_is_said_so():
    """Equal ends, and falling ones, are no rise."""
    assert "does not rise: 2.00 to 2.00." in sentences.of_run(run_with([{2: 1}, {2: 5}]))[0]
    said = sentences.of_run(run_with([{3: 1}, {1: 5}]))
    assert "does not rise: 3.00 to 1.00." in said[0]
    assert said[1] == "Exception: from layer 1 to layer 2 the mean level falls, 3.00 to 1.00."


def test_trainings_are_counted_one_by_one():
    """How many rise, of how many; the exception names its training."""
    said = sentences.of_run(run_with([{1: 1}, {5: 1}], [{1: 1}, {4: 1}], [{3: 1}, {2: 1}]))
    assert said[0].endswith("rises in 2 of 3 trainings: 1.00 to 5.00, 1.00 to 4.00 and 3.00 to 2.00.")
    assert said[1:] == ["Exception: from layer 1 to layer 2 the mean level falls in training 3, 3.00 to 2.00."]


def test_a_layer_that_names_nothing_has_no_level():
    """No number is made up for it: at an end nothing is said of a rise, in between the fall is from layer to layer."""
    (said,) = sentences.of_run(run_with([{}, {5: 1}]))
    assert "one of them names no unit" in said and not re.search(r"\d\.\d", said)
    said = sentences.of_run(run_with([{3: 1}, {}, {1: 1}]))
    assert said[1] == "Exception: from layer 1 to layer 3 the mean level falls, 3.00 to 1.00."


@pytest.mark.parametrize(
    ("name", "levels", "sentence"),
    [
        (
            "shuffled masks",
            [{3: 1}, {}],
            "With shuffled masks 1 unit is named, against 9 units of the trained network.",
        ),
        ("shuffled masks", [{}, {}], "With shuffled masks 0 units are named, against 9 units of the trained network."),
        (
            "random mixtures",
            [{1: 2}, {2: 2}],
            "With random mixtures in place of units 4 mixtures are named, against 9 units of the trained network; "
            "their mean level goes from 1.00 to 2.00.",
        ),
        (
            "untrained network",
            [{1: 1}, {1: 1}],
            "In the untrained network 2 units are named, against 9 units of the trained network; their mean level goes "
            "from 1.00 to 1.00.",
        ),
    ],
)
def test_a_baseline_is_compared_in_good_english(name, levels, sentence):
    """Singular and plural, and no level where none is named."""
    said = sentences.of_run(run_with([{1: 4}, {5: 5}], **{name.replace(" ", "_"): levels}))
    assert said[1] == sentence
    assert len(said) == 2


def test_a_baseline_that_names_as_many_units_is_an_exception():
    """As many counts, fewer does not, and nothing against nothing is no news."""
    levels = [{1: 4}, {1: 3}, {}]
    said = sentences.of_run(run_with([{1: 4}, {1: 4}, {}], untrained_network=levels, random_mixtures=levels))
    assert [s for s in said if s.startswith("Exception")] == [
        "Exception: in layer 1, in the untrained network 4 units are named, no fewer than the trained network's 4.",
        "Exception: in layer 1, with random mixtures in place of units 4 mixtures are named, no fewer than the trained "
        "network's 4.",
    ]


@given(st.lists(st.tuples(LEVELS, LEVELS, LEVELS), min_size=2, max_size=5))
def test_exceptions_are_exactly_what_they_say(layers):
    """Every fall from a layer with a level to the next such one is said, in the training where it happens; and every
    layer in which a baseline names as many units."""
    first, second, baseline = (list(levels) for levels in zip(*layers, strict=True))
    facts = run_with(first, second, untrained_network=baseline)
    said = [s for s in sentences.of_run(facts) if s.startswith("Exception")]
    falls = 0
    for training in (0, 1):
        means = [layer.trainings[training].mean_concept_level for layer in facts.layers]
        known = [mean for mean in means if mean is not None]
        falls += sum(b < a for a, b in pairwise(known))
    assert sum("the mean level falls in training" in s for s in said) == falls
    equalled = [n + 1 for n, (own, _, other) in enumerate(layers) if sum(other.values()) >= max(sum(own.values()), 1)]
    assert [int(re.findall(r"in layer (\d)", s)[0]) for s in said if "no fewer" in s] == equalled


@given(LEVELS, st.integers(0, 3))
def test_a_layer_is_told_with_its_own_numbers(levels, dead):
    """Field, units, detectors, each level's count, and the units that were never active: all of them the layer's."""
    layer = layer_facts(2, counts(levels, units=90 + dead, dead=dead))
    text = " ".join(sentences.of_layer(layer))
    own = layer.figures
    assert "15 × 15 px, 23 % of the picture's side" in text
    assert f"{own.detectors or 'None'} of {own.units} units" in text
    for level, count in levels.items():
        assert f"{sentences.LEVELS[level]} ({count})" in text
    assert (f"{own.mean_concept_level:.2f}" if levels else "None of") in text
    assert ("never above zero" in text) == (dead > 0)
    assert "None" not in text.replace("None of", "")


def test_one_is_singular():
    """One unit was found; one unit was never above zero."""
    lines = sentences.of_layer(layer_facts(1, counts({1: 1}, units=2, dead=1)))
    assert any(s.startswith("1 of 2 units was found to detect a concept: edges and colours (1);") for s in lines)
    assert lines[-1] == "1 unit was never above zero."
    assert sentences.of_layer(layer_facts(1, counts({1: 2}, units=4, dead=2)))[-1] == "2 units were never above zero."


def test_many_concepts_are_cut_to_the_most_frequent():
    """Six are listed, said so; few are listed all."""
    many = {f"concept {n}": 9 - n for n in range(8)}
    lines = sentences.of_layer(layer_facts(1, counts({1: 44}), concepts=many))
    assert lines[-1].startswith("Most often: concept 0 (9), ") and lines[-1].endswith("and concept 5 (4).")
    assert sentences.of_layer(layer_facts(1, counts({1: 3}), concepts={"red": 3}))[-1] == "The concepts: red (3)."


def test_a_unit_is_called_by_its_concept_or_by_none():
    """With level and score; a unit without one says so."""
    ring = UnitFacts(unit=7, concept="ring", level=2, score=0.314)
    assert sentences.of_unit(ring) == "unit 7: ring (level 2, score 0.31)"
    assert sentences.of_unit(UnitFacts(unit=7)) == "unit 7: no concept comes close"
    stands = NameStanding(verdict="necessary", sentence="Necessary: ...")
    assert sentences.of_unit(replace(ring, standing=stands)) == "unit 7: ring (level 2, score 0.31), necessary"
    doubtful = replace(ring, standing=replace(stands, kinds="cat face 4, boat 3 of seven"))
    assert sentences.of_unit(doubtful) == "unit 7: cat face 4, boat 3 of seven (by overlap ring, level 2, score 0.31)"


def test_specificity_is_said_for_each_method():
    """... and nothing where nothing was measured."""
    layer = replace(layer_facts(1, counts({1: 1})), specificity={"deconvnet": 0.95, "guided": 0.5})
    assert sentences.of_trust(layer) == "Specificity of the projections: 0.95 (deconvnet) and 0.50 (guided)."
    assert sentences.of_trust(replace(layer, specificity={})) == ""


def test_what_is_kept_is_said_in_its_place():
    """For each method, beside what edges and random px keep."""
    kept = {method: retention_of(retained(share)) for method, share in (("deconvnet", 0.6), ("guided", 0.8))}
    layer = replace(layer_facts(1, counts({1: 1})), retention=kept)
    assert sentences.of_trust(layer) == (
        "The 15 % of a field that a projection marks most keep 60 % (deconvnet) and 80 % (guided) of the activation; "
        "15 % on edges keep 30 %, 15 % at random 10 %."
    )


@given(st.lists(st.text("ab", min_size=1), min_size=1, max_size=5))
def test_a_list_reads_as_people_write_it(words):
    """Commas, and one "and" before the last of several."""
    text = sentences.listed(words)
    assert text.count(" and ") == (len(words) > 1)
    assert re.split(r", | and ", text) == words
