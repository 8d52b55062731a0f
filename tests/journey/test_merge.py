"""Atlases of parts, merged and gone on with: the rows of one build over all images; and refusals."""

import json
import shlex
import shutil
import signal
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import layerscope as ls
from layerscope.atlas.compare import content_digest
from layerscope.atlas.write import AtlasWriter
from layerscope.cli.entry import main
from layerscope.core.errors import AtlasError, UsageError, WrongModel
from layerscope.pipeline.settings import SHARD
from tests.helpers.building import K, Log, dies_at_call, in_a_child, pictures_as_files, small_network

LAYERS = ["relu1", "relu3"]
HOW = {"layers": LAYERS, "k": K, "units": 4, "codec": "png", "progress": False}
GIVEN = "--layers relu1,relu3 --k 5 --units 4 --codec png"
COUNT = 2 * SHARD + 44
# What an engine that proposes leaves.
PROPOSED = """INSERT INTO statistic (name, value) VALUES ('engine', '{"name": "halves"}')"""
# What a merge makes whole; of other tables the build that goes on with it fills in more.
OF_THE_SCAN = {"image", "node", "edge", "filter", "unit", "neighbour"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with classes; among the first some that are copies or broken, in each of the parts that are made."""
    folder = pictures_as_files(tmp_path_factory.mktemp("merge") / "drawn", COUNT - 4)
    names = sorted(folder.rglob("*.png"))
    for place in (3, 150):
        shutil.copy(names[place], names[place].with_name(f"{names[place].stem}_copy.png"))
        names[place].with_name(f"{names[place].stem}_broken.png").write_bytes(names[place].read_bytes()[:200])
    return folder


@pytest.fixture(scope="module")
def made(net: ls.Network, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Atlases of the whole, and of three parts, the first two of which fill shards."""
    out = tmp_path_factory.mktemp("parts")
    parts = {"a": (0, SHARD), "b": (SHARD, 2 * SHARD), "c": (2 * SHARD, COUNT)}
    for name, (begin, end) in parts.items():
        ls.build(net, folder, out / f"{name}.atlas", begin=begin, end=end, **HOW).close()
    ls.build(net, folder, out / "whole.atlas", **HOW).close()
    return {name: out / f"{name}.atlas" for name in (*parts, "whole")}


def digest(path: Path, but: set[str] = frozenset()) -> dict[str, str]:
    return {table: rows for table, rows in content_digest(path).items() if table not in but}


def test_merged_and_gone_on_with_it_is_one_build(
    net: ls.Network, folder: Path, made: dict[str, Path], tmp_path: Path
) -> None:
    """Every row of every table; and not one image is scanned again."""
    out = tmp_path / "merged.atlas"
    log = Log()
    with ls.merge([made["a"], made["b"], made["c"]], out, progress=log) as atlas:
        assert atlas.finished and atlas.file.image_count() == COUNT
        assert len(atlas["relu1"][0].peaks) == K and atlas["relu1"][0].statistics is not None
    scan, whole = digest(out), digest(made["whole"])
    assert {table: scan[table] for table in OF_THE_SCAN} == {table: whole[table] for table in OF_THE_SCAN}
    log = Log()
    ls.build(net, folder, out, **{**HOW, "progress": log}).close()
    assert "scan" not in [stage[0] for stage in log.stages]
    assert digest(out) == whole
    ls.build(net, folder, out, **HOW).close()
    assert digest(out) == whole


def test_groups_of_merges_change_no_row(made: dict[str, Path], tmp_path: Path) -> None:
    """(A + B) + C and A + (B + C) are A + B + C, in every row and in the sums that they keep for the next."""
    a, b, c = made["a"], made["b"], made["c"]
    ls.merge([a, b], tmp_path / "ab", progress=False).close()
    ls.merge([b, c], tmp_path / "bc", progress=False).close()
    groups = {"abc": [a, b, c], "ab_c": [tmp_path / "ab", c], "a_bc": [a, tmp_path / "bc"]}
    found = {}
    for name, parts in groups.items():
        ls.merge(parts, tmp_path / name, progress=False).close()
        found[name] = digest(tmp_path / name)
    assert found["abc"] == found["ab_c"] == found["a_bc"]


def test_parts_that_fill_no_shards_are_nearly_one_build(
    net: ls.Network, folder: Path, made: dict[str, Path], tmp_path: Path
) -> None:
    """The merge says so; images, counts and the images of peaks are those of one build, maxima to their last digits."""
    for name, (begin, end) in {"x": (0, 100), "y": (100, COUNT)}.items():
        ls.build(net, folder, tmp_path / name, begin=begin, end=end, **HOW).close()
    log = Log()
    with ls.merge([tmp_path / "x", tmp_path / "y"], tmp_path / "xy", progress=log) as both:
        assert any("do not fill whole shards of 128" in sentence for sentence in log.said)
        with ls.open(made["whole"]) as one:
            assert list(both.file.images()) == list(one.file.images())
            for layer in one.file.layers:
                mine, theirs = (file.unit_statistics(layer.id) for file in (both.file, one.file))
                np.testing.assert_array_equal(mine.images_above, theirs.images_above)
                np.testing.assert_allclose(mine.maximum, theirs.maximum, rtol=1e-5)
                np.testing.assert_allclose(mine.class_means, theirs.class_means, rtol=1e-4, atol=1e-6)
                peaks, others = (file.all_peaks(layer.id) for file in (both.file, one.file))
                np.testing.assert_array_equal(peaks.image, others.image)


@pytest.fixture(scope="module")
def few(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Pictures under names of their own: the first two are in the parts too."""
    out, names = tmp_path_factory.mktemp("few"), sorted(folder.rglob("*.png"))
    for number in range(8):
        drawn = np.random.default_rng(number).integers(0, 256, (40, 48, 3)).astype(np.uint8)
        if number < 2:
            shutil.copy(names[number], out / f"own{number}.png")
        else:
            Image.fromarray(drawn).save(out / f"own{number}.png")
    return sorted(out.iterdir())


def test_what_cannot_be_merged_is_refused(
    net: ls.Network, few: list[Path], made: dict[str, Path], tmp_path: Path
) -> None:
    """With what differs, and what to do; nothing is left behind, and what stood there stays."""
    how = {**HOW, "units": 1, "methods": ["deconvnet"], "mergeable": True}
    others = {
        "apart": (net, few[2:], {}), "seed": (net, few[2:], {"seed": 3}), "layers": (net, few[2:], {"layers": "relu1"}),
        "weights": (small_network(1), few[2:], {}), "stored": (net, few[2:], {"orientation": "stored"}),
        "like a": (net, few, {"units": 4}),
    }  # fmt: skip
    for name, (network, images, options) in others.items():
        ls.build(network, images, tmp_path / f"{name}.atlas", **{**how, **options}).close()
    files = {name: tmp_path / f"{name}.atlas" for name in others}
    edits = {"unfinished": "UPDATE run SET finished = NULL", "proposed": PROPOSED, "copied": "SELECT 1"}
    for name, edit in edits.items():
        files[name] = shutil.copy(files["apart"], tmp_path / f"{name}.atlas")
        with closing(sqlite3.connect(files[name])) as connection, connection:
            connection.execute(edit)
    (tmp_path / "there").write_bytes(b"mine")

    def refused(first: Path, other: Path, kind: type[Exception], said: str, out: str = "new") -> None:
        with pytest.raises(kind, match=said):
            ls.merge([first, other], tmp_path / out, progress=False)

    for name, kind, said in [
        ("apart", UsageError, "apart.atlas is named twice"),
        ("copied", UsageError, r"6 images are in two of the atlases, for they have the same names: .*own2.png.* of "),
        ("seed", WrongModel, "seed.atlas cannot be merged with .*apart.atlas.*: settings.seed was 0, is 3"),
        ("layers", WrongModel, "layers were relu1, relu3, are relu1"),
        ("weights", WrongModel, "the weights are not the same"),
        ("stored", WrongModel, "images were read with the usual settings, are with orientation=stored"),
        ("unfinished", AtlasError, "unfinished.atlas is unfinished: run its build again"),
        ("proposed", AtlasError, "was made by the engine halves"),
    ]:
        refused(files["apart"], files[name], kind, said)
    same = r'2 images are in two of the atlases, for they hold the same bytes: .*" of .*"own0'
    refused(made["a"], files["like a"], UsageError, same)
    refused(made["a"], made["whole"], AtlasError, "whole.atlas holds statistics, but not the sums .* with --mergeable")
    refused(made["a"], made["b"], AtlasError, "there exists already", "there")
    with pytest.raises(UsageError, match="one atlas is whole already"):
        ls.merge([made["a"]], tmp_path / "new", progress=False)
    assert (tmp_path / "there").read_bytes() == b"mine"
    assert {path.name for path in tmp_path.iterdir()} == {"there", *(f"{name}.atlas" for name in files)}


def test_killed_it_is_not_there_and_comes_whole_the_next_time(
    net: ls.Network, folder: Path, made: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whenever it ends; the command says how to go on; a build that goes on is told which image is another."""
    parts, out = [made["b"], made["c"]], tmp_path / "new"

    def ends(name: str) -> None:
        dies_at_call(AtlasWriter, name, 1)
        ls.merge(parts, out, progress=False)

    for name in ("put_images_of", "put_units", "finish_run"):
        assert in_a_child(partial(ends, name)) == signal.SIGKILL
        assert not out.exists()
    assert main(["merge", *map(str, parts), "-o", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    go_on = f"layerscope build NETWORK --images IMAGES --from {SHARD} -o {out} {GIVEN}"
    assert (said["images"], said["next"]) == (COUNT - SHARD, go_on)
    missing = [
        "in place of NETWORK put the network (Small), as the command line names it",
        "in place of IMAGES put the way to drawn/",
    ]
    assert said["missing"] == missing
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    with pytest.raises(WrongModel, match=r'new holds other images: number 0 is ".*" in it, and ".*" here'):
        ls.build(net, folder, out, **HOW)


NETWORK = """
import torch
from torch import nn
import layerscope as ls

INPUT = ls.Input(height=8, width=8)


def tiny():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
"""


def test_the_command_that_is_printed_goes_on(
    few: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands, where the parts tell network and images; of parts with a gap nobody knows one source."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NETWORK)
    shutil.copytree(few[0].parent, tmp_path / "photos")
    how = ["--images", "photos", "--k", "1", "--orientation", "stored", "--method", "deconvnet", "--quiet"]
    for name, part in {"a": ["--to", "3"], "b": ["--from", "3", "--to", "6"], "c": ["--from", "6"]}.items():
        assert main(["build", "net.py:tiny", *how, *part, "-o", f"{name}.atlas"]) == 0
    told, orders = {}, {}
    for parts in ("ab", "bc", "abc", "ac", "ba"):
        capsys.readouterr()
        assert main(["merge", *(f"{name}.atlas" for name in parts), "-o", f"{parts}.atlas", "--json", "--quiet"]) == 0
        said = json.loads(capsys.readouterr().out)
        told[parts] = said["next"].partition(" -o ")[0].partition("--images ")[2], bool(said["missing"])
        orders[parts] = [sentence for sentence in said["missing"] if sentence.startswith("or merge")]
        if not said["missing"]:
            assert main([*shlex.split(said["next"])[1:], "--quiet"]) == 0
    read = "--orientation stored"
    assert told == {
        "ab": (f"photos --to 6 {read}", False), "bc": (f"photos --from 3 {read}", False),
        "abc": (f"photos {read}", False), "ac": (f"IMAGES {read}", True), "ba": (f"IMAGES {read}", True),
    }  # fmt: skip
    right = "or merge the parts in the order of their images: a.atlas b.atlas"
    assert orders == {"ab": [], "bc": [], "abc": [], "ac": [], "ba": [right]}


def test_images_elsewhere_are_named_by_the_manifest(
    few: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each part beside it; where one has none, the folder is not known."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NETWORK)
    shutil.make_archive("all", "zip", few[0].parent)
    for name, part in {"a": ["--to", "3"], "b": ["--from", "3"]}.items():
        words = ["net.py:tiny", "--images", "zip://::all.zip", "--k", "1", "--method", "deconvnet", *part, "--quiet"]
        assert main(["build", *words, "-o", f"{name}.atlas"]) == 0
    for out, place in {"ab.atlas": "zip://::all.zip", "unknown.atlas": "IMAGES"}.items():
        capsys.readouterr()
        assert main(["merge", "a.atlas", "b.atlas", "-o", out, "--json", "--quiet"]) == 0
        assert f" --images {place} -o {out} " in json.loads(capsys.readouterr().out)["next"]
        (tmp_path / "b.atlas.manifest").unlink(missing_ok=True)
