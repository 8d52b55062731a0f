"""A folder is written whole or not at all, and nothing that somebody else put there is lost."""

import errno
from pathlib import Path

import pytest

from layerscope.core.errors import UsageError
from layerscope.viewer.export import folder
from layerscope.viewer.export.folder import place_for, written_whole
from layerscope.viewer.export.plan import tops

MARKER = "layerscope-site.json"


def write(place: Path, **files: str) -> Path:
    """A folder as an export writes it, through the code under test."""
    with written_whole(place, marker=MARKER) as put:
        for name, text in {MARKER: "{}", "index.html": "", **files}.items():
            put(name, text.encode())
    return place


def beside(place: Path) -> list[str]:
    return sorted(path.name for path in place.parent.iterdir())


def test_files_stand_where_they_were_put(tmp_path):
    """Folders of files are made as needed; nothing is left beside the result."""
    place = write(tmp_path / "new" / "site", **{"l/conv1/u/1.html": "one"})
    assert (place / "l" / "conv1" / "u" / "1.html").read_text() == "one"
    assert beside(place) == ["site"]


@pytest.mark.parametrize("reason", [KeyboardInterrupt(), UsageError("x"), OSError(errno.EIO, "broken")])
def test_after_an_error_nothing_is_left(tmp_path, reason):
    """Whatever stops it: no half folder, and an empty folder that was there stays."""
    place = tmp_path / "site"
    place.mkdir()
    with pytest.raises((KeyboardInterrupt, UsageError)), written_whole(place, marker=MARKER) as put:
        put("index.html", b"half")
        raise reason
    assert beside(place) == ["site"] and not list(place.iterdir())


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    """It says so, names the folder, and leaves the earlier export as it was."""
    place = write(tmp_path / "site", **{"about.html": "old"})

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder, "_write", full)
    with pytest.raises(UsageError, match=r"^the disk is full: nothing is left of the unfinished .*site"):
        write(place)
    assert (place / "about.html").read_text() == "old"
    assert beside(place) == ["site"]


def test_an_export_is_replaced_whole(tmp_path):
    """Files of the one before are gone."""
    place = write(tmp_path / "site", **{"about.html": "old", "l/conv1/u/0.html": "old"})
    write(place, **{"about.html": "new"})
    assert sorted(path.name for path in place.rglob("*")) == ["about.html", "index.html", MARKER]
    assert (place / "about.html").read_text() == "new"
    assert beside(place) == ["site"]


def test_what_a_killed_export_left_is_begun_anew(tmp_path):
    """A partial folder of ours goes; one that is somebody's stays and is named."""
    place, partial = tmp_path / "site", tmp_path / ".site.partial"
    partial.mkdir()
    (partial / MARKER).touch()
    (partial / "index.html").write_text("half")
    assert write(place).is_dir() and not partial.exists()
    partial.mkdir()
    (partial / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"site\.partial\" is in the way"):
        write(place)
    assert (partial / "thesis.txt").read_text() == "mine"


def test_two_at_once_do_not_mix(tmp_path):
    """The second is refused while the first writes."""
    place = tmp_path / "site"
    with written_whole(place, marker=MARKER) as put:
        put("index.html", b"first")
        with pytest.raises(UsageError, match="another export"):
            write(place)
        put(MARKER, b"{}")
    assert (place / "index.html").read_bytes() == b"first"


@pytest.mark.parametrize(
    ("held", "overwrite", "sentence"),
    [
        ({"notes.txt": ""}, True, "is no export of layerscope"),
        ({MARKER: "", "index.html": ""}, False, "holds an export already; add --overwrite"),
        ({MARKER: "", "CNAME": ""}, True, 'also holds "CNAME"'),
        ({MARKER: "", ".git": ""}, True, 'also holds ".git"'),
    ],
)
def test_folders_that_are_refused(tmp_path, held, overwrite, sentence):
    """Only an empty folder, or an export and nothing else, may be written over."""
    for name, text in held.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=sentence):
        place_for(tmp_path, marker=MARKER, ours=tops(), overwrite=overwrite)


def test_places_that_are_allowed(tmp_path):
    """New, empty, or an export that is to be replaced; a file is none, nor is the root of the disk."""
    assert place_for(tmp_path / "new", marker=MARKER, ours=tops(), overwrite=False) == tmp_path / "new"
    assert place_for(tmp_path, marker=MARKER, ours=tops(), overwrite=False) == tmp_path
    (tmp_path / MARKER).touch()
    assert place_for(tmp_path, marker=MARKER, ours=tops(), overwrite=True) == tmp_path
    with pytest.raises(UsageError, match="is a file"):
        place_for(tmp_path / MARKER, marker=MARKER, ours=tops(), overwrite=True)
    with pytest.raises(UsageError, match="name a folder of its own"):
        place_for("/", marker=MARKER, ours=tops(), overwrite=True)


def test_sites_of_earlier_versions_are_known():
    """What stood at the top of an export before its addresses were a server's may be replaced, and nothing else."""
    ours = tops()
    for name in ("index.html", "about.html", "about.json", "static", "i", "l", "l00", "l117"):
        assert ours.fullmatch(name), name
    for name in ("l1", "ll", "layers", "index.htm", "aboutXhtml", "CNAME", "l00.html"):
        assert not ours.fullmatch(name), name
