"""`info` prints what made an atlas, what it holds and what was left out."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from layerscope.atlas.read import AtlasFile
from layerscope.figures import overview, plate
from layerscope.figures.words import SPECIFICITY_MEANING
from tests.helpers.atlases import small_atlas


def test_all_of_it_as_json(command, atlas):
    """Provenance, counts, skipped images with their reason, specificity per layer and method."""
    data = json.loads(command("info", atlas, "--json")[1])
    assert (data["network"], data["k"], data["methods"]) == ("torchvision:smallnet", 9, ["deconvnet", "guided"])
    assert data["bytes"] == Path(atlas).stat().st_size
    assert data["finished"] >= data["started"]
    assert data["counts"] == {
        "layers": 3, "units": 18, "peaks": 3 * (4 * 9 + 2), "images": 40, "used": 39, "skipped": 1, "duplicates": 1,
    }  # fmt: skip
    assert [(entry["image"], entry["reason"]) for entry in data["skipped"]] == [(39, "the file is empty")]
    assert [(entry["layer"], entry["method"]) for entry in data["specificity"]] == [
        (layer, method) for layer in ("features.1", "features.4") for method in ("deconvnet", "guided")
    ]
    assert [entry["own"]["mean"] for entry in data["retention"]] == [0.6, 0.8] * 2
    assert data["input"]["mean"] == [0.485, 0.456, 0.406]
    assert data["fingerprint"]["graph"] == "9a3c" * 16


def test_the_same_in_words(command, atlas):
    """A person finds network, images, hashes, what was skipped and why, and how far to trust the projections."""
    status, out, err = command("info", atlas)
    assert (status, err) == (0, "")
    for part in (
        "torchvision:smallnet",
        "photos/ (40 images): 40 images, 1 skipped, 1 duplicate",
        "3 layers, 18 units, 114 peaks (at most 9 a unit)",
        "graph hash",
        "skipped: 1 the file is empty",
        "features.4  guided",
        "kept: of a unit's activation, by the 15 % of its field",
        "near 0 a projection shows mostly the picture",
    ):
        assert part in out


def test_an_unfinished_atlas_says_so(command, tmp_path):
    """In words and as null."""
    path = small_atlas(tmp_path / "half.atlas", units=3, finished=False)
    assert "unfinished" in command("info", path)[1]
    assert json.loads(command("info", path, "--json")[1])["finished"] is None


def test_an_atlas_from_before_says_what_it_lacks(command, tmp_path):
    """Retention is not measured: so say `info`, in words and as JSON, and captions, which tell specificity instead;
    `show` leaves it out."""
    atlas = small_atlas(tmp_path / "old.atlas", units=3, images=12)
    with closing(sqlite3.connect(atlas)) as connection, connection:
        connection.execute("DELETE FROM statistic WHERE name = 'retention'")
    assert "retention: not measured; atlases of earlier versions lack it" in command("info", atlas)[1]
    assert {(entry["n"], entry["own"]) for entry in json.loads(command("info", atlas, "--json")[1])["retention"]} == {
        (0, None)
    }
    assert {layer["kept"] for layer in json.loads(command("show", atlas, "--json")[1])["layers"]} == {None}
    with AtlasFile(atlas) as file:
        assert "Retention: not measured. Specificity 0.20: " in plate(file, "features.1").caption
        assert "deconvnet, specificity 0.20" in overview(file, 1).panels[0].section_note
        assert SPECIFICITY_MEANING in overview(file, 1).caption
