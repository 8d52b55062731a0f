"""A word leads to all units that are known by it, whole names first; the command line and Python find the same."""

import json

import pytest

import layerscope as ls
from layerscope.atlas.labels import LABELS, layer_data
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.write import AtlasWriter
from layerscope.cli import main
from layerscope.core.labels import LABEL_FORM, OR_FORM, LabelScore, LayerLabels, UnitLabels
from layerscope.dissect.labels import figures
from layerscope.facts.finding import find
from layerscope.viewer.pages.search import MOST_UNITS, answers
from layerscope.viewer.shelf import Shelf
from tests.helpers.books import full_atlas, named_atlas
from tests.helpers.wide import wide_atlas


def scored(label: str, form: str = LABEL_FORM) -> LabelScore:
    return LabelScore(label=label, form=form, level=1, auc=0.875, z=6.0, p=1e-6, images=9)


UNITS = (
    UnitLabels(unit=0, ranked=(scored("Ring road"),), best=scored("Ring road")),
    UnitLabels(unit=1, ranked=(scored("car"), scored("bus")), best=scored("car or ring", OR_FORM)),
    UnitLabels(unit=2, ranked=(scored("car"),)),
    UnitLabels(unit=3),
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    made = full_atlas(tmp_path_factory.mktemp("find") / "full.atlas", units=4, images=12)
    said = LayerLabels(layer="features.4", units=UNITS, figures=figures(UNITS), shuffled=figures(()), margin=1.0)
    with AtlasWriter.resume(made) as writer:
        number = {layer.name: layer.id for layer in writer.layers()}["features.4"]
        writer.put_labels(number, UNITS)
        writer.put_statistic(LABELS, layer_data(said), layer=number)
    return made


def test_every_kind_of_name_is_found(path):
    """Concepts, labels and compounds, classes and notes, in any case; whole names first, then by kind and score."""
    with AtlasFile(path) as file:
        found = find(file, "  RING ")
        kinds = [one.kind for one in found]
        assert {"concept", "label", "class"} <= set(kinds)
        whole = [one.name.casefold() == "ring" for one in found]
        assert whole == sorted(whole, reverse=True)
        assert [one.name for one in found if one.kind == "label"] == ["Ring road", "car or ring"]
        assert {one.kind for one in find(file, "responds TO")} == {"note"}
        named = [(one.layer.name, one.unit) for one in find(file, "disc") if one.kind == "concept"]
        slow = [
            (layer.name, one.unit)
            for layer in file.layers
            for one in file.concepts(layer.id)
            if one.best is not None and one.best.concept == "disc"
        ]
        assert sorted(named) == sorted(slow)


def test_python_the_shell_and_the_viewer_find_the_same(path, command):
    """In the same order; the viewer leads to each unit once."""
    with ls.open(path) as atlas:
        found = atlas.find("ring")
        assert found == ls.find(path, "ring")
    status, out, _ = command("find", path, "ring", "--json")
    assert status == 0
    assert [(one["layer"], one["unit"], one["name"]) for one in json.loads(out)["found"]] == [
        (one.layer, one.unit, one.name) for one in found
    ]
    shelf = Shelf([path])
    groups = {group.title: group for group in answers(shelf.book("full"), "ring")}
    led = [(one.layer.name, one.unit) for one in groups["Units"].answers]
    shelf.close()
    assert led == list(dict.fromkeys((one.layer, one.unit) for one in found))[:MOST_UNITS]


def test_what_is_found_nowhere_is_a_sentence(path, command):
    """With near names, status 1, and nothing on stdout."""
    status, out, err = command("find", path, "rinx")
    assert (status, out) == (1, "")
    assert "no unit of" in err and 'known by "rinx"; did you mean ring' in err and len(err.splitlines()) == 1


def test_labels_come_back_from_the_atlas(path):
    """Units, ranks, compounds and names; of a layer that was not labelled none."""
    with ls.open(path) as atlas:
        assert atlas["features.4"].labels == UNITS
        assert atlas["features.1"].labels == ()
        assert atlas["features.4"][1].label == UNITS[1].best and atlas["features.1"][1].label is None
        assert len(atlas.to_frame("labels")) == 1 + 3 + 1


def test_a_doubtful_concept_is_told_by_what_the_peaks_show(tmp_path, capsys):
    """The unit is found by the concept all the same, in Python, on the command line and in the viewer."""
    path = named_atlas(tmp_path / "named.atlas")
    with AtlasFile(path) as file:
        names = [file.concepts(0)[unit].best.concept for unit in (0, 2)]
    doubtful, stands = (
        next(one for one in ls.find(path, name) if (one.layer, one.unit, one.kind) == ("features.1", unit, "concept"))
        for name, unit in zip(names, (0, 2), strict=True)
    )
    assert (doubtful.name, doubtful.at_peaks) == (names[0], "boat 6, ground 3 of nine")
    assert (stands.name, stands.at_peaks) == (names[1], "")
    assert main(["find", str(path), names[0]]) == 0
    assert f"boat 6, ground 3 of nine (by overlap {names[0]})" in capsys.readouterr().out


def test_classes_of_peaks_are_found(path):
    """Of every class the six units of a layer with the most peaks in its images, and how many."""
    with AtlasFile(path) as file:
        labels = {image.id: image.label for image in file.images()}
        for layer in file.layers:
            counts = {}
            for unit in range(layer.record.units):
                shown = [labels[peak.image] for peak in file.peaks(layer.id, unit)]
                counts[unit] = shown.count("ring")
            most = sorted((-count, unit) for unit, count in counts.items() if count)[:6]
            found = [one for one in find(file, "ring") if one.kind == "peaks" and one.layer == layer]
            assert [(-one.score, one.unit) for one in found if one.name == "ring"] == most


def test_a_concept_is_found_by_its_words(tmp_path, command):
    """As by its name; both are whole names, and a mistyped word gets the near one."""
    path = wide_atlas(tmp_path / "wide.atlas", 12, concept="edge 90")
    named = [one.unit for one in ls.find(path, "edge 90")]
    assert sorted(named) == [0, 3, 6, 9]
    assert [one.unit for one in ls.find(path, "VERTICAL edge")] == named
    assert [one.unit for one in ls.find(path, "vert")] == named
    status, _, err = command("find", path, "verticul edge")
    assert status == 1 and "did you mean vertical edge" in err
