"""A search finds layers, units, names and images as tiles, the same units as `layerscope find`, and never fails."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.facts.finding import find
from layerscope.viewer.addresses import ServerLinks, numbered
from layerscope.viewer.export import ExportChoice, planned
from layerscope.viewer.pages import search
from layerscope.viewer.pages.query import Query
from layerscope.viewer.pages.search import MOST_UNITS, AnswerGroup
from layerscope.viewer.render import asset_marks, render
from layerscope.viewer.search_index import search_script
from layerscope.viewer.shelf import Book, Shelf
from tests.helpers.atlases import small_atlas
from tests.helpers.books import named_atlas
from tests.helpers.viewing import viewing
from tests.helpers.wide import wide_atlas


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("search")
    return {
        "small": small_atlas(folder / "small.atlas", units=6, images=20),
        "named": named_atlas(folder / "named.atlas"),
        "wide": wide_atlas(folder / "wide.atlas", 70, concept="edge 90"),
    }


@pytest.fixture(scope="module")
def shelf(paths) -> Iterator[Shelf]:
    made = Shelf(list(paths.values()))
    yield made
    made.close()


def links_of(book: Book) -> ServerLinks:
    return ServerLinks(book.slug, book.mark, asset_marks())


def found(book: Book, text: str) -> dict[str, AnswerGroup]:
    return {group.title: group for group in search.facts(book, Query.of([("q", text)])).groups}


def units_of(group: AnswerGroup) -> list[tuple[str, int]]:
    return [(one.layer.name, one.unit) for one in group.answers]


def html(book: Book, text: str) -> str:
    page = search.facts(book, Query.of([("q", text)]))
    return render("search.html", page=page, book=book, shelf=None, link=links_of(book), links_of=None, live=False)


def test_an_image_stands_for_what_has_no_patches(tmp_path: Path) -> None:
    """For a unit its strongest of which there is a picture, for a class one of its own; patches before either."""
    path = small_atlas(tmp_path / "bare.atlas")
    with closing(sqlite3.connect(path)) as atlas, atlas:
        atlas.execute("DELETE FROM sheet WHERE kind = 'patches' AND (layer > 0 OR unit > 0)")
    made = Shelf([path])
    book = made.book("bare")
    classed = [one for one in book.names if one.kind == "class"]
    assert classed and book.partly_patched
    for layer in book.layers:
        for unit, image in book.photos(layer).items():
            kept = [peak.image for peak in book.file.peaks(layer.id, unit) if book.file.has_picture(peak.image)]
            assert image == kept[0] and book.sheet(layer, unit, "patches") is None
    for one in classed:
        sheet, photo = search.picture_of(book, one)
        patched = any((unit.layer.id, unit.unit) == (0, 0) for unit in one.units)
        assert (sheet is not None) == patched == (photo is None)
        assert photo is None or book.file.image(photo).label == one.name
    unit = next(unit for unit in book.photos(book.layers[1]))
    shown = html(book, f"{book.layers[1].name} {unit}")
    assert links_of(book).picture(book.photos(book.layers[1])[unit]) in shown and "no picture" not in shown
    made.close()


def test_a_word_finds_the_units_that_the_command_finds(shelf: Shelf) -> None:
    """In the same order, each once, with its patches where it has any; the rest is counted."""
    for book in shelf:
        for text in ("disc", "RING", "responds to", "edge", "corner", "cat"):
            expected = list(dict.fromkeys((one.layer.name, one.unit) for one in find(book.file, text)))
            groups = found(book, text)
            if not expected:
                assert "Units" not in groups
                continue
            assert units_of(groups["Units"]) == expected[:MOST_UNITS] and groups["Units"].found == len(expected)
            for one in groups["Units"].answers:
                assert one.sheet == book.sheet(one.layer, one.unit, "patches")


def test_a_direction_finds_the_edges_that_run_so(shelf: Shelf) -> None:
    """Words such as "vertical" find what is named "edge 90", whose own name finds the same."""
    wide = shelf.book("wide")
    named = {("layer4.2", one.unit) for one in wide.file.concepts(0) if one.best is not None}
    for text in ("vertical", "vertical edge", "edge 90", "Edge"):
        assert set(units_of(found(wide, text)["Units"])) == named
    assert [one.words for one in found(wide, "vert")["Names"].answers] == ["vertical edge"]
    assert "Names" not in found(wide, "vertical edge") and "Names" not in found(wide, "edge 90")
    assert all("vertical edge" in one.why for one in found(wide, "vertical")["Units"].answers)


def test_images_are_found_by_class_by_file_and_by_number(shelf: Shelf) -> None:
    """Those with a small picture first; the words say both."""
    small = shelf.book("small")
    for text, expected in (("disc", lambda one: one.label == "disc"), ("/007.J", lambda one: one.id == 7)):
        group = found(small, text)["Images"]
        images = [small.file.image(one.image) for one in group.answers]
        assert {one.id for one in images} == {one.id for one in small.file.images() if expected(one)}
        kept = [one.kept for one in group.answers]
        assert kept == sorted(kept, reverse=True) and any(kept)
        assert all(image.label in one.why for image, one in zip(images, group.answers, strict=True))
    assert [one.image for one in found(small, "i 7")["Images"].answers] == [7]
    assert found(small, "7")["Images"].answers[0].image == 7
    # Signs that a pattern would mean are letters here.
    assert "Images" not in found(small, "%.jpg") and "Images" not in found(small, "photos_disc")


def test_a_layer_s_own_name_means_the_layer(shelf: Shelf) -> None:
    """Shown with the patches of a unit that stands for it."""
    (group,) = found(shelf.book("small"), "features.4").values()
    (one,) = group.answers
    assert (group.title, one.words, one.unit) == ("Layers", "features.4", None) and one.sheet is not None
    assert [one.words for one in found(shelf.book("small"), "feat")["Layers"].answers] == ["features.1", "features.4"]


def test_what_is_not_there_is_said_with_near_names_as_links(shelf: Shelf) -> None:
    """A number that is too large, or a word that nothing is called by."""
    named = shelf.book("named")
    page = search.facts(named, Query.of([("q", "rinx")]))
    assert page.groups == () and "rinx" in page.error and "ring" in page.near
    assert '<a href="/named/search?q=ring">ring</a>' in html(named, "rinx")
    assert "0 to 11" in search.facts(named, Query.of([("q", "features.4 99")])).error
    assert search.facts(named, Query()) == search.SearchPage(text="")


@given(st.text(min_size=1, max_size=40))
def test_any_text_is_an_answer_or_a_sentence(shelf: Shelf, text: str) -> None:
    """Strangers may write anything."""
    for book in shelf:
        page = search.facts(book, Query.of([("q", text)]))
        assert bool(page.groups) != bool(page.error) or not text.split()


def test_a_doubtful_name_is_told_by_what_the_peaks_show(shelf: Shelf) -> None:
    """The unit is found by its name all the same."""
    named = shelf.book("named")
    concept = named.file.concepts(0)[0].best.concept
    (why,) = [one.why for one in found(named, concept)["Units"].answers if (one.layer.id, one.unit) == (0, 0)]
    assert "boat 6, ground 3 of nine" in why and concept not in why


@pytest.mark.parametrize(
    "words, page",
    [
        ("features.1", "/small/l/features.1"),
        ("features.4 3", "/small/l/features.4/u/3"),
        ("4/3", "/small/l/features.4/u/3"),
        ("i 4", "/small/i/4"),
        ("019.jpg", "/small/i/19"),
    ],
)
def test_words_that_mean_one_page_lead_to_it(paths: dict[str, Path], words: str, page: str) -> None:
    """Others lead to the page of answers; as JSON, or asked for as a page, all do."""
    with viewing(paths["small"]) as browser:
        answer = browser.get("/small/search", params={"q": words}, follow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (303, page)
        assert browser.get(page).status_code == 200
        for form in ("json", "html"):
            here = browser.get("/small/search", params={"q": words, "format": form}, follow_redirects=False)
            assert here.status_code == 200
        assert browser.get("/small/search", params={"q": "f"}, follow_redirects=False).status_code == 200
        assert "nothing here is called" in browser.get("/small/search", params={"q": "zebra"}).text


def test_hostile_names_are_text(tmp_path: Path) -> None:
    """On the page of answers, and in the index that the browser searches."""
    bad = '"><img src=x onerror=alert(1)><script>alert(1)</script>{{7*7}}\u202e'
    made = Shelf([wide_atlas(tmp_path / "a.atlas", 3, name=bad, concept=bad, network=bad, classes=(bad, "cat"))])
    book = made.book("a")
    for text in ("img", bad, "i 0"):
        shown = html(book, text)
        assert "<img src=x" not in shown and "alert(1)</script>" not in shown and "\u202e" not in shown
    script = search_script(book, links_of(book))
    assert "<" not in script and "\u202e" not in script and "\\u202e" not in script
    made.close()


def index_of(script: str) -> dict:
    return json.loads(re.fullmatch(r'LS\.put\("search", "", (\{.*\})\);\n', script)[1])


def test_the_index_of_the_browser_knows_what_the_page_does(shelf: Shelf) -> None:
    """Names with their units, in the order of their scores; images; and addresses that are the page's own."""
    for book in shelf:
        link = links_of(book)
        index = index_of(search_script(book, link))
        assert [one["name"] for one in index["layers"]] == [layer.name for layer in book.layers]
        for layer, one in zip(book.layers, index["layers"], strict=True):
            shown = sorted(book.file.units_with_sheets(layer.id, "patches"))
            assert one["of"] == (True if len(shown) == layer.record.units else shown)
            before, digits, after = one["unit"]
            last = layer.record.units - 1
            assert f"{before}{last:0{digits}d}{after}" == link.page("unit", layer, last)
        for (kind, name, _, _, _, flat), known in zip(index["names"], book.names, strict=False):
            assert (kind, name) == (known.kind, known.name)
            units = [(book.layers[flat[at]].id, flat[at + 1]) for at in range(0, len(flat), 3)]
            assert units == [(unit.layer.id, unit.unit) for unit in known.units]
        assert index["images"]["count"] == book.file.image_count()


def test_the_index_knows_the_classes_of_peaks(shelf: Shelf) -> None:
    """The units with most peaks in a class's images, the same that a server finds, with how many of their peaks."""
    seen = 0
    for book in shelf:
        names = index_of(search_script(book, links_of(book)))["names"]
        for _, name, _, _, _, flat in (one for one in names if one[0] == "peaks"):
            units = [(book.layers[flat[at]].id, flat[at + 1], flat[at + 2]) for at in range(0, len(flat), 3)]
            found = [one for one in find(book.file, name) if one.kind == "peaks" and one.name == name]
            expected = sorted((-one.score, one.layer.id, one.unit) for one in found)[:6]
            assert units == [(layer, unit, -score) for score, layer, unit in expected]
            seen += len(units)
    assert seen


def test_the_index_of_an_export_names_no_image_without_photographs(paths: dict[str, Path]) -> None:
    """Nor has it addresses of pictures; the names of layers, concepts and classes stay."""
    for choice in (ExportChoice(), ExportChoice(photographs=False)):
        with planned(paths["named"], choice) as plan:
            (piece,) = [piece for piece in plan.pieces if piece.kind == "search"]
            index, files = index_of(plan.content(piece).decode()), {piece.path for piece in plan.pieces}
        rows = index["images"]["rows"]
        assert bool(rows) == choice.photographs == (index["images"]["picture"] is not None)
        tiles = [one["tiles"] for one in index["layers"]]
        assert all((one is not None) == choice.photographs for one in tiles[:2])
        assert [name for kind, name, *_ in index["names"] if kind == "class"]
        if choice.photographs:
            pages = (index["images"]["page"], [row[0] for row in rows])
            for spelling, numbers in (pages, (tiles[0], index["layers"][0]["of"])):
                before, digits, after = spelling
                assert {f"{before}{number:0{digits}d}{after}" for number in numbers} <= files


@given(
    st.sets(st.integers(0, 4000), min_size=1, max_size=8),
    st.integers(1, 6),
    st.text("a/0123.-", max_size=8),
    st.text("a/.-", max_size=4),
)
def test_numbered_addresses_are_spelled_again(numbers: set[int], digits: int, before: str, after: str) -> None:
    """Whatever stands before the number, also digits; what differs by more than the number is not spelled at all."""
    every = {number: f"{before}{number:0{digits}d}{after}" for number in numbers}
    found = numbered(every)
    assert found is not None and {number: found.of(number) for number in numbers} == every
    assert numbered({}) is None
    assert numbered({1: "a1", 2: "b2"}) is None
