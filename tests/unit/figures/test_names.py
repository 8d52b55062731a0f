"""Where an atlas was dissected, figures and `layerscope show` say what a unit detects; elsewhere nothing of it."""

import json

import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.cli import main
from layerscope.core.concepts import ConceptScore, Dissection, LayerDissection, Note, UnitConcept
from layerscope.dissect import record_dissection, record_notes
from layerscope.dissect.score import figures
from layerscope.figures import overview, plate, unit_page
from layerscope.figures.words import NAMES_MEANING, PEAKS_MEANING
from tests.helpers.atlases import small_atlas
from tests.helpers.books import named_atlas

DOG = ConceptScore(concept="dog", level=None, category="animal", score=0.31, iou=0.35, frequency=0.1)
BARE = ConceptScore(concept="dog", level=None, score=0.31, iou=0.35, frequency=0.1)
WHEEL = ConceptScore(concept="wheel", level=3, score=0.31, iou=0.35, frequency=0.1)
UNITS = (UnitConcept(unit=0, ranked=(WHEEL,), best=WHEEL), UnitConcept(unit=1, ranked=(WHEEL,)), UnitConcept(unit=2))


@pytest.fixture
def path(tmp_path):
    path = small_atlas(tmp_path / "a.atlas", units=3)
    counts = figures(UNITS)
    layer = LayerDissection(layer="features.4", units=UNITS, figures=counts, bau=counts)
    record_dissection(path, Dissection(layers=(layer,), images=9, settings={}))
    record_notes(path, [Note(layer="features.4", unit=0, kind="describe", text="Responds to rings.")])
    return path


def test_plates_and_overviews_name_units_and_say_whence(path):
    """Only the unit that a concept names, and only in the layer that was dissected."""
    with AtlasFile(path) as file:
        sheet = plate(file, "features.4", units=[0, 1])
        assert [panel.heading for panel in sheet.panels] == ["unit 0: wheel", "unit 1"]
        assert NAMES_MEANING in sheet.caption and NAMES_MEANING in overview(file).caption
        for other in (plate(file, "features.4", units=[1]), plate(file, "features.1", units=[0])):
            assert ":" not in other.panels[0].heading and NAMES_MEANING not in other.caption


def test_a_doubtful_name_gives_way_to_what_the_peaks_show(tmp_path, capsys):
    """On plates, on the unit's page and in the table of units; a name that stands stays."""
    path = named_atlas(tmp_path / "named.atlas")
    with AtlasFile(path) as file:
        concept, other = (file.concepts(0)[unit].best.concept for unit in (0, 2))
        sheet = plate(file, "features.1", units=[0, 2])
        doubtful, stands = (unit_page(file, "features.1", unit).caption for unit in (0, 2))
    kinds = "boat 6, ground 3 of nine"
    assert [panel.heading for panel in sheet.panels] == [f"unit 0: {kinds}", f"unit 2: {other}"]
    assert PEAKS_MEANING in sheet.caption
    assert doubtful.startswith(f"At its peaks: {kinds} (by overlap {concept}, level 2")
    assert stands.startswith(f"Closest concept: {other} (level 2") and "; necessary and sufficient)" in stands
    assert main(["show", str(path), "features.1"]) == 0
    assert kinds in capsys.readouterr().out


def test_a_units_page_tells_what_was_found(path):
    """The concept with its numbers and the note; or that none was found; or nothing."""
    with AtlasFile(path) as file:
        named, nameless, other = (
            unit_page(file, *key).caption for key in (("features.4", 0), ("features.4", 1), ("features.1", 0))
        )
    assert named.startswith("Closest concept: wheel (level 3, score 0.31, IoU 0.35). Responds to rings. ")
    assert nameless.startswith("No concept comes close. ")
    assert "oncept found" not in other


def test_what_a_concept_is_listed_under():
    """A drawn one by its level, one of photographs by its category, if it has any."""
    assert [one.kind for one in (WHEEL, DOG, BARE)] == ["level 3", "animal", ""]


def test_show_prints_the_concept(path, capsys):
    """In the table of units, of one unit, and as JSON; no column for a layer that was not dissected."""
    assert main(["show", str(path), "features.4"]) == 0
    assert "concept" in (text := capsys.readouterr().out) and "wheel" in text
    assert main(["show", str(path), "features.1"]) == 0
    assert "concept" not in capsys.readouterr().out
    assert main(["show", str(path), "features.4", "0", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["concept"]["concept"] == "wheel" and said["note"] == "Responds to rings."
