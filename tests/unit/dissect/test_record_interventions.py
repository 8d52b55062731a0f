"""What interventions found comes back from the atlas as it was; trying again replaces it; early atlases have none."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.core.concepts import (
    ConceptScore,
    Dissection,
    Intervention,
    Interventions,
    LayerDissection,
    LayerInterventions,
    NamesThatStand,
    Necessity,
    Sufficiency,
    UnitConcept,
    UnitInterventions,
)
from layerscope.core.labels import LabelDissection, LabelFigures, LayerLabels, Misfits
from layerscope.dissect import record_dissection, record_interventions, record_labels
from layerscope.dissect.score import figures
from layerscope.facts.standing import at_peaks, peaks_words, standing_of, told
from layerscope.facts.wrapping import Wrapper
from tests.helpers.atlases import small_atlas

TAKES = Necessity(gone=0.9, low=0.8, high=1.0, control=0.1, pictures=20, more=19, untied=20, p=0.001)
GIVES = Sufficiency(reached=0.8, low=0.7, high=0.9, pictures=48, rival="ring", rival_reached=0.4, p=0.002)
WHEEL = Intervention(concept="wheel", level=3, necessity=TAKES, sufficiency=GIVES)
RED = Intervention(concept="red", level=1, necessity=replace(TAKES, gone=0.2), sufficiency=replace(GIVES, p=0.5))
KINDS = (("cat face", 4), ("boat", 3), ("bicycle", 1), ("clock", 1))
UNITS = (
    UnitInterventions(unit=0, tried=(WHEEL, replace(WHEEL, concept="car", part="wheel")), kinds=(("wheel", 9),)),
    UnitInterventions(unit=1, tried=(RED, Intervention(concept="eye", level=3)), kinds=KINDS),
    UnitInterventions(unit=2),
)
STANDING = NamesThatStand(units=3, named=2, judged=2, necessary=1, sufficient=1, both=1, found=1)
FOUND = Interventions(
    layers=(LayerInterventions(layer="features.4", units=UNITS, standing=STANDING, baselines={"again": STANDING}),),
    pictures=60,
    drawn=500,
    settings={"each": 48},
    fixed={"corner": "is the border of something else"},
    absent=("door",),
)

NO_LABELS = LabelFigures(units=0, dead=0, named=0, compounds=0, distinct=0, median_auc=None)


def scored(concept: str) -> ConceptScore:
    return ConceptScore(concept=concept, level=3, score=0.2, iou=0.3, frequency=0.01)


@pytest.fixture
def path(tmp_path):
    return small_atlas(tmp_path / "a.atlas", units=3)


def test_interventions_come_back(path):
    """Units, numbers, kinds, standings and settings are equal after writing and reading; trying again replaces them."""
    record_interventions(path, FOUND)
    with AtlasFile(path) as file:
        assert file.interventions() == FOUND
    newer = replace(FOUND, layers=(replace(FOUND.layers[0], units=(UNITS[1], UNITS[2], UNITS[2])),))
    newer = replace(newer, layers=(replace(newer.layers[0], units=tuple(
        replace(unit, unit=number) for number, unit in enumerate(newer.layers[0].units))),))  # fmt: skip
    record_interventions(path, newer)
    with AtlasFile(path) as file:
        assert file.interventions() == newer


def test_an_early_atlas_has_none(path):
    """Without the tables nothing is told; trying adds them."""
    with closing(sqlite3.connect(path)) as atlas:
        atlas.executescript("DROP TABLE intervention; DROP TABLE peak_kind")
    with AtlasFile(path) as file:
        assert file.interventions() is None
        assert standing_of(file, "features.4", 0, scored("wheel")) is None
    record_interventions(path, FOUND)
    with AtlasFile(path) as file:
        assert file.interventions() == FOUND


def test_a_name_says_what_it_passed():
    """Which tests, with the numbers; a doubtful name gives way to the kinds at its peaks."""
    fixed = FOUND.fixed
    stands = told(UNITS[0], scored("wheel"), fixed)
    assert (stands.verdict, stands.kinds) == ("necessary and sufficient", "")
    assert "90 % of the activation goes" in stands.sentence and "ring 40 %" in stands.sentence
    assert told(UNITS[0], scored("car"), fixed).verdict == "through its wheel"
    doubtful = told(UNITS[1], scored("red"), fixed)
    assert doubtful.verdict == "seen together"
    assert doubtful.short == "cat face 4, boat 3, bicycle 1, clock 1 of nine"
    assert told(UNITS[2], scored("corner"), fixed).verdict == "judged by overlap alone"
    assert told(UNITS[2], scored("eye"), fixed).verdict == "not tried"


def test_what_peaks_show_takes_a_doubtful_name_s_place():
    """Where it is another kind or several; not for a colour, nor for a name that stands, or is that of the one kind."""
    assert peaks_words((("ground", 5), ("boat", 4))) == "boat 4, ground 5 of nine"
    many = tuple((kind, 1) for kind in "abcdefghi")
    assert peaks_words(many, most=4) == "a 1, b 1, c 1, d 1, others 5 of nine" and peaks_words(()) == ""

    def kinds(one: Intervention, *shown: tuple[str, int], level: int = 2) -> str:
        return told(
            UnitInterventions(unit=0, tried=(one,), kinds=shown), replace(scored(one.concept), level=level), {}
        ).kinds

    half = replace(WHEEL, sufficiency=replace(GIVES, p=1.0))
    assert kinds(half, ("boat", 9)) == "boat 9 of nine" and kinds(half, ("wheel", 8), ("boat", 1)) != ""
    assert kinds(half, ("wheel", 9)) == kinds(half) == kinds(half, ("boat", 9), level=1) == ""
    assert kinds(replace(half, necessity=None), ("boat", 9)) == ""
    assert kinds(WHEEL, ("boat", 9)) == kinds(replace(WHEEL, part="ring"), ("boat", 9)) == ""


def named(*concepts: str) -> Dissection:
    units = tuple(
        UnitConcept(unit=unit, ranked=(scored(name),), best=scored(name)) for unit, name in enumerate(concepts)
    )
    layer = LayerDissection(layer="features.4", units=units, figures=figures(units), bau=figures(units, bau=True))
    return Dissection(layers=(layer,), images=9, settings={"seed": 0})


def test_interventions_go_with_the_names_that_they_tried(path):
    """Other names, or names of another measurement, leave none; the same ones, found again, do."""
    assert not record_dissection(path, named("wheel", "red", "eye"))
    record_interventions(path, FOUND)
    assert not record_dissection(path, named("wheel", "red", "eye"))
    with AtlasFile(path) as file:
        assert file.interventions() == FOUND
    for other in (named("ring", "red", "eye"), replace(named("ring", "red", "eye"), images=8)):
        record_interventions(path, FOUND)
        assert record_dissection(path, other)
        with AtlasFile(path) as file:
            assert (file.interventions(), file.dissection()) == (None, other)
    with closing(sqlite3.connect(path)) as atlas:
        assert atlas.execute("SELECT count(*) FROM intervention, peak_kind").fetchone() == (0,)


def test_nothing_stays_of_layers_that_are_left_out_now(path):
    """Concepts, interventions and labels of a layer go when what is kept next is of other layers alone."""
    elsewhere = LayerLabels(layer="features.1", units=(), figures=NO_LABELS, shuffled=NO_LABELS, margin=1.0)
    here, about = replace(elsewhere, layer="features.4"), {"images": 9, "labels": 2, "settings": {}}
    none = Misfits(images=(), judged=0, planted=0, found=None)
    record_dissection(path, named("wheel", "red", "eye"))
    record_interventions(path, FOUND)
    record_labels(path, LabelDissection(layers=(here,), misfits=none, **about))
    first = named("ring")
    record_dissection(path, replace(first, layers=(replace(first.layers[0], layer="features.1"),)))
    record_interventions(path, replace(FOUND, layers=(replace(FOUND.layers[0], layer="features.1"),)))
    record_labels(path, LabelDissection(layers=(elsewhere,), misfits=none, **about))
    with AtlasFile(path) as file:
        left, tried = file.dissection(), file.interventions()
        assert left and [layer.layer for layer in left.layers] == ["features.1"]
        assert tried and [layer.layer for layer in tried.layers] == ["features.1"]
        layers = [file.layer(name).id for name in ("features.1", "features.4")]
        assert [file.statistic("labels", layer) is None for layer in layers] == [False, True]


def test_a_layers_names_are_told_by_one_reading(path):
    """Not by one for each of its units: of hundreds of units that took longer than trying their names."""
    record_interventions(path, FOUND)
    read = []
    with AtlasFile(path) as file:

        class Counting(Wrapper):
            def interventions(self):
                read.append(1)
                return file.interventions()

            def concepts(self, layer_id):
                ranked = (scored("red"),)
                return tuple(UnitConcept(unit=unit, best=ranked[0], ranked=ranked, bau=None) for unit in range(3))

        assert at_peaks(Counting(file), file.layer("features.4"))
    assert len(read) == 1
