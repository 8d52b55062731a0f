"""`show` goes from the layers of an atlas to the units of a layer to the peaks of a unit."""

import json

from layerscope.api.atlas import open
from tests.helpers.atlases import small_atlas


def test_layers(command, atlas):
    """Every layer with its units, the dead among them, tiles, the method of its plate and what that keeps."""
    status, out, err = command("show", atlas)
    assert (status, err) == (0, "")
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["features.1", "relu", "6", "1", "32x32", "7x7", "8", "deconvnet", "60", "%"],
        ["features.4", "relu", "6", "1", "16x16", "23x23", "24", "guided", "80", "%"],
        ["classifier.1", "relu", "6", "1", "dense", "whole", "image", "64", "patches", "only"],
    ]
    data = json.loads(command("show", atlas, "--json")[1])
    assert [(layer["name"], layer["dead"], layer["map"]) for layer in data["layers"]] == [
        ("features.1", 1, [32, 32]),
        ("features.4", 1, [16, 16]),
        ("classifier.1", 1, None),
    ]


def test_units_come_highest_maximum_first(command, atlas):
    """The order is that of the maxima; a dead unit says so; an alias names the layer as well."""
    data = json.loads(command("show", atlas, "features.1", "--json")[1])
    maxima = [unit["maximum"] for unit in data["units"]]
    assert maxima == sorted(maxima, reverse=True)
    assert sorted(unit["unit"] for unit in data["units"]) == list(range(6))
    status, out, _ = command("show", atlas, "features.0")
    assert status == 0
    rows = [line.split() for line in out.splitlines()[1:]]
    assert [int(row[0]) for row in rows] == [unit["unit"] for unit in data["units"]]
    assert rows[-1][-1] == "dead"


def test_peaks_come_best_first_with_their_place(command, atlas):
    """Value, image, class and box of every peak are those of the atlas."""
    with open(atlas) as held:
        peaks, label = held["features.4"][0].peaks, held.file.image(held["features.4"][0].peaks[0].image).label
    data = json.loads(command("show", atlas, "features.4", 0, "--json")[1])["peaks"]
    assert [peak["value"] for peak in data] == [peak.value for peak in peaks]
    assert [peak["image"] for peak in data] == [peak.image for peak in peaks]
    assert data[0]["source_box"]["top"] == peaks[0].source_box.top
    out = command("show", atlas, "features.4", 0)[1]
    first = next(line for line in out.splitlines() if line.split()[0] == "0")
    box = peaks[0].source_box
    assert f"source {box.top}:{box.bottom} x {box.left}:{box.right}" in first
    assert label in first and "photos/" in first


def test_a_dead_unit_says_why_it_has_no_peaks(command, atlas):
    """Status 0: it is a finding, not a mistake."""
    assert command("show", atlas, "features.1", 5) == (0, "unit 5 of features.1: 0 peaks (never above zero)\n", "")


def test_what_does_not_exist_is_a_sentence(command, atlas, tmp_path):
    """Atlas, layer, unit: each names what was asked for and what there is."""
    for words, said in (
        ((tmp_path / "no.atlas",), "does not exist"),
        ((atlas, "feature.1"), "did you mean features.1"),
        ((atlas, "features.1", 6), "units 0 to 5"),
    ):
        status, out, err = command("show", *words)
        assert (status, out) == (1, "")
        assert said in err and err.count("\n") == 1


def test_an_unfinished_atlas_is_shown_and_said_to_be_one(command, tmp_path):
    """What is there can be looked at while a build goes on."""
    path = small_atlas(tmp_path / "half.atlas", units=4, finished=False)
    status, out, err = command("show", path)
    assert status == 0 and "features.1" in out
    assert "is unfinished" in err
