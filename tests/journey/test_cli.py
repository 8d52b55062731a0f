"""The command line as a new user meets it: from nothing to figures, stopped and gone on with.

What only a process can show, and what is quick to start, runs in real ones; what traces a network here, where torch is
loaded.
"""

import io
import json
import shutil
import signal
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from layerscope.cli import main
from tests.helpers.atlases import as_sql
from tests.helpers.ctrl_c import heed_ctrl_c

PICTURES = 48
COPIES = 5


def command(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    """One command, which must end with this status."""
    line = [sys.executable, "-m", "layerscope.cli", *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> tuple[Path, dict]:
    """A small demo of the known network, and what it printed."""
    folder, said = tmp_path_factory.mktemp("journey") / "demo", io.StringIO()
    with redirect_stdout(said):
        assert main(["demo", "--known", "-o", str(folder), "--images", str(PICTURES), "--json"]) == 0
    return folder, json.loads(said.getvalue())


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


@pytest.mark.wide
def test_a_demo_goes_on_where_it_was(demo, capsys):
    """Again: nothing is built anew, the same answers, and it says so; another number of pictures is refused."""
    folder, said = demo
    before = as_sql(folder / "known.atlas")
    assert main(["demo", "--known", "-o", str(folder), "--images", str(PICTURES)]) == 0
    out, err = capsys.readouterr()
    assert "is complete" in err
    strokes = said["layers"][0]
    assert f"strokes: {strokes['holding']} of {strokes['patches']} strongest patches hold" in out
    assert as_sql(folder / "known.atlas") == before
    assert main(["demo", "--known", "-o", str(folder), "--images", "50"]) == 1
    assert "holds a demo of 48 pictures" in capsys.readouterr().err


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
    assert main(["figure", str(atlas), "shapes", "--units", "0-3", "-o", str(tmp_path / "plate.pdf")]) == 0
    assert (tmp_path / "plate.pdf").read_bytes().startswith(b"%PDF")


NETWORK = """
from torch import nn

import layerscope

INPUT = layerscope.Input(channels=3, height=96, width=96)


def net():
    return nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 5), nn.ReLU())
"""


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
