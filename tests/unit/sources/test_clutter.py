"""What lies among pictures: only the pictures are images, whatever else comes and goes."""

import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from layerscope.core.errors import ImageError
from layerscope.core.records import Input
from layerscope.figures.files import save
from layerscope.figures.sheet import Sheet
from layerscope.figures.tree import Grid, Panel, Tile
from layerscope.sources import open_source

INPUT = Input(height=16, width=16)


@pytest.fixture
def photos(tmp_path, draw, encode):
    """Two pictures of a class and one beside them."""
    root = tmp_path / "photos"
    (root / "cat").mkdir(parents=True)
    for number, name in enumerate(("cat/0.jpg", "cat/1.jpg", "2.png")):
        (root / name).write_bytes(encode(draw(number), "PNG" if name.endswith("png") else "JPEG"))
    return root


def put(root: Path, name: str, content: bytes) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)


@pytest.mark.parametrize(
    "name",
    [
        "cat/@eaDir/0.jpg/SYNOPHOTO_THUMB_XL.jpg",
        "#recycle/8.jpg",
        "@Recycle/9.jpg",
        "$RECYCLE.BIN/S-1-5/7.jpg",
        "System Volume Information/3.jpg",
        "lost+found/1.jpg",
        "__MACOSX/cat/0.jpg",
        "Network Trash Folder/1.jpg",
        ".Trash-1000/files/4.jpg",
        ".thumbnails/5.png",
        "cat/._0.jpg",
        "cat/Icon\r",
        "cat/ehthumbs.db",
    ],
)
def test_what_systems_leave_is_passed_over_without_a_word(photos, pack, tmp_path, draw, encode, name):
    """Thumbnails and trash, in folders, globs and archives alike."""
    before = open_source(photos)
    put(photos, name, encode(draw(9), "JPEG"))
    found = open_source(photos)
    assert list(found.identity()) == list(before.identity()) and found.labelling() == before.labelling()
    assert found.remarks(INPUT) == ()
    assert open_source(f"{photos}/**/*").listing() == before.listing()
    members = {str(path.relative_to(photos)): path.read_bytes() for path in sorted(photos.rglob("*")) if path.is_file()}
    archive = open_source(pack(tmp_path / "all.tar", members))
    assert sorted(archive.listing()) == sorted(before.listing())


def test_a_trash_folder_that_the_user_names_is_read(tmp_path, draw, encode):
    """What is passed over lies below what is named."""
    put(tmp_path, "@Recycle/old/9.jpg", encode(draw(0), "JPEG"))
    assert len(open_source(tmp_path / "@Recycle")) == 1


def _atlas(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA application_id = {int.from_bytes(b'LSCP', 'big')}")
        database.execute("CREATE TABLE run (x)")
    database.close()


def test_what_layerscope_writes_is_no_image_and_is_not_told_of(photos):
    """An atlas of any name with its side files, plates, and exported sites."""
    before = list(open_source(photos).identity())
    _atlas(photos / "mine.db")
    for name in ("a.atlas", "a.atlas-wal", "a.atlas-shm", "a.atlas-journal", "a.atlas.lock", "a.atlas.0123abcd.tiles"):
        put(photos, name, b"\0" * 600)
    tile = Tile(picture=np.zeros((8, 8, 3), np.uint8))
    plate = Sheet(panels=(Panel(parts=(Grid(tiles=(tile,), columns=1),)),), columns=1, title="t", caption="c" * 900)
    save(plate, photos / "plate.png")
    put(photos, "site/layerscope-site.json", b"{}")
    put(photos, "site/static/cover.webp", b"RIFF\0\0\0\0WEBP")
    source = open_source(photos)
    assert list(source.identity()) == before and source.remarks(INPUT) == () and source.former() is None
    assert list(open_source(f"{photos}/**/*.*").identity()) == before


def test_what_layerscope_writes_alone_is_told_as_such(tmp_path):
    """A folder, and a file, with nothing but layerscope's own work: one sentence says so."""
    put(tmp_path, "own/mine.atlas", b"SQLite format 3\0")
    for named in (tmp_path / "own", tmp_path / "own" / "mine.atlas"):
        with pytest.raises(ImageError, match="what lies there was written by layerscope"):
            open_source(named)


def test_other_files_are_no_images_and_are_counted(photos):
    """Notes, tables and archives; of what may hold pictures it is said what to do."""
    before = open_source(photos)
    for name in ("notes.txt", "cat/list.csv", "cat/0.xmp", "code.py", "README"):
        put(photos, name, b"words")
    source = open_source(photos)
    assert list(source.identity()) == list(before.identity()) and source.labelling() == before.labelling()
    assert source.remarks(INPUT) == ("5 other files are no images (1 .csv, 1 .py, 1 .txt, 1 .xmp, ...)",)
    put(photos, "more.zip", b"PK\x03\x04" + b"\0" * 40)
    told = '"more.zip" is a ZIP archive: name it zip://FOLDER::FILE.zip, or unpack it'
    assert told in open_source(photos).remarks(INPUT)[0]


def test_a_picture_is_told_by_its_name_or_its_bytes(photos, draw, encode):
    """Broken, empty and unsupported pictures keep their numbers; one without a suffix counts too."""
    put(photos, "cat/broken.jpg", b"\xff\xd8\xff")
    put(photos, "cat/empty.png", b"")
    put(photos, "cat/page.jpeg", b"<!DOCTYPE html><html>")
    put(photos, "cat/phone", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    put(photos, "cat/scan", encode(draw(5), "TIFF"))
    os.symlink("/nowhere", photos / "cat/gone.png")
    source = open_source(photos)
    names = [identity for identity, _ in source.listing()]
    broken = ["cat/broken.jpg", "cat/empty.png", "cat/gone.png", "cat/page.jpeg", "cat/phone"]
    assert names == ["2.png", "cat/0.jpg", "cat/1.jpg", *broken, "cat/scan"]
    assert [record.source for record in source.check()] == broken


def test_no_picture_is_opened_to_be_told(photos, monkeypatch):
    """But PNGs, which may be plates: a folder of a million photographs is listed by name."""
    opened = []
    monkeypatch.setattr("layerscope.sources.files.head_of", lambda path: opened.append(Path(path).name) or b"")
    put(photos, "notes.txt", b"words")
    from layerscope.sources.files import in_folder

    in_folder(photos)
    assert set(opened) == {"2.png", "notes.txt"}


def test_version_0_1_0_numbered_all_files(photos):
    """`former` lists them so: all but what layerscope wrote, each with its folder as class."""
    put(photos, "cat/notes.txt", b"words")
    put(photos, "mine.atlas", b"")
    former = open_source(photos).former()
    assert former is not None
    assert [identity for identity, _ in former.listing()] == ["2.png", "cat/0.jpg", "cat/1.jpg", "cat/notes.txt"]
    assert former.labelling() == [None, "cat", "cat", "cat"]
    assert [record.source for record in former.check()] == ["cat/notes.txt"]
