"""A run is known by its images: what else lies among them, the atlas itself first of all, may come and go."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import layerscope as ls
from layerscope.api.verbs import check
from layerscope.atlas.compare import content_digest
from layerscope.sources import open_source
from tests.helpers.building import Hook, Log, small_network

LAYERS = ["relu1", "relu3"]


@pytest.fixture(scope="module")
def net() -> ls.Network:
    return small_network()


def photos(folder: Path) -> Path:
    """Pictures of two classes and one that is broken."""
    for number in range(6):
        path = folder / "photos" / "ab"[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (50, 60, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    (folder / "photos/b/broken.jpg").write_bytes(b"\xff\xd8\xff")
    return folder / "photos"


def build(net: ls.Network, images: object, out: Path, log: Log, **options) -> None:
    ls.build(net, images, out, layers=LAYERS, k=4, progress=log, **options).close()


def stopped(net: ls.Network, images: object, out: Path, stage: str) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(net, images, out, Hook(stage_name=stage, after=1, do=interrupt))


@pytest.mark.parametrize("name", ["mine.atlas", pytest.param("mine.db", marks=pytest.mark.wide)])
def test_a_build_goes_on_wherever_its_atlas_lies(net, tmp_path, name) -> None:
    """Stopped in each stage, with notes, plates and the atlas itself among the images, it ends as one elsewhere did."""
    elsewhere = tmp_path / "elsewhere.atlas"
    build(net, photos(tmp_path / "apart"), elsewhere, Log())
    images = photos(tmp_path / "together")
    out = images / name
    for stage in ("scan", "project", "sheets"):
        stopped(net, images, out, stage)
        (images / f"after {stage}.txt").write_text("notes")
    build(net, images, out, Log())
    assert content_digest(out) == content_digest(elsewhere)
    with ls.open(out) as atlas:
        ls.figure(atlas, "relu1").save(images / "plate.png")
    log = Log()
    build(net, images, out, log)
    assert log.said[-1] == f"{out} is complete: nothing is missing" and not log.stages
    assert check(out, net, images).failed == ()
    build(net, images, out, Log(), methods=["gradient"])
    with ls.open(out) as atlas:
        assert len(atlas.to_frame("images")) == 7


def test_an_atlas_of_version_0_1_0_among_other_files_is_known(net, tmp_path) -> None:
    """It numbered notes as well; its fingerprint is the SHA-256 of identity and size of all files, worked out here."""
    images = photos(tmp_path)
    (images / "a/notes.txt").write_text("which of these?")
    out = tmp_path / "old.atlas"
    build(net, open_source(images).former(), out, Log())
    files = sorted(str(path.relative_to(images)) for path in images.rglob("*") if path.is_file())
    digest = hashlib.sha256(b"".join(repr((f, (images / f).stat().st_size)).encode() + b"\0" for f in files))
    with ls.open(out) as atlas:
        assert atlas.file.run.fingerprint["images"] == digest.hexdigest()
        assert [record.source for record in atlas.file.images()] == files
    log = Log()
    build(net, images, out, log)
    assert log.said[-1] == f"{out} is complete: nothing is missing"
    build(net, images, out, Log(), methods=["gradient"])
    assert check(out, net, images).failed == ()
    with ls.open(out) as atlas:
        signal, _ = atlas["relu3"][0].signal(0, "guided", net=net, images=images)
        assert signal.shape[0] == 3


def test_a_folder_of_images_only_is_known_as_it_always_was(net, tmp_path) -> None:
    """The fingerprint of version 0.1.0, worked out here."""
    images = photos(tmp_path)
    source = open_source(images)
    files = sorted(str(path.relative_to(images)) for path in images.rglob("*") if path.is_file())
    assert list(source.identity()) == [repr((name, (images / name).stat().st_size)) for name in files]
    assert source.former() is None


def test_what_is_odd_is_said_before_the_scan(net, tmp_path) -> None:
    """Remarks come first, whatever kind of images they are on."""
    images = photos(tmp_path)
    (images / "list.csv").write_text("x")
    log = Log()
    build(net, images, tmp_path / "a.atlas", log, limit=3)
    assert log.said[0] == "1 other file is no image (1 .csv)"
    assert log.said[1].startswith("the first 3 images hold 1 of the 2 classes (a)")
    floats = np.random.default_rng(0).uniform(0, 1, (4, 3, 40, 48)).astype(np.float32)
    log = Log()
    build(net, list(floats), tmp_path / "b.atlas", log)
    assert "as pictures do before mean and std are taken off" in log.said[0]
