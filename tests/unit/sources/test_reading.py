"""How picture files are read is the user's choice where libraries differ, and a part of the run's identity."""

import logging
import warnings

import numpy as np
import pytest
import torchvision
from PIL import Image

from layerscope.core.errors import UsageError
from layerscope.core.records import Input
from layerscope.sources import open_source

INPUT = Input(height=12, width=20, crop="squash")


@pytest.fixture
def turned(tmp_path, draw, encode):
    """Three pictures of a class, stored lying with EXIF orientations 1, 6 and 3."""
    for number, orientation in enumerate((1, 6, 3)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        (tmp_path / "photos/cat").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"photos/cat/{number}.png").write_bytes(encode(draw(number, 12, 20), exif=exif))
    return tmp_path / "photos"


def test_stored_pictures_are_those_that_torchvision_sees(turned):
    """ImageFolder does not heed the EXIF orientation; by default it is applied."""
    wanted = [np.asarray(item) for item, _ in torchvision.datasets.ImageFolder(turned)]
    stored = open_source(turned, orientation="stored").load(range(3), INPUT)
    seen = np.rint(stored.pixels.transpose(0, 2, 3, 1) * 255).astype(np.uint8)
    assert np.array_equal(seen, np.stack(wanted))
    assert [(record.height, record.width) for record in stored.records] == [(12, 20)] * 3
    upright = open_source(turned).load(range(3), INPUT).records
    assert [(record.height, record.width) for record in upright] == [(12, 20), (20, 12), (12, 20)]


def test_how_pictures_are_read_tells_runs_apart_where_it_is_unusual(turned):
    """And the usual reading has the identity that it always had."""
    usual = open_source(turned)
    assert list(usual.identity()) == [repr(item) for item in usual.listing()]
    same = open_source(turned, orientation="upright", max_pixels=178_956_970)
    assert list(same.identity()) == list(usual.identity())
    others = [open_source(turned, orientation="stored"), open_source(turned, max_pixels=240)]
    assert len({tuple(source.identity()) for source in (usual, *others)}) == 3


def test_larger_pictures_are_read_where_they_are_allowed(turned, monkeypatch):
    """By default they are skipped with the way out; Pillow's own limit, and its warning, play no part."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_source(turned, max_pixels=240).check() == ()
        (turned / "cat/3.png").write_bytes((turned / "cat/0.png").read_bytes())
        Image.new("RGB", (16, 15)).save(turned / "cat/4.png")
        Image.new("RGB", (16, 16)).save(turned / "cat/5.png")
        (record,) = open_source(turned, max_pixels=240).check()
    assert record.source == "cat/5.png" and "16 x 16 px, above the limit of 240 px" in (record.skipped or "")
    assert "--max-pixels" in (record.skipped or "")


def test_readings_that_make_no_sense_are_refused(turned):
    """Each is one sentence; an open source is read as it was opened."""
    with pytest.raises(UsageError, match='orientation must be "upright" or "stored", got "left"'):
        open_source(turned, orientation="left")
    with pytest.raises(UsageError, match="max_pixels must be at least 1"):
        open_source(turned, max_pixels=0)
    with pytest.raises(UsageError, match="already open"):
        open_source(open_source(turned), orientation="stored")


def test_pillows_log_is_not_shown_unless_someone_listens(caplog, capfd):
    """Its records reach whoever asks for them."""
    logging.getLogger("PIL.TiffImagePlugin").error("More samples per pixel than can be decoded: 13")
    assert "More samples" in caplog.text and capfd.readouterr() == ("", "")
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("PIL").handlers)


def test_a_limit_that_leaves_classes_out_is_said(tmp_path, draw, encode):
    """The first so many files are of the first classes; that is told, for files, archives and Datasets alike."""
    for number, name in enumerate(("a/0", "a/1", "b/2", "c/3")):
        (tmp_path / "t" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "t" / f"{name}.png").write_bytes(encode(draw(number)))
    for images in (tmp_path / "t", torchvision.datasets.ImageFolder(tmp_path / "t")):
        (remark,) = open_source(images, limit=2).remarks(INPUT)
        assert remark.startswith("the first 2 images hold 1 of the 3 classes (a)")
        assert "2 of the 3 classes (a, b)" in open_source(images, limit=3).remarks(INPUT)[0]
        assert open_source(images, limit=4).remarks(INPUT) == open_source(images).remarks(INPUT) == ()
