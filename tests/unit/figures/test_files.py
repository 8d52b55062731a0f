"""Figures as files: the same bytes, true sizes, provenance that can be read back, and no half-written file."""

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from PIL import Image

from layerscope.atlas.read import AtlasFile
from layerscope.core.errors import UsageError
from layerscope.figures import Sheet, plate, unit_page
from layerscope.figures.files import FORMATS


@pytest.fixture(scope="module")
def sheet(file: AtlasFile) -> Sheet:
    return plate(file, "features.4", count=2)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_sheet_gives_the_same_bytes(sheet: Sheet, file: AtlasFile, tmp_path: Path, kind):
    """Saved twice, or made again from the atlas; no time and no random name is in the file."""
    first = sheet.save(tmp_path / f"a.{kind}", dpi=80).read_bytes()
    second = plate(file, "features.4", count=2).save(tmp_path / f"b.{kind}", dpi=80).read_bytes()
    assert first == second
    assert not list(tmp_path.glob(".*"))


def test_a_png_has_true_inches_and_its_provenance(sheet: Sheet, file: AtlasFile, tmp_path: Path):
    """Pixels are inches times dpi; the text chunk holds all fingerprints as JSON."""
    with Image.open(sheet.save(tmp_path / "a.PNG", width_inches=3.5, dpi=120)) as picture:
        assert picture.size[0] == 420
        assert picture.info["dpi"] == pytest.approx((120, 120), abs=0.1)
        assert picture.text["Title"] == sheet.title
        assert picture.text["Description"] == sheet.caption
        assert json.loads(picture.text["layerscope"])["fingerprint"] == file.run.fingerprint


def test_a_pdf_has_true_inches_embedded_fonts_native_pixels_and_its_provenance(sheet: Sheet, file, tmp_path: Path):
    """72 points an inch; TrueType fonts inside; each grid of nine 24 px tiles is a picture of 72 px."""
    data = sheet.save(tmp_path / "a.pdf", width_inches=5).read_bytes()
    assert re.search(rb"/MediaBox \[ 0 0 360 ", data)
    assert b"/FontFile2" in data and b"/Type3" not in data
    sizes = re.findall(rb"/Height (\d+)", data), re.findall(rb"/Width (\d+)", data)
    assert sizes == ([b"72"] * 4, [b"72"] * 4)
    assert b"CreationDate" not in data
    keywords = re.search(rb"/Keywords \((.*?)\)\s*/", data, re.DOTALL) or re.search(
        rb"/Keywords \((.*?)\)\s*>>", data, re.DOTALL
    )
    assert keywords is not None
    assert json.loads(re.sub(rb"\\([()])", rb"\1", keywords[1]))["fingerprint"] == file.run.fingerprint


def test_an_svg_has_outlines_native_pixels_and_its_provenance(sheet: Sheet, file: AtlasFile, tmp_path: Path):
    """It needs no font to be there; the metadata holds the JSON."""
    path = sheet.save(tmp_path / "a.svg")
    root = ElementTree.parse(path).getroot()
    names = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert root.get("width") == "504pt"
    assert "text" not in names
    images = [element for element in root.iter() if element.tag.endswith("}image")]
    assert len(images) == 4
    texts = [element.text for element in root.iter() if element.text and element.text.startswith("{")]
    assert json.loads(texts[0])["fingerprint"] == file.run.fingerprint
    assert not any(name == "date" for name in names)


def test_another_ending_is_refused_by_naming_those_that_work(sheet: Sheet, tmp_path: Path):
    """As is a name without one."""
    for name in ("a.jpg", "a"):
        with pytest.raises(UsageError, match=r"\.png, \.pdf or \.svg"):
            sheet.save(tmp_path / name)


def test_places_that_cannot_be_written_are_named(sheet: Sheet, tmp_path: Path):
    """A folder that is not there, a folder in the file's place, a size without sense."""
    with pytest.raises(UsageError, match="there is no folder"):
        sheet.save(tmp_path / "none" / "a.png")
    (tmp_path / "b.png").mkdir()
    with pytest.raises(UsageError, match="it is a folder"):
        sheet.save(tmp_path / "b.png")
    with pytest.raises(UsageError, match=r"dpi must lie in 10\.\.2400, got 0"):
        sheet.save(tmp_path / "c.png", dpi=0)
    assert not (tmp_path / "c.png").exists()


def test_a_failed_save_leaves_the_old_file_and_no_other(sheet: Sheet, tmp_path: Path, monkeypatch):
    """A full disk loses nothing, and is a sentence."""
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("layerscope.core.files.os.replace", full)
    with pytest.raises(UsageError, match=r"the disk is full: .*a\.png cannot be written; free space"):
        sheet.save(path, dpi=40)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


def test_words_that_no_file_can_hold_do_not_break_it(tmp_path: Path):
    """Control characters, lone surrogates and mark-up in a path: all three formats are still whole."""
    nasty = "a\x00b\x07 <&> \udc80 $x_ né"
    sheet = Sheet(panels=(), columns=1, title=nasty, caption=nasty, provenance={"images": nasty})
    for kind in FORMATS:
        assert sheet.save(tmp_path / f"a.{kind}", dpi=60).stat().st_size > 500
    ElementTree.parse(tmp_path / "a.svg")
    with Image.open(tmp_path / "a.png") as picture:
        assert json.loads(picture.text["layerscope"]) == {"images": nasty}


def test_a_unit_s_page_can_be_saved_in_all_formats(file: AtlasFile, tmp_path: Path):
    """Frames, charts and words included."""
    sheet = unit_page(file, "features.4", 5)
    for kind in FORMATS:
        assert sheet.save(tmp_path / f"a.{kind}", dpi=80).stat().st_size > 10_000
