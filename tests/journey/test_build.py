"""From a network and pictures to an atlas and a figure: whatever the way, the same bytes; what is bad is said."""

import shutil
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import layerscope as ls
from layerscope.atlas.compare import content_digest
from layerscope.core.errors import AtlasError, ImageError, TraceError, UsageError
from tests.helpers.building import INPUT, LAYERS, Hook, K, Log, Small

LOOK = """
import sys
import layerscope as ls

with ls.open(sys.argv[1]) as atlas:
    unit = atlas["relu2"][3]
    patch, natural = unit.patch(0), unit.projection(0, "deconvnet", view="natural")
    assert patch.shape == natural.shape and patch.std() > 0 and natural.std() > 0
    assert len(unit.peaks) == 5 and unit.peaks[0].value == unit.statistics.maximum
    assert len(atlas.to_frame("images")) == 150
    ls.figure(atlas, "relu2", count=4).save(sys.argv[2])
assert "torch" not in sys.modules
"""


def build(net: object, images: object, out: Path, **options) -> Log:
    """Build with the options of all journeys, unless they are given; what the build told."""
    log = Log()
    ls.build(net, images, out=out, **{"layers": LAYERS, "k": K, "progress": log, **options}).close()
    return log


def rows(path: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_an_atlas_is_read_and_drawn_without_torch(built, tmp_path) -> None:
    """In a process of its own: open, look at a unit, draw a plate; torch is never loaded."""
    plate = tmp_path / "plate.png"
    done = subprocess.run([sys.executable, "-c", LOOK, built.path, plate], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert np.asarray(Image.open(plate)).std() > 0


def test_peaks_are_the_networks_own_highest_activations(net, pictures, built) -> None:
    """For each unit of each layer, the best of all images one by one is the atlas's first peak, at its place."""
    source = ls.images(pictures)
    pixels = np.concatenate([source.load([i], INPUT).pixels for i in range(len(source))])
    with ls.open(built.path) as atlas:
        for layer in LAYERS:
            found = net.activations(pixels, layer).reshape(len(pixels), net[layer].units, -1)
            for unit in range(net[layer].units):
                best = found[:, unit].max(1)
                image = int(best.argmax())
                peaks = atlas[layer][unit].peaks
                if best[image] <= 0:
                    assert not peaks
                    continue
                assert peaks[0].image == image and peaks[0].value == pytest.approx(float(best[image]), rel=1e-4)
                width = net[layer].map[1] if net[layer].map else 1
                assert found[image, unit, peaks[0].row * width + peaks[0].col] == best[image]


@pytest.mark.parametrize("workers", [4, pytest.param(1, marks=pytest.mark.wide)])
def test_any_number_of_workers(workers: int, net, pictures, built, tmp_path) -> None:
    """One, two and four decoding threads make the same bytes."""
    build(net, pictures, tmp_path / "a.atlas", workers=workers)
    assert content_digest(tmp_path / "a.atlas") == built.digest


@pytest.mark.parametrize("members", [37, pytest.param(150, marks=pytest.mark.wide)])
def test_a_folder_or_tar_files_of_any_size(members: int, net, pictures, built, tmp_path) -> None:
    """The same images in the same order, in one archive or in many, make the same bytes."""
    names = [name for name, _ in ls.images(pictures).listing()]
    archives = []
    for first in range(0, len(names), members):
        archives.append(tmp_path / f"{first:04d}.tar")
        with tarfile.open(archives[-1], "w") as archive:
            for name in names[first : first + members]:
                archive.add(pictures / name, arcname=name)
    build(net, archives, tmp_path / "a.atlas")
    assert content_digest(tmp_path / "a.atlas") == built.digest


def test_a_method_added_later(net, pictures, tmp_path) -> None:
    """Building with the method that a plate shows, then with another too, scans once and makes what both at once make.

    Behind the sum, too, where the plate's own method is never asked for: the first one is shown, for the same reason.
    """
    layers, later, once = ["relu1", "relu3"], tmp_path / "later.atlas", tmp_path / "once.atlas"
    build(net, pictures, later, layers=layers, methods=("deconvnet",))
    log = build(net, pictures, later, layers=layers, methods=("deconvnet", "gradient"))
    assert "scan" not in [stage[0] for stage in log.stages]
    build(net, pictures, once, layers=layers, methods=("deconvnet", "gradient"))
    assert content_digest(later) == content_digest(once)
    reasons = ["a plain chain, as in the paper", "the first method asked for"]
    assert [why for (why,) in rows(later, "SELECT method_why FROM layer")] == reasons
    assert len(rows(later, "SELECT * FROM run")) == 2


def test_the_plates_own_method_added_later(net, pictures, tmp_path) -> None:
    """What was made is left as it is, and so the plate shows the method that its tiles are centred on, and says so."""
    out, few = tmp_path / "a.atlas", ls.images(pictures, limit=20)
    build(net, few, out, layers=["relu2"], methods=("guided",))
    made = "SELECT unit, kind, method, view, scales, pixels FROM sheet WHERE method <> 'deconvnet'"
    boxes = "SELECT unit, rank, tile_top, tile_left, tile_bottom, tile_right FROM peak"
    before = rows(out, made), rows(out, boxes), rows(out, "SELECT tile FROM layer")
    build(net, few, out, layers=["relu2"], methods=("deconvnet", "guided"))
    assert (rows(out, made), rows(out, boxes), rows(out, "SELECT tile FROM layer")) == before
    assert rows(out, "SELECT count(*) FROM sheet WHERE method = 'deconvnet'") != [(0,)]
    reason = "made before deconvnet: the tiles are centred on its energy"
    assert rows(out, "SELECT method, method_why FROM layer") == [("guided", reason)]


@pytest.mark.parametrize(
    ("first", "then"), [(("guided",), ("guided", "deconvnet")), (("guided", "deconvnet"), ("guided",))]
)
def test_other_methods_before_any_tile_was_made(first: tuple, then: tuple, net, pictures, tmp_path) -> None:
    """A build that ended before it projected goes on with other methods as if it had been asked for them at first."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    few, layers, later, once = ls.images(pictures, limit=20), ["relu2"], tmp_path / "later", tmp_path / "once"
    with pytest.raises(KeyboardInterrupt):
        hook = Hook(stage_name="project", after=0, do=interrupt)
        build(net, few, later, layers=layers, methods=first, progress=hook)
    build(net, few, later, layers=layers, methods=then)
    build(net, few, once, layers=layers, methods=then)
    found, expected = content_digest(later), content_digest(once)
    assert [found[name] == expected[name] for name in ("layer", "peak", "sheet")] == [True] * 3


def test_layers_added_later(net, pictures, built, tmp_path) -> None:
    """One layer first, then all: only the missing are scanned, and all rows are those of one build."""
    later = tmp_path / "later.atlas"
    build(net, pictures, later, layers=["relu2"])
    log = build(net, pictures, later)
    assert [stage[0] for stage in log.stages] == ["scan", "sample", "project", "sheets", "use", "strata"]
    assert log.stage("sample")[1] == len(LAYERS) - 1
    assert content_digest(later) == built.digest
    assert build(net, pictures, later).said == [f"{later} is complete: nothing is missing"]


def test_dense_layers_are_projected_on_request(net, pictures, built, tmp_path) -> None:
    """Without it a dense layer has whole pictures and no projections; asked for later, they are added."""
    dense = (
        "SELECT DISTINCT kind, method, view FROM sheet WHERE layer = (SELECT id FROM layer WHERE map_rows IS NULL)",
    )
    assert rows(built.path, *dense) == [("patches", "", "")]
    out = tmp_path / "a.atlas"
    shutil.copy(built.path, out)
    log = build(net, pictures, out, dense=True)
    assert "scan" not in [stage[0] for stage in log.stages]
    assert len(rows(out, *dense)) == 1 + 2 * 2


def test_options_decide_what_is_kept(net, pictures, tmp_path) -> None:
    """A sample of units gets sheets while all keep their peaks; pictures are left out, signals kept, tiles capped."""
    out = tmp_path / "a.atlas"
    build(
        net, ls.images(pictures, limit=40), out, layers=["relu2"], units=3, thumbnails=False, keep_signal=True, tile=8,
        codec="webp", methods=("guided",),
    )  # fmt: skip
    chosen = [unit for (unit,) in rows(out, "SELECT DISTINCT unit FROM sheet")]
    assert len(chosen) == 3 and len(rows(out, "SELECT DISTINCT unit FROM peak")) > 3
    assert rows(out, "SELECT * FROM picture") == []
    assert rows(out, "SELECT DISTINCT codec FROM sheet") == [("webp",)]
    signals = rows(out, "SELECT unit, method, count(*) FROM signal GROUP BY unit, method")
    assert [(unit, method) for unit, method, _ in signals] == [(unit, "guided") for unit in chosen]
    assert rows(out, "SELECT tile FROM layer")[0][0] > 8
    with ls.open(out) as atlas:
        assert atlas["relu2"][chosen[0]].patch(0).shape == (8, 8, 3)


def test_overwriting_starts_anew(net, pictures, built, tmp_path) -> None:
    """With it another run takes the file's place; only an atlas is overwritten; without it nothing is."""
    out = tmp_path / "a.atlas"
    build(net, ls.images(pictures, limit=20), out, layers=["relu1"], methods=("gradient",))
    with pytest.raises(AtlasError, match="holds another run"):
        build(net, pictures, out)
    build(net, pictures, out, overwrite=True)
    assert content_digest(out) == built.digest
    other = tmp_path / "thesis.txt"
    other.write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(AtlasError):
            build(net, pictures, other, overwrite=overwrite)
    assert other.read_text() == "years of work"


def test_broken_images_among_good_ones(net, pictures, tmp_path) -> None:
    """What cannot be used is left out and listed with its reason, copies are marked, the rest is scanned."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, path in enumerate(sorted(pictures.rglob("*.png"))[:12]):
        shutil.copy(path, folder / f"{number:02d}.png")
    whole = (folder / "03.png").read_bytes()
    (folder / "03.png").write_bytes(whole[: len(whole) // 2])
    (folder / "05.png").write_bytes(b"")
    (folder / "07.png").write_text("no picture at all")
    shutil.copy(folder / "01.png", folder / "09.png")
    (folder / "notes.txt").write_text("about these photographs")
    out = tmp_path / "a.atlas"
    build(net, folder, out)
    listed = rows(out, "SELECT source, skipped, duplicate_of FROM image ORDER BY id")
    skipped = {source: reason for source, reason, _ in listed if reason}
    assert set(skipped) == {"03.png", "05.png", "07.png"} and skipped["05.png"] == "empty file"
    assert {source: first for source, _, first in listed if first is not None} == {"09.png": 1}
    ((scanned,),) = rows(out, "SELECT value FROM statistic WHERE name = 'images'")
    assert int(scanned) == 8
    with ls.open(out) as atlas:
        frame = atlas.to_frame("images")
        assert len(frame) == 12 and frame["skipped"].notna().sum() == 3


def test_nothing_usable_is_an_error(net, tmp_path) -> None:
    """A folder in which no image can be read is refused, and no atlas is left that pretends to hold something."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"no image can be read in photos/ \(1 file\); .*: empty file$"):
        build(net, folder, tmp_path / "a.atlas")
    assert not (tmp_path / "a.atlas").exists()


def test_weights_that_are_no_numbers_are_refused(pictures, tmp_path) -> None:
    """NaN in a weight is named before anything is scanned or written."""
    model = Small()
    with torch.no_grad():
        model.conv2.weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(TraceError, match=r'the weights "conv2\.weight" hold numbers that are not finite'):
        build(ls.trace(model, INPUT), pictures, tmp_path / "a.atlas")
    assert list(tmp_path.iterdir()) == []


def test_activations_that_overflow_are_refused(pictures, tmp_path) -> None:
    """Finite weights whose activations are infinite, and NaN behind: the error names the image and the first layer."""
    model = Small()
    with torch.no_grad():
        model.conv1.weight.fill_(3e38)
        model.conv1.weight[:, :, ::2] *= -1
    with pytest.raises(TraceError, match="image 0 gives infinity at layer relu1: "):
        build(ls.trace(model, INPUT), pictures, tmp_path / "a.atlas")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"layers": ["relu7"]}, 'Small has no layer "relu7"; did you mean relu'),
        ({"layers": "features.*"}, 'no layer of Small matches "features.*"'),
        ({"methods": ("deconv",)}, "methods= must be a list of methods, each one of deconvnet, guided, gradient, got "),
        ({"k": 0}, "k= must be a whole number from 1 to 128, got 0"),
        ({"device": "cuda:99"}, 'the device "cuda:99" cannot be used'),
        ({"weights": __file__}, "weights= goes with a spec or a module"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict, sentence: str, net, pictures, tmp_path) -> None:
    """Before anything is made, in one sentence."""
    with pytest.raises(UsageError) as error:
        build(net, pictures, tmp_path / "a.atlas", **options)
    assert sentence in str(error.value)
    assert not (tmp_path / "a.atlas").exists()


def test_auto_is_the_default(net, pictures, tmp_path) -> None:
    """Without names the automatic layers are scanned, and a glob means what it matches."""
    few = ls.images(pictures, limit=6)
    build(net, few, tmp_path / "auto.atlas", layers="auto", methods=("gradient",))
    assert rows(tmp_path / "auto.atlas", "SELECT name, auto FROM layer") == [(name, 1) for name in LAYERS]
    build(net, few, tmp_path / "glob.atlas", layers="conv*", methods=("gradient",))
    assert [name for (name,) in rows(tmp_path / "glob.atlas", "SELECT name FROM layer")] == ["conv1", "conv2", "conv3"]
