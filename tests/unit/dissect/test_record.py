"""What a dissection found comes back from the atlas as it was; dissecting again replaces it."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

import layerscope as ls
from layerscope.atlas.read import AtlasFile
from layerscope.core.concepts import ConceptScore, Dissection, LayerDissection, LayerFigures, UnitConcept
from layerscope.core.errors import UsageError
from layerscope.dissect import record_dissection
from layerscope.dissect.score import figures
from tests.helpers.atlases import small_atlas


def scored(concept: str, level: int, score: float) -> ConceptScore:
    return ConceptScore(concept=concept, level=level, score=score, iou=score + 0.1, frequency=0.125)


UNITS = (
    UnitConcept(unit=0, ranked=(scored("wheel", 3, 0.5), scored("ring", 2, 0.1)), best=scored("wheel", 3, 0.5)),
    UnitConcept(unit=1, ranked=(scored("red", 1, 0.01),), bau=scored("eye", 3, 0.05)),
    UnitConcept(unit=2),
)


def found() -> Dissection:
    measured = LayerFigures(figures=figures(UNITS[1:]), bau=figures(UNITS[1:], bau=True))
    layer = LayerDissection(
        layer="features.4",
        units=UNITS,
        figures=figures(UNITS),
        bau=figures(UNITS, bau=True),
        baselines={"shuffled masks": measured},
    )
    return Dissection(layers=(layer,), images=9, settings={"seed": 0, "bar": 0.04}, left_out=("x is left out",))


@pytest.fixture
def path(tmp_path):
    path = small_atlas(tmp_path / "a.atlas", units=3)
    record_dissection(path, found())
    return path


def test_a_dissection_comes_back(path):
    """Units, ranks, names, figures, baselines and settings are equal after writing and reading."""
    with AtlasFile(path) as file:
        assert file.dissection() == found()
        assert file.concepts(file.layer("features.4").id) == UNITS
        assert file.concepts(file.layer("features.1").id) == ()


PHOTOGRAPHED = ConceptScore(concept="dog", level=None, category="animal", score=0.5, iou=0.6, frequency=0.1)
BARE = replace(PHOTOGRAPHED, concept="car", category="", score=0.1)


def test_concepts_of_photographs_come_back(path):
    """With their category and without a level, in place of drawn ones, also in an atlas that lacks their table."""
    units = (UnitConcept(unit=0, ranked=(PHOTOGRAPHED, BARE), best=PHOTOGRAPHED, bau=BARE), *UNITS[1:])
    newer = replace(found(), layers=(replace(found().layers[0], units=units, figures=figures(units)),))
    assert newer.layers[0].figures.categories == {"animal": 1}
    assert newer.layers[0].figures.mean_concept_level is None
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE concept_category")
    with ls.open(path) as atlas:
        early = atlas.to_frame("concepts")
        assert atlas.file.dissection() == found()
        assert early["level"].tolist() == [3, 2, 1, 3] and set(early["category"]) == {""}
    record_dissection(path, newer)
    with ls.open(path) as atlas:
        assert atlas.file.dissection() == newer
        frame = atlas.to_frame("concepts")
        assert list(frame.columns) == list(early.columns)
        assert frame["category"].tolist() == ["animal", "", "", "", ""]
        assert frame["level"].isna().tolist() == [True, True, True, False, False]
    record_dissection(path, found())
    with ls.open(path) as atlas:
        assert atlas.file.dissection() == found() and set(atlas.to_frame("concepts")["category"]) == {""}


def test_dissecting_again_replaces(path):
    """Nothing of an older dissection stays."""
    newer = replace(found(), layers=(replace(found().layers[0], units=(UNITS[0], UnitConcept(unit=1), UNITS[2])),))
    record_dissection(path, newer)
    with AtlasFile(path) as file:
        assert file.dissection() == newer


def test_users_see_it(path):
    """Units have a concept or none; the table names what ranks where, and by which measure."""
    with ls.open(path) as atlas:
        layer = atlas["features.4"]
        assert layer[0].concept == UNITS[0].best
        assert layer[1].concept is None and layer[2].concept is None
        assert atlas["features.1"][0].concept is None
        frame = atlas.to_frame("concepts")
    assert frame["concept"].tolist() == ["wheel", "ring", "red", "eye"]
    assert frame["measure"].tolist() == ["above chance", "above chance", "above chance", "bau"]
    assert frame["named"].tolist() == [1, 0, 0, 1]


def test_an_atlas_without_a_dissection(tmp_path):
    """Before the first dissection there is none, and its table is empty; a mistyped table is answered by its name."""
    path = small_atlas(tmp_path / "b.atlas", units=3)
    with ls.open(path) as atlas:
        assert atlas.file.dissection() is None
        assert len(atlas.to_frame("concepts")) == 0
        with pytest.raises(UsageError, match="concepts"):
            atlas.to_frame("concept")
