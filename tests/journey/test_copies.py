"""Copies of an image leave no trace but their record: the atlas is that of the originals alone."""

import io
import shutil
import signal
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import layerscope as ls
from layerscope.api.verbs import check
from layerscope.atlas.compare import content_digest
from layerscope.atlas.write import AtlasWriter
from layerscope.cli.output import Output
from layerscope.cli.verbs.build import show_built
from layerscope.core.errors import AtlasError
from layerscope.graph import Program
from tests.helpers.building import LAYERS, Hook, K, Log, die, dies_at_call, in_a_child

OWN = 40
# Each original that has copies, and in which of the folders behind its own they lie.
COPIED = {0: ("c1", "c2", "c3"), 7: ("c3",), 11: ("c2", "c3"), 12: ("c2",)}


def build(net: object, images: object, out: Path, **options) -> Log:
    log = Log()
    ls.build(net, images, out=out, **{"layers": LAYERS, "k": K, "progress": log, **options}).close()
    return log


def ask(path: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of four classes with copies in later ones, and the same folder without them."""
    root = tmp_path_factory.mktemp("copies")
    rng = np.random.default_rng(0)
    for image in range(OWN):
        pixels = Image.fromarray(rng.integers(0, 256, (10, 12, 3), np.uint8)).resize((60, 50))
        for folder in ("with", "without"):
            for name in (f"c{image * 4 // OWN}", *(COPIED.get(image, ()) if folder == "with" else ())):
                path = root / folder / name / f"{image:02}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels.save(path)
    return root / "with", root / "without"


@pytest.fixture(scope="module")
def atlases(net, folders, tmp_path_factory) -> tuple[Path, Path, Log]:
    """The atlases of both folders, and what the build of the one with copies said."""
    at = tmp_path_factory.mktemp("atlases")
    log = build(net, folders[0], at / "with.atlas")
    build(net, folders[1], at / "without.atlas")
    return at / "with.atlas", at / "without.atlas", log


def by_name(path: Path, query: str) -> list[tuple]:
    """Rows whose last column is an image, by the image's file in place of its number."""
    names = dict(ask(path, "SELECT id, source FROM image"))
    return [(*row, names[image]) for *row, image in ask(path, query)]


def test_a_copy_has_no_peaks_and_counts_in_nothing(atlases) -> None:
    """Peaks, strata, units, neighbours and figures are those of the folder without copies; only records are more."""
    with_, without, _ = atlases
    copies = sum(map(len, COPIED.values()))
    assert ask(with_, "SELECT count(*), count(duplicate_of) FROM image") == [(OWN + copies, copies)]
    for query in (
        "SELECT layer, unit, rank, value, row, col, source_top, image FROM peak",
        "SELECT layer, unit, percentile, rank, value, row, col, source_top, image FROM stratum",
        "SELECT codec, height, width, pixels, image FROM picture",
    ):
        assert sorted(by_name(with_, query)) == sorted(by_name(without, query))
    same, other = content_digest(with_), content_digest(without)
    assert {table for table in same if same[table] != other[table]} == {
        "image",
        "peak",
        "stratum",
        "picture",
        "statistic",
    }
    query = "SELECT name, layer, method, value FROM statistic WHERE name <> 'copies' ORDER BY 1, 2, 3"
    assert ask(with_, query) == ask(without, query)


def test_copies_are_said(net, folders, atlases, capsys) -> None:
    """By the build, with those that lie in another class; in the atlas, which `check` finds sound."""
    path, _, log = atlases
    assert any(said.startswith("7 of 47 images are copies of others") for said in log.said)
    assert any("7 of the copies lie in another class" in said and '"c1/00.png" is in "c1"' in said for said in log.said)
    with ls.open(path) as atlas:
        assert atlas.file.copies_left_out() == 7
        assert "Images: 40 of with/ (47 files), 7 copies left out" in ls.figure(atlas, "relu2", count=2).caption
        for json, words in ((False, "47 images (7 copies left out), "), (True, '"copies": 7')):
            show_built(atlas, 1.0, Output(json=json, quiet=True))
            assert words in capsys.readouterr().out
    assert not check(path, net, folders[0]).failed
    assert not any("copies" in said for said in build(net, folders[1], path.with_name("again.atlas")).said)


def test_a_copy_costs_no_forward_pass(net, folders, tmp_path, monkeypatch) -> None:
    """The scan runs as many batches as the originals fill."""
    ran: list[int] = []
    plain = Program.visit

    def counted(self: Program, x, wanted, see):
        ran.append(len(x))
        return plain(self, x, wanted, see)

    monkeypatch.setattr(Program, "visit", counted)
    at = Hook(stage_name="sample", after=0, do=lambda: ran.append(-1))
    build(net, folders[0], tmp_path / "a.atlas", progress=at)
    assert ran[: ran.index(-1)] == [32, 32]


@pytest.mark.parametrize("kind", ["tar", "dataset", "one thread"])
@pytest.mark.thin(3)
def test_every_kind_of_source_leaves_copies_out(kind: str, net, folders, atlases, tmp_path) -> None:
    """The same peaks from an archive, from a Dataset of pictures, and with one thread."""
    files = sorted(path for path in folders[0].rglob("*.png"))
    images: object = folders[0]
    if kind == "tar":
        images = tmp_path / "all.tar"
        with tarfile.open(images, "w") as tar:
            for path in files:
                tar.add(path, path.relative_to(folders[0]))
    elif kind == "dataset":
        images = [Image.open(io.BytesIO(path.read_bytes())) for path in files]
    build(net, images, tmp_path / "a.atlas", workers=1)
    query = "SELECT layer, unit, rank, value, row, col, image FROM peak"
    assert ask(tmp_path / "a.atlas", query) == ask(atlases[0], query)


@pytest.mark.parametrize(
    "moment",
    [
        ("scan", 5),
        *(pytest.param((AtlasWriter, *call), marks=pytest.mark.wide) for call in (("put_units", 2), ("put_images", 1))),
    ],
)
@pytest.mark.wide
def test_killed_and_resumed_copies_stay_out(moment, net, pictures, tmp_path) -> None:
    """Copies in the second shard of images of the first: the same bytes as undisturbed."""
    folder = tmp_path / "pictures"
    shutil.copytree(pictures, folder)
    first = sorted(path for path in folder.rglob("*") if path.is_file())[:20]
    for path in first:
        target = folder / "zz" / path.name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    build(net, folder, tmp_path / "whole.atlas")
    assert ask(tmp_path / "whole.atlas", "SELECT count(duplicate_of) FROM image") == [(20,)]

    def until_then() -> None:
        hook = Hook()
        if isinstance(moment[0], str):
            hook = Hook(stage_name=moment[0], after=moment[1], do=die)
        else:
            dies_at_call(*moment)
        build(net, folder, tmp_path / "killed.atlas", progress=hook)

    assert in_a_child(until_then) == signal.SIGKILL
    build(net, folder, tmp_path / "killed.atlas")
    assert content_digest(tmp_path / "killed.atlas") == content_digest(tmp_path / "whole.atlas")


def test_layers_do_not_join_those_that_counted_copies(net, folders, tmp_path) -> None:
    """An atlas of an early version that scanned copies is refused new layers in one sentence, and stays readable."""
    path = tmp_path / "a.atlas"
    build(net, folders[0], path, layers=["relu1"])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE statistic SET value = '47' WHERE name = 'images'")
        connection.execute("DELETE FROM statistic WHERE name = 'copies'")
    before = content_digest(path)
    with pytest.raises(AtlasError, match="counted 7 copies of images as images of their own; no layers can be added"):
        build(net, folders[0], path, layers=["relu1", "relu2"])
    assert content_digest(path) == before
    with ls.open(path) as atlas:
        assert atlas.file.copies_left_out() == 0 and atlas["relu1"][0].peaks


def test_pictures_of_other_colours_are_no_copies(net, tmp_path) -> None:
    """Items of a Dataset with the same palette indices but other palettes, or other shapes, are images of their own."""
    indices = Image.fromarray(np.random.default_rng(0).integers(0, 4, (40, 48), np.uint8), "P")
    images = []
    for shade in (60, 200):
        indices.putpalette([channel for index in range(4) for channel in (index * 20, shade, 30)])
        images.append(indices.copy())
    zeros = [np.zeros(shape, np.uint8) for shape in ((40, 48, 3), (48, 40, 3), (40, 48, 3))]
    build(net, [*images, *zeros], tmp_path / "a.atlas")
    assert ask(tmp_path / "a.atlas", "SELECT id, duplicate_of FROM image WHERE duplicate_of IS NOT NULL") == [(4, 2)]
