"""`info` prints what made an atlas, what it holds and what was left out."""

import json
from pathlib import Path

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
        "near 0 a projection shows mostly the picture",
    ):
        assert part in out


def test_an_unfinished_atlas_says_so(command, tmp_path):
    """In words and as null."""
    path = small_atlas(tmp_path / "half.atlas", units=3, finished=False)
    assert "unfinished" in command("info", path)[1]
    assert json.loads(command("info", path, "--json")[1])["finished"] is None
