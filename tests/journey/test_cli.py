"""The command line as a new user meets it: from nothing to figures, stopped and gone on with, in real processes."""

import io
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, redirect_stdout
from dataclasses import asdict
from pathlib import Path

import pytest

from layerscope.api import demonstrating as world_demo
from layerscope.api.bars import Bars
from layerscope.atlas.read import AtlasFile
from layerscope.cli import main
from layerscope.world import World

PICTURES = 48
COPIES = 5
SCENES = 64


def command(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    """One command, which must end with this status."""
    line = [sys.executable, "-m", "layerscope.cli", *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done


def rows(atlas: Path) -> list[str]:
    """All that is in an atlas, as SQL."""
    with closing(sqlite3.connect(atlas)) as connection:
        return list(connection.iterdump())


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> tuple[Path, dict]:
    """A small demo of the known network, and what it printed."""
    folder = tmp_path_factory.mktemp("journey") / "demo"
    return folder, json.loads(command("demo", "--known", "-o", folder, "--images", PICTURES, "--json").stdout)


def test_the_demo_of_the_known_network_proves_itself(demo):
    """Figures of every kind, and nearly every strongest patch holds the pattern that its unit was built for."""
    folder, said = demo
    names = ("known.atlas", "strokes.png", "shapes.png", "things.png", "filters.png", "overview.png", "things-face.png")
    assert [Path(file) for file in said["files"]] == [folder / name for name in names]
    assert all((folder / name).stat().st_size > 1000 for name in names)
    assert [(layer["layer"], layer["units"]) for layer in said["layers"]] == [
        ("strokes", 24),
        ("shapes", 24),
        ("things", 8),
    ]
    assert all(layer["holding"] >= 0.9 * layer["patches"] > 0 for layer in said["layers"])


def test_a_demo_goes_on_where_it_was(demo, capsys):
    """Again: nothing is built anew, the same answers, and it says so; another number of pictures is refused."""
    folder, said = demo
    before = rows(folder / "known.atlas")
    assert main(["demo", "--known", "-o", str(folder), "--images", str(PICTURES)]) == 0
    out, err = capsys.readouterr()
    assert "is complete" in err
    strokes = said["layers"][0]
    assert f"strokes: {strokes['holding']} of {strokes['patches']} strongest patches hold" in out
    assert rows(folder / "known.atlas") == before
    assert main(["demo", "--known", "-o", str(folder), "--images", "50"]) == 1
    assert "holds a demo of 48 pictures" in capsys.readouterr().err


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
            assert f"unit {unit['unit']}: {unit['concept']} (level {unit['level']}, score {unit['score']:.2f})" in page


def test_the_demo_builds_once_and_refuses_other_pictures(story, capsys):
    """Given again the atlas is complete; with another number of pictures one sentence says what to do."""
    folder, _ = story
    before = rows(folder / "demo.atlas")
    world = World(SCENES, seed=world_demo.SEED)
    with Bars() as bars, world_demo.built_in(folder, world, bars) as atlas:
        assert len(atlas.layers) == 5
    assert "is complete" in capsys.readouterr().err
    assert main(["demo", "-o", str(folder), "--images", str(SCENES + 1)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1].startswith(f'layerscope: "{folder}" holds a demo of other pictures')
    assert rows(folder / "demo.atlas") == before


@pytest.mark.parametrize("kind", [[], ["--known"]])
def test_a_demo_needs_a_folder(kind, tmp_path, capsys):
    """Where a file stands in the way, one sentence says so, and the file is as it was."""
    (tmp_path / "demo").write_text("a letter")
    assert main(["demo", *kind, "-o", str(tmp_path / "demo")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert str(tmp_path / "demo") in err and len(err.splitlines()) == 1
    assert (tmp_path / "demo").read_text() == "a letter"


def test_an_atlas_can_be_looked_at_from_all_sides(demo, tmp_path):
    """From the list of layers to one peak, and onto paper."""
    atlas = demo[0] / "known.atlas"
    assert [line.split()[0] for line in command("show", atlas).stdout.splitlines()[1:]] == [
        "strokes",
        "shapes",
        "things",
    ]
    units = json.loads(command("show", atlas, "things", "--json").stdout)["units"]
    best = units[0]["unit"]
    peaks = json.loads(command("show", atlas, "things", best, "--json").stdout)["peaks"]
    assert peaks[0]["value"] == pytest.approx(units[0]["maximum"])
    assert json.loads(command("info", atlas, "--json").stdout)["counts"]["images"] == PICTURES
    command("figure", atlas, "shapes", "--units", "0-3", "-o", tmp_path / "plate.pdf")
    assert (tmp_path / "plate.pdf").read_bytes().startswith(b"%PDF")


NETWORK = """
from torch import nn

import layerscope

INPUT = layerscope.Input(channels=3, height=96, width=96)


def net():
    return nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 5), nn.ReLU())
"""


def heed_ctrl_c() -> None:
    """As in a terminal: a shell that starts the tests in the background lets them, and what they start, ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_is_one_sentence_and_the_same_command_goes_on(demo, tmp_path, capsys):
    """Stopped as soon as the scan has begun: status 1, no traceback; then the same command completes the atlas."""
    (tmp_path / "net.py").write_text(NETWORK)
    # So many that no machine is done with them before the signal comes.
    for copy in range(COPIES):
        shutil.copytree(demo[0] / "pictures", tmp_path / "pictures" / str(copy))
    words = [
        "build",
        f"{tmp_path / 'net.py'}:net",
        "--images",
        str(tmp_path / "pictures"),
        "-o",
        str(tmp_path / "a.atlas"),
    ]
    line = [sys.executable, "-m", "layerscope.cli", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(line, preexec_fn=heed_ctrl_c, **pipes) as process:
        assert process.stderr is not None
        said = ""
        while "scan" not in said:
            said = process.stderr.readline()
            assert said, "the build ended before its scan"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out) == (1, "")
    assert err.splitlines()[-1] == "layerscope: stopped; the same command goes on where it was"
    assert "Traceback" not in err
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == COPIES * PICTURES
