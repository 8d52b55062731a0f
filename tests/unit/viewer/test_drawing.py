"""Figures of what is on screen: those of `layerscope figure`, of bounded size, drawn once."""

import io
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerscope.figures.files import encode
from layerscope.figures.gather import projections
from layerscope.figures.pages import unit_page
from layerscope.figures.sheet import Sheet
from layerscope.figures.tree import Grid
from layerscope.viewer import drawing
from layerscope.viewer.drawing import DPI, Drawings
from layerscope.viewer.pages import Query
from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import small_atlas
from tests.helpers.viewing import viewing

UNITS = 6


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_atlas(tmp_path_factory.mktemp("atlas") / "small.atlas", units=UNITS, k=4, images=12)


@pytest.fixture
def plates(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The units of every plate that is asked for; none is drawn."""
    asked: list[tuple[int, ...]] = []

    def plate(file, layer, *, units, view):
        asked.append(units)
        return unit_page(file, layer, units[0])

    monkeypatch.setattr(drawing, "plate", plate)
    monkeypatch.setattr(drawing, "encode", lambda sheet, kind, dpi: b"drawn")
    return asked


def test_a_unit_s_figure_is_the_command_s(atlas: Path) -> None:
    """Its page, at so many dots per inch, as the type that it is; asked for again it is not drawn anew."""
    with viewing(atlas) as browser:
        answer = browser.get("/small/l/features.4/u/1/figure.png")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
        assert browser.get("/small/l/features.4/u/1/figure.png").content == answer.content
        again = browser.get("/small/l/features.4/u/1/figure.png", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    (book,) = shelf = Shelf([atlas])
    sheet = unit_page(book.file, "features.4", 1)
    assert answer.content == encode(sheet, "png", dpi=DPI)
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size[0] == round(sheet.width * DPI)
    shelf.close()


def test_a_unit_s_figure_is_what_is_on_screen(atlas: Path, monkeypatch) -> None:
    """Of the method and the view that were chosen, and of the peak that is enlarged, alone; each kept by itself."""
    seen: list[Sheet] = []
    monkeypatch.setattr(drawing, "_encoded", lambda sheet, kind: seen.append(sheet) or bytes([len(seen)]))
    (book,) = shelf = Shelf([atlas])
    method, view = book.run.methods[-1], book.run.views[-1]
    drawings, words = Drawings(), [("method", method), ("view", view)]

    def figure(*more: tuple[str, str]) -> Grid:
        drawings.find(book, Query.of([*words, *more]), "png", layer="features.4", unit=1)
        (grid,) = seen[-1].panels[0].parts
        return grid

    assert figure().row_labels == ("picture", "patch", f"{method}\n{view}")
    alone = figure(("peak", "2"))
    assert [tile.caption for tile in alone.tiles][:2] == [f"{method}, {view}", "patch"] and alone.columns == 3
    wanted = projections(book.file, book.layer("features.4"), 1, method, view).tiles[1]
    np.testing.assert_array_equal(alone.tiles[0].picture, wanted.picture)
    assert len(seen[-1].panels) == 1 and seen[-1].caption.startswith("Peak 2 of")
    figure()
    assert len(seen) == 2
    shelf.close()


def test_a_layer_s_figure_is_a_pdf_of_its_units(atlas: Path) -> None:
    """Drawn by matplotlib, as a document."""
    with viewing(atlas) as browser:
        answer = browser.get("/small/l/features.1/figure.pdf?q=2")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")


def test_a_layer_s_figure_shows_the_units_on_screen(atlas: Path, plates: list[tuple[int, ...]]) -> None:
    """In the page's order, those with tiles, and no more than a plate holds; each question is drawn once."""
    (book,) = shelf = Shelf([atlas])
    maxima = book.file.unit_statistics(0).maximum
    drawings = Drawings()
    for words, units in (
        ((), range(UNITS - 1)),
        ((("sort", "max"),), sorted(range(UNITS - 1), key=lambda unit: -maxima[unit])),
        ((("q", "3"),), [3]),
    ):
        for _ in range(2):
            assert drawings.find(book, Query.of(words), "png", layer="features.1").content == b"drawn"
        assert plates.pop() == tuple(units) and not plates
    shelf.close()


def test_a_plate_holds_so_many_units(atlas: Path, plates: list[tuple[int, ...]], monkeypatch) -> None:
    """The first of more."""
    monkeypatch.setattr(drawing, "MOST_UNITS", 2)
    (book,) = shelf = Shelf([atlas])
    Drawings().find(book, Query(), "pdf", layer="features.1")
    assert plates == [(0, 1)]
    shelf.close()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("l/features.1/u/0/figure.svg", "there are figures as png and pdf"),
        ("l/features.1/u/5/figure.png", "unit 5 of features.1 has no tiles"),
        ("l/features.1/u/6/figure.png", "units 0 to 5"),
        ("l/features.4/u/1/figure.png?method=mirrors", "is not known: choose deconvnet"),
        ("l/features.4/u/1/figure.png?view=mirrors", "is not known"),
        ("l/features.4/u/1/figure.png?peak=99", "is not known"),
        ("l/nothing/figure.png", "no layer"),
        ("l/features.1/figure.png?q=nosuchname", "no unit on this page"),
        ("l/features.1/figure.png?sort=colour", "is not known"),
    ],
)
def test_what_cannot_be_drawn_is_said(atlas: Path, address: str, words: str) -> None:
    """A 404 with a sentence."""
    with viewing(atlas) as browser:
        answer = browser.get(f"/small/{address}")
    assert answer.status_code == 404 and words in answer.text


@pytest.mark.parametrize(
    "spoilt",
    ["UPDATE run SET k = 100000000", "UPDATE layer SET tile = 100000000",
     "UPDATE run SET input = replace(input, '64', '64000000')"],
)  # fmt: skip
def test_what_an_atlas_claims_is_not_believed(atlas: Path, tmp_path: Path, spoilt: str) -> None:
    """A file that says of itself what would take all memory to draw is refused, by one sentence or another."""
    copy = Path(shutil.copy(atlas, tmp_path / "small.atlas"))
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute(spoilt)
    with viewing(copy) as browser:
        for address in ("l/features.1/u/1/figure.png", "l/features.1/figure.png"):
            assert browser.get(f"/small/{address}").status_code in (404, 503)


def test_a_figure_is_not_endless(atlas: Path, monkeypatch) -> None:
    """One that would be too high is refused, with what draws it."""
    monkeypatch.setattr(drawing, "MOST_INCHES", 2.0)
    with viewing(atlas) as browser:
        answer = browser.get("/small/l/features.4/u/1/figure.png")
    assert answer.status_code == 404 and "inches high" in answer.text and "layerscope figure" in answer.text
