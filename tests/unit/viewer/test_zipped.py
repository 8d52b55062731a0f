"""An export as one file: the folder's files, the same bytes each time, whole or not there, nobody's own file lost."""

import errno
import zipfile
from pathlib import Path

import pytest

from layerscope.core.errors import UsageError
from layerscope.viewer.export import ExportChoice, export
from layerscope.viewer.export.plan import MARKER, tops
from layerscope.viewer.export.zipped import zip_for, zipped_whole
from tests.helpers.atlases import small_atlas
from tests.helpers.sites import dead_links, files


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_atlas(tmp_path_factory.mktemp("atlas") / "small.atlas", units=3, k=2, images=8)


@pytest.fixture(scope="module")
def made(atlas: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The atlas as a .zip file."""
    file = tmp_path_factory.mktemp("zipped") / "site.zip"
    export(atlas, file, zipped=True)
    return file


def zip_of(place: Path, *names: str) -> Path:
    with zipfile.ZipFile(place, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return place


def test_it_holds_the_folder_s_files(atlas: Path, made: Path, tmp_path: Path) -> None:
    """In one folder, called as the atlas is; unpacked it is the export, byte by byte."""
    done = export(atlas, tmp_path / "site")
    with zipfile.ZipFile(made) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "unpacked")
    assert [path.name for path in (tmp_path / "unpacked").iterdir()] == ["small"]
    assert files(tmp_path / "unpacked" / "small") == files(tmp_path / "site")
    assert len(files(tmp_path / "site")) == done.files and dead_links(tmp_path / "unpacked" / "small") == []


def test_the_same_atlas_gives_the_same_bytes(atlas: Path, made: Path, tmp_path: Path) -> None:
    """Under any name, on any day; it counts its own bytes."""
    again = export(atlas, tmp_path / "other.zip", zipped=True)
    assert (tmp_path / "other.zip").read_bytes() == made.read_bytes()
    assert again.folder == tmp_path / "other.zip" and again.bytes == made.stat().st_size
    with zipfile.ZipFile(made) as archive:
        assert {(one.date_time, one.create_system, one.external_attr >> 16) for one in archive.infolist()} == {
            ((1980, 1, 1, 0, 0, 0), 3, 0o100644)
        }


def test_words_are_squeezed_and_pictures_are_not(made: Path) -> None:
    """A picture is small already."""
    with zipfile.ZipFile(made) as archive:
        kinds = {(Path(one.filename).suffix, one.compress_type) for one in archive.infolist()}
    assert {kind for ending, kind in kinds if ending in (".jpg", ".png", ".webp")} == {zipfile.ZIP_STORED}
    assert {kind for ending, kind in kinds if ending in (".html", ".json", ".css", ".js")} == {zipfile.ZIP_DEFLATED}


def test_a_budget_is_of_the_files(atlas: Path, tmp_path: Path) -> None:
    """As they are unpacked, so that a folder and a file of one budget hold the same."""
    with pytest.raises(UsageError, match="are too few"):
        export(atlas, tmp_path / "site.zip", ExportChoice(layers=("features.1",)), budget=10_000, zipped=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("reason", [KeyboardInterrupt(), UsageError("x"), OSError(errno.ENOSPC, "full")])
def test_after_an_error_it_is_as_it_was(tmp_path: Path, reason: BaseException) -> None:
    """Nothing where nothing was, the earlier file where there was one, and nothing beside it."""
    for before in (None, b"earlier"):
        place = tmp_path / "site.zip"
        if before is not None:
            place.write_bytes(before)
        with pytest.raises((KeyboardInterrupt, UsageError)), zipped_whole(place, top="small") as put:
            put("index.html", b"half")
            raise reason
        assert [path.name for path in tmp_path.iterdir()] == ([] if before is None else ["site.zip"])
    assert place.read_bytes() == b"earlier"


def test_an_earlier_export_is_replaced(atlas: Path, tmp_path: Path) -> None:
    """Where that is asked for."""
    place = tmp_path / "site.zip"
    export(atlas, place, zipped=True)
    whole = place.stat().st_size
    with pytest.raises(UsageError, match="holds an export already; add --overwrite"):
        export(atlas, place, zipped=True)
    export(atlas, place, ExportChoice(layers=("features.1",)), zipped=True, overwrite=True)
    assert place.stat().st_size < whole


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("thesis/chapter.tex",), "is no export"),
        (("small/index.html",), "is no export"),
        ((f"small/{MARKER}", "small/index.html", "thesis.tex"), "is no export"),
        ((f"small/{MARKER}", "small/CNAME"), "is no export"),
        ((f"small/{MARKER}", f"large/{MARKER}"), "is no export"),
        ((MARKER,), "is no export"),
        ((), "is no export"),
    ],
)
def test_a_file_of_somebody_s_own_is_left(tmp_path: Path, names: tuple[str, ...], sentence: str) -> None:
    """An export and nothing else may be replaced."""
    place = zip_of(tmp_path / "site.zip", *names)
    held = place.read_bytes()
    with pytest.raises(UsageError, match=sentence):
        zip_for(place, marker=MARKER, ours=tops(), overwrite=True)
    assert place.read_bytes() == held


def test_what_is_no_zip_file_is_refused(tmp_path: Path) -> None:
    """Another ending, a folder, a file that only ends so."""
    (tmp_path / "folder.zip").mkdir()
    (tmp_path / "mine.zip").write_bytes(b"PK mine")
    for name, sentence in (("site", "ends in .zip"), ("folder.zip", "ends in .zip"), ("mine.zip", "is no export")):
        with pytest.raises(UsageError, match=sentence):
            zip_for(tmp_path / name, marker=MARKER, ours=tops(), overwrite=True)
    assert zip_for(tmp_path / "new.ZIP", marker=MARKER, ours=tops(), overwrite=False) == tmp_path / "new.ZIP"


def test_zip_files_that_python_does_not_read_are_left(tmp_path: Path) -> None:
    """Of a later version of the format, and with a name that is no text: a sentence, as for any other file."""
    place = zip_of(tmp_path / "site.zip", f"small/{MARKER}")
    whole = place.read_bytes()
    entry = whole.index(b"PK\x01\x02")  # of the directory at the end
    later, named = bytearray(whole), bytearray(whole)
    later[entry + 6] = 99
    named[entry + 9], named[entry + 46] = 8, 0xFF  # said to be UTF-8, and none
    for content in (bytes(later), bytes(named)):
        place.write_bytes(content)
        with pytest.raises(UsageError, match="is no export"):
            zip_for(place, marker=MARKER, ours=tops(), overwrite=True)
        assert place.read_bytes() == content


def test_an_export_of_an_earlier_version_may_be_replaced(tmp_path: Path) -> None:
    """As of a folder, whose layout it has."""
    place = zip_of(
        tmp_path / "site.zip", f"small/{MARKER}", "small/index.html", "small/l00/u0000.html", "small/static/a"
    )
    assert zip_for(place, marker=MARKER, ours=tops(), overwrite=True) == place
