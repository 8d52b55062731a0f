"""What an atlas is asked at little cost is what all its images say, without reading them all."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from layerscope.api.answers import answers
from layerscope.api.atlas import open as open_atlas
from layerscope.api.intervening import world_of
from layerscope.atlas.read import AtlasFile
from layerscope.changes.diff import common_images
from layerscope.core.errors import UsageError
from layerscope.known.network import UNIT_NAMES
from layerscope.known.pictures import Picture
from tests.helpers.atlases import small_atlas


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    """Of 24 images the last but one is a copy, the last was skipped."""
    return small_atlas(tmp_path_factory.mktemp("light") / "small.atlas", images=24)


def changed(path: Path, to: Path, *statements: str) -> Path:
    shutil.copy(path, to)
    with closing(sqlite3.connect(to)) as atlas, atlas:
        for statement in statements:
            atlas.execute(statement)
    return to


def test_hashes_and_ends_are_those_of_all_images(path: Path, tmp_path: Path) -> None:
    """Copies, skipped images and those without a hash are left out; where no image has one, nothing is found."""
    early = changed(path, tmp_path / "early.atlas", "UPDATE image SET sha256 = NULL WHERE id IN (0, 5)")
    none = changed(path, tmp_path / "none.atlas", "UPDATE image SET sha256 = NULL")
    for each in (path, early, none):
        with AtlasFile(each) as file:
            images = file.images()
            hashed = [one for one in images if one.sha256 is not None]
            scanned = [one for one in hashed if one.skipped is None and one.duplicate_of is None]
            assert file.scanned_hashes() == [(one.id, one.sha256) for one in scanned]
            assert file.ends() == tuple(hashed[place] for place in (0, -1) if hashed)


def test_sources_of_peaks_are_those_of_their_images(path: Path) -> None:
    """Of each layer, of all images in which it has peaks and of no other."""
    with AtlasFile(path) as file:
        for layer in file.layers:
            peaks = {image for image in file.all_peaks(layer.id).image.ravel().tolist() if image >= 0}
            assert file.peak_sources(layer.id) == {image: file.image(image).source for image in peaks}


def test_nobody_reads_all_images_who_asks_for_a_few(path: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    """What a build says at its end, images in common, the world of an atlas, and the known network's answers."""
    from layerscope.cli.output import Output
    from layerscope.cli.verbs.build import show_built

    other = changed(path, tmp_path / "other.atlas", "UPDATE run SET fingerprint = '{}'")
    names = list(UNIT_NAMES)
    known = changed(
        path, tmp_path / "known.atlas", "UPDATE image SET source = id || '.png'",
        *(f"UPDATE layer SET name = '{name}' WHERE id = {number}" for number, name in enumerate(names)),
    )  # fmt: skip
    monkeypatch.setattr(AtlasFile, "images", None)
    with AtlasFile(path) as file, AtlasFile(other) as second:
        assert common_images(file, second)[2] == 22
    with pytest.raises(UsageError, match="were not drawn by layerscope"):
        world_of(path)
    with AtlasFile(known) as file:
        drawn = [Picture(pixels=file.picture(0), plants=(), label="") for _ in range(24)]
        assert [one.patches for one in answers(file, drawn)] == [0] * len(names)
    with open_atlas(path) as atlas:
        show_built(atlas, 1.0, Output(json=False, quiet=False))
    assert "24 images (1 skipped" in capsys.readouterr().out
