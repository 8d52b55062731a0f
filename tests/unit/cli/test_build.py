"""`build` hands its options on as the verb of the package takes them, and says what came of it."""

import inspect
import json

import pytest
from PIL import Image

import layerscope as ls
from layerscope.api import verbs
from layerscope.api.atlas import open
from layerscope.api.bars import Bars
from layerscope.pipeline.forecast import Forecast

FORECAST = Forecast(
    images=1000, layers=5, units=1152, peaks=10_368, seconds={"scan": 20.0, "project": 100.0}, bytes=90_000_000
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder with two pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    for shade in (40, 200):
        Image.new("RGB", (20, 16), (shade, shade, 0)).save(folder / f"{shade}.png")
    return folder


@pytest.fixture
def asked(monkeypatch, atlas):
    """What build and forecast were asked for; build gives the small atlas."""
    calls: list[tuple] = []

    def build(net, images, out, **options):
        calls.append((net, images, out, options))
        return open(atlas)

    def forecast(net, images, **options):
        calls.append((net, images, None, options))
        return FORECAST

    monkeypatch.setattr(ls, "build", build)
    monkeypatch.setattr(ls, "forecast", forecast)
    return calls


def test_the_defaults_are_those_of_the_package(command, asked, pictures, tmp_path):
    """Without options: the network by its name, what the function takes by itself, and bars."""
    words = ("build", "net.py:plain", "--images", pictures, "-o", tmp_path / "a.atlas")
    assert command(*words)[0] == 0
    ((net, images, out, options),) = asked
    assert (net.spec, net.given, images, out) == ("net.py:plain", {}, str(pictures), str(tmp_path / "a.atlas"))
    assert isinstance(options.pop("progress"), Bars)
    own = {name: one.default for name, one in inspect.signature(verbs.build).parameters.items() if name in options}
    assert options == own and {"k", "methods", "layers", "thumbnails", "workers", "device", "max_pixels"} <= set(own)


def test_options_reach_the_package(command, asked, pictures, tmp_path):
    """Each option changes its own argument; several files are a list; --quiet shows no progress."""
    files = sorted(pictures.iterdir())
    what = "--layers f* --layers g --method gradient,guided --method guided --k 4 --units 8 --limit 1 --no-thumbnails"
    how = "--dense --keep-signal --codec png --seed 3 --overwrite --workers 1 --quiet --tile 32 --order BGR"
    where = ("--images", *files, "-o", tmp_path / "a.atlas")
    status, _, err = command("build", "net.py:plain", *where, *f"{what} {how}".split())
    assert (status, err) == (0, "")
    ((net, images, _, options),) = asked
    assert (net.given, images) == ({"order": "BGR"}, [str(file) for file in files])
    assert (options["layers"], options["methods"]) == (("f*", "g"), ("gradient", "guided"))
    named = ("k", "units", "tile", "seed", "workers", "codec", "limit")
    assert [options[name] for name in named] == [4, 8, 32, 3, 1, "png", 1]
    assert options["dense"] and options["keep_signal"] and options["overwrite"] and not options["thumbnails"]
    assert options["progress"] is False


def test_the_result_is_what_the_atlas_holds(command, asked, pictures):
    """One line, or JSON with the same numbers; what was skipped is said."""
    words = ("build", "net.py:plain", "--images", pictures, "-o", "x.atlas")
    out = command(*words)[1]
    assert "3 layers, 18 units, 40 images (1 skipped: layerscope info lists them)" in out
    data = json.loads(command(*words, "--json")[1])
    assert (data["units"], data["images"], data["skipped"]) == (18, 40, 1)
    assert data["layers"] == ["features.1", "features.4", "classifier.1"]


def test_a_dry_run_forecasts_and_needs_no_file(command, asked, pictures):
    """Seconds per stage and their sum, bytes; build is not called."""
    words = ("build", "net.py:plain", "--images", pictures, "--dry-run")
    status, out, _ = command(*words)
    assert status == 0
    assert out.startswith("1,000 images, 5 layers, 1,152 units, 10,368 peaks\n")
    assert [line.split() for line in out.splitlines()[2:5]] == [
        ["scan", "20", "s"],
        ["project", "2", "min"],
        ["in", "all", "2", "min"],
    ]
    assert "90 MB" in out
    data = json.loads(command(*words, "--json")[1])
    assert (data["seconds"], data["bytes"]) == ({"scan": 20.0, "project": 100.0}, 90_000_000)
    assert all(out is None for _, _, out, _ in asked)


def test_a_long_build_is_forecast_first(command, monkeypatch, network_file, pictures, tmp_path):
    """Before a new atlas of many images; not when going on, and not when quiet."""
    monkeypatch.setattr(verbs, "FORECAST_FROM", 2)
    shape = ("--input", "3x16x20", "--layers", "1", "--k", "1")
    words = ("build", f"{network_file}:plain", "--images", pictures, *shape, "-o")
    assert "MB to come" in command(*words, tmp_path / "new.atlas")[2]
    assert "to come" not in command(*words, tmp_path / "new.atlas")[2]
    assert command(*words, tmp_path / "quiet.atlas", "--quiet")[2] == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"-o": None}, "--out is missing"),
        ({"--images": "nowhere"}, '"nowhere" do not exist'),
        ({"--limit": "0"}, "--limit must be a whole number of at least 1, got 0"),
    ],
)
def test_mistakes_end_before_anything_is_opened(command, pictures, tmp_path, monkeypatch, change, said):
    """One sentence each, though there is no such network."""
    monkeypatch.chdir(tmp_path)
    options = {"--images": pictures, "-o": "x.atlas"} | change
    words = [word for name, value in options.items() if value is not None for word in (name, value)]
    status, out, err = command("build", "net.py:plain", *words, "--quiet")
    assert (status, out, list(tmp_path.iterdir())) == (1, "", [])
    assert said in err and err.count("\n") == 1
