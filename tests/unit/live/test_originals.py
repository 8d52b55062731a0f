"""The originals of an atlas's images: found by name near it, in what the user names, or drawn again; only by their hash."""

import shutil
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import layerscope as ls
from layerscope.atlas.read import AtlasFile
from layerscope.core.records import ImageRecord, Input
from layerscope.live.originals import Originals
from layerscope.sources import open_source
from layerscope.world import World

INPUT = Input(height=24, width=24)


@pytest.fixture
def file(made):
    with AtlasFile(made.atlas) as found:
        yield found


def listed(images: str, records: list[ImageRecord], place: Path) -> Any:
    """What is asked of an atlas file, of these images."""
    return SimpleNamespace(
        path=place / "a.atlas", run=SimpleNamespace(images=images), image=lambda image: records[image],
        image_count=lambda: len(records),
    )  # fmt: skip


def records_of(source) -> list[ImageRecord]:
    return list(source.load(range(len(source)), INPUT).records)


def test_a_file_beside_the_atlas_is_found_by_its_name(made, file):
    """In the folder that the run names, next to the atlas: the input is the scan's, to the last bit."""
    for image in (0, 7):
        batch = Originals(file, places=[made.atlas.parent]).load(file.image(image), made.net.input)
        assert batch is not None and np.array_equal(batch.pixels, made.prepared(image))


def test_the_folder_itself_will_do(made, file):
    """Whoever works in the images' own folder has them at hand, too; elsewhere they are not found."""
    record = file.image(3)
    assert Originals(file, places=[made.atlas.parent / "photos"]).load(record, made.net.input) is not None
    assert Originals(file, places=[made.atlas.parent / "nowhere"]).load(record, made.net.input) is None


def test_other_bytes_under_the_name_are_not_the_original(made, file, tmp_path):
    """Not even of the same length: one byte that differs, and the file does not count."""
    record = file.image(2)
    path = tmp_path / "photos" / record.source
    path.parent.mkdir(parents=True)
    content = bytearray(made.encoded(2))
    path.write_bytes(content)
    assert Originals(file, places=[tmp_path]).load(record, made.net.input) is not None
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert Originals(file, places=[tmp_path]).load(record, made.net.input) is None


@pytest.mark.parametrize("name", ["../outside.png", "/outside.png", "a/../../outside.png"])
def test_a_name_that_leads_out_is_none(tmp_path, name):
    """S: an atlas of a stranger reads no file elsewhere, whatever hash it says."""
    inside = tmp_path / "inside"
    (inside / "a").mkdir(parents=True)
    Image.new("RGB", (30, 30), (9, 8, 7)).save(tmp_path / "outside.png")
    (record,) = records_of(open_source(tmp_path / "outside.png"))
    known = listed("inside/ (1 file)", [record], inside)
    assert Originals(known, places=[tmp_path]).load(record, INPUT) is not None
    named = ImageRecord(**{name: getattr(record, name) for name in record.__slots__} | {"source": name})
    assert Originals(known, places=[inside]).load(named, INPUT) is None


def test_images_that_the_user_names_are_found_in_any_order(made, file, tmp_path):
    """By name, whatever else lies there, and wherever that is."""
    shutil.copytree(made.atlas.parent / "photos", tmp_path / "moved")
    Image.new("RGB", (30, 30)).save(tmp_path / "moved" / "0-another.png")
    source = ls.images(tmp_path / "moved")
    batch = Originals(file, source, places=[]).load(file.image(5), made.net.input)
    assert batch is not None and np.array_equal(batch.pixels, made.prepared(5))
    assert Originals(file, places=[]).load(file.image(5), made.net.input) is None


def test_members_of_an_archive_are_found(made, tmp_path):
    """An archive of the run's name beside the atlas."""
    with tarfile.open(tmp_path / "some.tar", "w") as archive:
        archive.add(made.atlas.parent / "photos", "photos")
    records = records_of(open_source(tmp_path / "some.tar"))
    batch = Originals(listed("some.tar (16 images)", records, tmp_path), places=[tmp_path]).load(records[4], INPUT)
    assert batch is not None and batch.records[0].sha256 == records[4].sha256


def test_a_world_is_drawn_again(tmp_path):
    """By its first and its last picture, whatever its seed."""
    source = open_source(World(6, seed=3, size=32))
    records = records_of(source)
    batch = Originals(listed("World (6 items)", records, tmp_path), places=[]).load(records[2], INPUT)
    assert batch is not None and np.array_equal(batch.pixels, source.load([2], INPUT).pixels)
    others = [*records[:5], ImageRecord(id=5, source="5", sha256="0" * 64, height=32, width=32)]
    assert Originals(listed("World (6 items)", others, tmp_path), places=[]).load(records[2], INPUT) is None


@pytest.mark.parametrize("orientation", ["upright", "stored"])
def test_a_turned_photograph_is_read_as_it_was_scanned(tmp_path, orientation):
    """Upright or as it lies in the file: as the scan's size says."""
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "photos").mkdir()
    Image.effect_noise((40, 30), 80).convert("RGB").save(tmp_path / "photos" / "a.jpg", exif=exif)
    source = open_source(tmp_path / "photos", orientation=orientation)
    records = records_of(source)
    assert (records[0].height, records[0].width) == ((40, 30) if orientation == "upright" else (30, 40))
    batch = Originals(listed("photos/ (1 file)", records, tmp_path), places=[tmp_path]).load(records[0], INPUT)
    assert batch is not None and np.array_equal(batch.pixels, source.load([0], INPUT).pixels)
