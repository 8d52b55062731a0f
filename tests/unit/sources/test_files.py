import os
import shutil

import pytest

from layerscope.core.errors import ImageError
from layerscope.sources import open_source
from layerscope.sources.files import in_folder, storable

LISTED = ["a/1.jpg", "a/broken.png", "b/2.png", "b/again.jpg", "b/deep/3.webp", "empty.jpg", "z.gif"]


def identities(source):
    return [identity for identity, _ in source.listing()]


def test_a_folder_lists_every_image_sound_or_broken_sorted(folder):
    """Images come in plain string order of their relative paths, with their sizes, nothing decoded."""
    source = open_source(folder)
    assert identities(source) == LISTED
    assert [size for _, size in source.listing()] == [(folder / name).stat().st_size for name in LISTED]
    assert source.name == "photos/ (7 files)" and len(source) == 7


def test_the_class_is_the_folder_that_holds_the_file(folder):
    """Files at the root have none."""
    source = open_source(str(folder))
    assert [source.label(id) for id in range(7)] == ["a", "a", "b", "b", "deep", None, None]
    assert source.label_names == ("a", "b", "deep")


def test_a_glob_and_a_list_name_files_as_their_folder_does(folder):
    """Identities and classes are relative to what the paths share."""
    by_glob = open_source(f"{folder}/**/*.*")
    by_list = open_source([folder / name for name in LISTED])
    assert by_glob.listing() == by_list.listing() == open_source(folder).listing()
    assert by_glob.label_names == by_list.label_names == ("a", "b", "deep")


def test_a_list_keeps_its_order_and_its_repetitions(folder):
    """The user's order is the order."""
    source = open_source([folder / "z.gif", folder / "a/1.jpg", folder / "z.gif"])
    assert identities(source) == ["z.gif", "a/1.jpg", "z.gif"]


def test_one_file_is_a_source_of_one(folder):
    """A path to a picture is that picture, and brackets in a name are no wildcard where the file exists."""
    odd = folder / "odd [1].gif"
    shutil.copy(folder / "z.gif", odd)
    assert open_source(odd).name == "odd [1].gif (1 image)"


def test_the_home_folder_may_be_written_as_a_tilde(folder, monkeypatch):
    """~ is expanded."""
    monkeypatch.setenv("HOME", str(folder.parent))
    assert len(open_source("~/photos")) == 7


def test_limit_takes_the_first(folder):
    """A limit is a prefix of the order, and the name says so."""
    source = open_source(folder, limit=3)
    assert identities(source) == LISTED[:3] and source.name == "photos/ (the first 3 of 7 files)"
    assert source.label_names == ("a", "b")


def test_links_are_followed_once_and_dangling_ones_are_listed(folder):
    """A linked folder counts, a loop ends, a link to nothing becomes a skipped image."""
    os.symlink(folder, folder / "b" / "loop")
    os.symlink(folder / "nowhere.jpg", folder / "y.jpg")
    source = open_source(folder)
    assert identities(source) == [*LISTED[:-1], "y.jpg", "z.gif"]
    reasons = {record.source: record.skipped for record in source.check()}
    assert reasons["y.jpg"].startswith("unreadable: ")


def test_names_that_are_not_text_become_escapes():
    """A file name that is not UTF-8 gets an identity that can be stored; any other is kept."""
    assert storable(os.fsdecode(b"photos/\xff.png")) == "photos/\\xff.png"
    assert storable("fotos/Zürich.png") == "fotos/Zürich.png"


def test_files_that_are_no_pictures_at_all_are_one_sentence(tmp_path):
    """When nothing can be read the message names the first file and its reason."""
    (tmp_path / "notes.txt").write_text("words")
    with pytest.raises(ImageError, match=r'no image can be read in .*1 file.*"notes.txt": not an image'):
        open_source(tmp_path)


def test_what_is_not_there_is_said(tmp_path, folder):
    """A missing path, an empty folder, a glob without match, a missing or wrong member of a list."""
    with pytest.raises(ImageError, match=r"photoz.*do not exist"):
        open_source(tmp_path / "photoz")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="holds no files"):
        open_source(tmp_path / "empty")
    with pytest.raises(ImageError, match="no file matches"):
        open_source(f"{folder}/*.bmp")
    with pytest.raises(ImageError, match=r"gone.jpg.*does not exist"):
        open_source([folder / "z.gif", folder / "gone.jpg"])
    with pytest.raises(ImageError, match="is not a file"):
        open_source([folder / "z.gif", folder / "a"])


def test_the_labels_file_is_no_image(folder):
    """It may lie among the pictures."""
    labels = folder / "labels.csv"
    labels.write_text("z.gif, zebra\n")
    assert "labels.csv" in [entry.identity for entry in in_folder(folder).everything]
    assert "labels.csv" not in [entry.identity for entry in in_folder(folder, without=labels).everything]
    assert identities(open_source(folder, labels=labels)) == LISTED
