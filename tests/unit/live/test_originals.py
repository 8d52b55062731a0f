"""The originals of an atlas's images: found by name, or drawn again; known by their hash."""

import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import layerscope as ls
from layerscope.atlas.read import AtlasFile
from layerscope.core.records import ImageRecord, Input
from layerscope.live.originals import Originals
from layerscope.sources import Source, open_source
from layerscope.world import World

INPUT = Input(height=24, width=24)


@pytest.fixture
def file(made):
    with AtlasFile(made.atlas) as found:
        yield found


def near(file: AtlasFile, *places: Path, source: Source | None = None) -> Originals:
    """Those of an atlas, looked for in these folders alone."""
    return Originals(file.run.images, file.image, file.image_count(), places=places, source=source)


def listed(images: str, records: list[ImageRecord], *places: Path) -> Originals:
    """Those of a run that calls its images so."""
    return Originals(images, records.__getitem__, len(records), places=places)


def records_of(source) -> list[ImageRecord]:
    return list(source.load(range(len(source)), INPUT).records)


def test_a_file_beside_the_atlas_is_found_by_its_name(made, file):
    """In the folder that the run names, next to the atlas: the input is the scan's, to the last bit."""
    for image in (0, 7):
        batch = near(file, made.atlas.parent).load(file.image(image), made.net.input)
        assert batch is not None and np.array_equal(batch.pixels, made.prepared(image))


def test_the_folder_itself_will_do(made, file):
    """Whoever works in the images' own folder has them at hand, too; elsewhere they are not found."""
    record = file.image(3)
    assert near(file, made.atlas.parent / "photos").load(record, made.net.input) is not None
    assert near(file, made.atlas.parent / "nowhere").load(record, made.net.input) is None


def test_other_bytes_under_the_name_are_not_the_original(made, file, tmp_path):
    """Not even of the same length: one byte that differs, and the file does not count."""
    record = file.image(2)
    path = tmp_path / "photos" / record.source
    path.parent.mkdir(parents=True)
    content = bytearray(made.encoded(2))
    path.write_bytes(content)
    assert near(file, tmp_path).load(record, made.net.input) is not None
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert near(file, tmp_path).load(record, made.net.input) is None


@pytest.mark.parametrize("name", ["../outside.png", "/outside.png", "a/../../outside.png"])
def test_a_name_that_leads_out_is_none(tmp_path, name):
    """S: an atlas of a stranger reads no file elsewhere, whatever hash it says."""
    inside = tmp_path / "inside"
    (inside / "a").mkdir(parents=True)
    Image.new("RGB", (30, 30), (9, 8, 7)).save(tmp_path / "outside.png")
    (record,) = records_of(open_source(tmp_path / "outside.png"))
    assert listed("inside/ (1 file)", [record], tmp_path).load(record, INPUT) is not None
    named = replace(record, source=name)
    assert listed("inside/ (1 file)", [record], inside).load(named, INPUT) is None


def test_images_that_the_user_names_are_found_in_any_order(made, file, tmp_path):
    """By name, whatever else lies there, and wherever that is."""
    shutil.copytree(made.atlas.parent / "photos", tmp_path / "moved")
    Image.new("RGB", (30, 30)).save(tmp_path / "moved" / "0-another.png")
    source = ls.images(tmp_path / "moved")
    batch = near(file, source=source).load(file.image(5), made.net.input)
    assert batch is not None and np.array_equal(batch.pixels, made.prepared(5))
    assert near(file).load(file.image(5), made.net.input) is None


def test_members_of_an_archive_are_found(made, tmp_path):
    """An archive of the run's name beside the atlas."""
    with tarfile.open(tmp_path / "some.tar", "w") as archive:
        archive.add(made.atlas.parent / "photos", "photos")
    records = records_of(open_source(tmp_path / "some.tar"))
    batch = listed("some.tar (16 images)", records, tmp_path).load(records[4], INPUT)
    assert batch is not None and batch.records[0].sha256 == records[4].sha256


def test_a_world_is_drawn_again():
    """By its first and its last picture, whatever its seed."""
    source = open_source(World(6, seed=3, size=32))
    records = records_of(source)
    batch = listed("World (6 items)", records).load(records[2], INPUT)
    assert batch is not None and np.array_equal(batch.pixels, source.load([2], INPUT).pixels)
    others = [*records[:5], ImageRecord(id=5, source="5", sha256="0" * 64, height=32, width=32)]
    assert listed("World (6 items)", others).load(records[2], INPUT) is None


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
    batch = listed("photos/ (1 file)", records, tmp_path).load(records[0], INPUT)
    assert batch is not None and np.array_equal(batch.pixels, source.load([0], INPUT).pixels)
