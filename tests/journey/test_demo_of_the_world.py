"""The demo of the trained network, over few scenes: what it leaves, what it says of it, and that it goes on.

Half a minute of work, as the pages are: by `make pages`.
"""

import io
import json
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path

import pytest

from layerscope.api import demonstrating as world_demo
from layerscope.api.bars import Bars
from layerscope.atlas.read import AtlasFile
from layerscope.cli import main
from layerscope.core.concept_words import concept_words
from layerscope.world import World
from tests.helpers.atlases import as_sql

pytestmark = pytest.mark.wide

SCENES = 64


@pytest.fixture(scope="module")
def story(tmp_path_factory) -> tuple[Path, dict]:
    """A demo of the trained network over few scenes, and what it printed."""
    folder, said = tmp_path_factory.mktemp("journey") / "story", io.StringIO()
    with redirect_stdout(said):
        assert main(["demo", "-o", str(folder), "--images", str(SCENES), "--json", "--quiet"]) == 0
    return folder, json.loads(said.getvalue())


def test_the_demo_tells_what_layers_see(story):
    """Atlas, plates and report are there; the figures are those of the atlas, layer by layer, and the level rises."""
    folder, said = story
    files = {path.name for path in folder.iterdir()}
    assert {Path(file).name for file in said["files"]} | {"demo.atlas"} == files
    assert {f"layer{place}.png" for place in range(1, 6)} | {"filters.png", "overview.png", "report.html"} <= files
    assert any(name.startswith("layer5-unit") for name in files)
    assert all((folder / name).stat().st_size > 1000 for name in files)
    report = json.loads((folder / "report.json").read_text())
    assert {key: said[key] for key in report} == report
    assert (report["network"], report["images"], report["dissected_images"]) == ("worldnet", SCENES, SCENES)
    with AtlasFile(folder / "demo.atlas") as atlas:
        kept = atlas.dissection()
        assert kept is not None
        assert [layer["name"] for layer in report["layers"]] == [layer.name for layer in atlas.layers]
    for layer, own in zip(report["layers"], kept.layers, strict=True):
        figures = asdict(own.figures)
        for name in ("units", "detectors", "distinct_concepts", "mean_concept_level"):
            assert layer[name] == figures[name]
        assert 0 < layer["distinct_concepts"] <= layer["detectors"] <= layer["units"]
        best = {unit.unit: unit.best for unit in own.units if unit.best is not None}
        assert layer["best_units"]
        for unit in layer["best_units"]:
            assert (unit["concept"], unit["score"]) == (best[unit["unit"]].concept, best[unit["unit"]].score)
        assert set(layer["baselines"]) == {"shuffled masks", "random mixtures", "untrained network"}
    levels = [layer["mean_concept_level"] for layer in report["layers"]]
    assert levels[-1] > levels[0]


def test_the_report_is_of_the_same_run(story):
    """Every layer has its section, and its page says what the figures say."""
    folder, said = story
    page = (folder / "report.html").read_text()
    for place, layer in enumerate(said["layers"], start=1):
        assert f'<section id="layer{place}">' in page
        assert f"{layer['detectors']} of {layer['units']} units were found to detect a concept" in page
        for unit in layer["best_units"]:
            numbers, kinds = f"level {unit['level']}, score {unit['score']:.2f}", (unit["standing"] or {}).get("kinds")
            said = concept_words(unit["concept"])
            name = f"{kinds} (by overlap {said}, {numbers})" if kinds else f"{said} ({numbers})"
            assert f"unit {unit['unit']}: {name}" in page


def test_the_demo_builds_once_and_refuses_other_pictures(story, capsys):
    """Given again the atlas is complete; with another number of pictures one sentence says what to do."""
    folder, _ = story
    before = as_sql(folder / "demo.atlas")
    world = World(SCENES, seed=world_demo.SEED)
    with Bars() as bars, world_demo.built_in(folder, world, bars) as atlas:
        assert len(atlas.layers) == 5
    assert "is complete" in capsys.readouterr().err
    assert main(["demo", "-o", str(folder), "--images", str(SCENES + 1)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1].startswith(f'layerscope: "{folder}" holds a demo of other pictures')
    assert as_sql(folder / "demo.atlas") == before
