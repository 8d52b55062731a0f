"""A layer's page says what the file says of every unit, in any order, and stays small for thousands of units."""

import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from layerscope.core.concept_words import concept_words
from layerscope.core.errors import UsageError
from layerscope.viewer.addresses import ServerLinks
from layerscope.viewer.encoded_pictures import ACROSS, TILE, sprite
from layerscope.viewer.pages.around import units_around
from layerscope.viewer.pages.choosing import SHOWS, SORTS, matching, ordered, why_found
from layerscope.viewer.pages.layer import LayerPage, facts, sections
from layerscope.viewer.pages.query import Query
from layerscope.viewer.pages.units import UnitRow, unit_rows
from layerscope.viewer.render import asset_marks, render
from layerscope.viewer.scripts import names_script, sprites_style
from layerscope.viewer.shelf import Book, Shelf
from tests.helpers.atlases import CLASSES, small_atlas
from tests.helpers.wide import colour, wide_atlas

WIDE, WIDEST = 600, 2048


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Iterator[Shelf]:
    folder: Path = tmp_path_factory.mktemp("layers")
    made = Shelf([small_atlas(folder / "small.atlas"), wide_atlas(folder / "wide.atlas", WIDE)])
    yield made
    made.close()


@pytest.fixture(scope="module")
def wide(shelf: Shelf) -> Book:
    return shelf.book("wide")


def asked(**words: str) -> Query:
    return Query.of((name.rstrip("_"), word) for name, word in words.items())


def page_html(book: Book, page: LayerPage) -> str:
    link = ServerLinks(book.slug, book.mark, asset_marks())
    return render("layer.html", page=page, book=book, shelf=None, link=link, links_of=None, live=False)


def units_of(page: LayerPage) -> list[int]:
    return [row.unit for section in page.sections for row in section.units]


def test_every_row_holds_the_numbers_of_the_file(shelf: Shelf) -> None:
    """All units of all layers: statistics, names and near duplicates are the file's own, unrounded."""
    for book in shelf:
        for layer in book.layers:
            statistics, peaks = book.file.unit_statistics(layer.id), book.file.all_peaks(layer.id)
            classes = book.file.statistic("classes")
            names = {one.unit: one.best for one in book.file.concepts(layer.id)}
            rows = unit_rows(book, layer)
            assert [row.unit for row in rows] == list(range(layer.record.units))
            for row in rows:
                assert row.maximum == statistics.maximum[row.unit]
                assert row.mean == statistics.mean[row.unit]
                assert row.images_above == statistics.images_above[row.unit]
                assert row.positions_above == statistics.positions_above[row.unit]
                assert row.dead == (peaks.image[row.unit, 0] < 0)
                assert row.shown == (book.file.encoded_sheet(layer.id, row.unit, "patches") is not None)
                best = names.get(row.unit)
                assert (row.name, row.score) == ((best.concept, best.score) if best else (None, None))
                label = int(statistics.class_means[row.unit].argmax())
                assert row.label == (classes[label] if statistics.class_means[row.unit, label] > 0 else None)


def test_a_near_duplicate_is_marked(wide: Book) -> None:
    """Only a unit whose image maxima correlate at 0.95 or more with another's is called its near duplicate."""
    rows = unit_rows(wide, wide.layers[0])
    assert (rows[5].twin, rows[5].correlation) == (2, 0.97)
    assert [row.unit for row in rows if row.twin is not None] == [5]
    assert "like 2, r 0.97" in page_html(wide, facts(wide, asked(), layer="layer4.2"))


numbers = st.one_of(st.none(), st.floats(-5, 5, allow_nan=False).map(lambda value: round(value, 1)))
row_values = st.lists(
    st.tuples(numbers, numbers, numbers, st.booleans(), st.sampled_from([None, "wheel", "Dog face"]), st.booleans()),
    max_size=20,
)


def rows_of(values: list) -> list[UnitRow]:
    return [
        UnitRow(
            unit=unit,
            maximum=one[0],
            mean=one[1],
            images_above=one[2],
            positions_above=one[2],
            dead=one[3],
            shown=one[5],
            name=one[4],
            score=one[1] if one[4] else None,
            label="cat" if one[5] else None,
            others=("edge 90", "vertical edge") if one[3] else (),
        )
        for unit, one in enumerate(values)
    ]


@given(row_values, st.sampled_from(SORTS))
def test_sorting_moves_units_and_loses_none(values: list, sort: str) -> None:
    """An order is a permutation; reversed it is the same order backwards; ties stand by number."""
    rows = rows_of(values)
    found = ordered(rows, sort)
    assert sorted(row.unit for row in found) == list(range(len(rows)))
    assert ordered(rows, sort, reverse=True) == found[::-1]
    assert ordered(found, sort) == found
    alike = ordered(rows_of([(1.0, 1.0, 1.0, False, "wheel", True)] * 5), sort)
    assert [row.unit for row in alike] == list(range(5))


@given(row_values)
def test_the_largest_stand_first_and_the_unknown_last(values: list) -> None:
    """By maximum: what is known, falling; then what is not."""
    maxima = [row.maximum for row in ordered(rows_of(values), "max")]
    known = [value for value in maxima if value is not None]
    assert maxima == sorted(known, reverse=True) + [None] * (len(maxima) - len(known))


TEXTS = ["", "wheel", "DOG", "cat", "3", "face cat", "Vertical", "zebra"]


@given(row_values, st.sampled_from(SHOWS), st.sampled_from(TEXTS))
def test_filtering_keeps_exactly_what_holds_all_words(values: list, show: str, text: str) -> None:
    """A unit stays if every word is its number, or stands in what it is found by; and if it is to be shown."""
    rows = rows_of(values)
    kept = matching(rows, text, show)
    for row in rows:
        said = "\n".join(row.names).casefold()
        held = all(int(w) == row.unit if w.isdecimal() else w.casefold() in said for w in text.split())
        wanted = {"all": True, "live": not row.dead, "tiles": row.shown}[show]
        assert (row in kept) == (held and wanted)


def test_the_page_is_sorted_and_filtered_by_its_address(wide: Book) -> None:
    """?sort, ?reverse, ?q and ?show choose which units stand on the page, and in which order."""
    highest = np.argsort(-wide.file.unit_statistics(0).maximum, kind="stable")
    page = facts(wide, asked(sort="max"), layer="layer4.2")
    assert units_of(page) == highest[:512].tolist()
    further = facts(wide, asked(sort="max", from_="512"), layer="layer4.2")
    assert units_of(further) == highest[512:].tolist()
    assert "513–600 of 600" in page_html(wide, page)
    one = facts(wide, asked(q="599"), layer="layer4.2")
    assert units_of(one) == [599] and one.found == 1
    named = facts(wide, asked(q="wheel", sort="score"), layer="layer4.2")
    assert named.found == named.named == len(range(0, WIDE - 1, 3))
    assert WIDE - 1 not in units_of(facts(wide, asked(show="live", sort="max", from_="1999999"), layer="layer4.2"))


def test_wrong_words_are_refused_by_name(wide: Book) -> None:
    """An order, a filter, a zoom or a layer that does not exist is a sentence, and no other error."""
    for word in ("sort", "show", "zoom"):
        with pytest.raises(UsageError, match=word):
            facts(wide, asked(**{word: "nonsense"}), layer="layer4.2")
    with pytest.raises(UsageError, match=r"layer4\.3"):
        facts(wide, asked(), layer="layer4.3")
    assert facts(wide, asked(from_="-3"), layer="layer4.2").first == 0


def test_units_without_tiles_stand_back_only_where_tiles_were_not_kept(shelf: Shelf) -> None:
    """A dead unit is shown, as dead: it has no tiles, but nothing was left out."""
    page = facts(shelf.book("small"), asked(), layer="features.1")
    assert (page.show, page.found, page.dead) == ("all", 12, 1)
    assert re.search(r'class="s0 p11 dead bare".*?dead</span>', page_html(shelf.book("small"), page), re.DOTALL)


@given(st.integers(0, 300), st.integers(0, 4), st.sampled_from([64, 128, 512]))
def test_sections_hold_a_page_in_order(count: int, number: int, step: int) -> None:
    """Sections of at most 64 units, together the page's part of the list."""
    rows = rows_of([(1.0, 1.0, 1.0, False, None, True)] * count)
    found = sections(rows, number * step, step, plain=True)
    assert all(0 < len(section.units) <= 64 for section in found)
    assert [row.unit for one in found for row in one.units] == list(range(count))[number * step : (number + 1) * step]


class Walk(HTMLParser):
    """Counts what a browser loads before it scrolls, and what a strict policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.loads = self.images = 0
        self.forbidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.loads += tag == "script" or (tag == "link" and names.get("rel") in ("stylesheet", "icon"))
        self.images += tag == "img"
        self.forbidden += [name for name in names if name.startswith("on") or name == "style"]
        if (tag == "script" and "src" not in names) or tag == "style" or "javascript:" in str(names.get("href")):
            self.forbidden.append(tag)


def test_2048_units_fit_the_budget(tmp_path: Path) -> None:
    """At most 400 KiB of HTML, every third unit named; two sprites a section, and few other requests."""
    wide = Shelf([wide_atlas(tmp_path / "widest.atlas", WIDEST)]).book("widest")
    page = facts(wide, asked(), layer="layer4.2")
    text = page_html(wide, page)
    assert len(text.encode()) <= 400 * 1024
    assert [len(section.units) for section in page.sections] == [64] * 32
    walk = Walk()
    walk.feed(text)
    # In a window of 1280 x 800 the browser draws the first section and the head of the second.
    assert walk.images == 0 and walk.loads + 1 + 2 * 2 <= 20
    assert walk.forbidden == []


def test_units_with_pictures_of_their_own_come_in_pages(wide: Book) -> None:
    """Sorted or large, a page holds 512 units: it stays below the same 400 KiB, and each picture waits until seen."""
    for words in (asked(sort="max"), asked(zoom="large")):
        text = page_html(wide, facts(wide, words, layer="layer4.2"))
        assert len(text.encode()) <= 400 * 1024
        assert text.count("<img ") == text.count('loading="lazy"') == 2 * 512


def test_sprites_hold_each_unit_at_the_place_that_the_page_says(wide: Book) -> None:
    """Unit u: section u // 64, place u % 64, eight in a row; nine tiles by rank, as in the stored sheet."""
    layer = wide.layers[0]
    for kind in ("patches", "projections"):
        pixels = np.asarray(Image.open(io.BytesIO(sprite(wide, layer, 3, kind).content)).convert("RGB")).astype(int)
        for unit in (192, 200, 217, 255):
            row, col = divmod(unit - 192, ACROSS)
            for rank in range(9):
                top = row * 3 * TILE + rank // 3 * TILE + TILE // 2
                left = col * 3 * TILE + rank % 3 * TILE + TILE // 2
                assert abs(pixels[top, left] - colour(unit, rank)).max() <= 12
    text = page_html(wide, facts(wide, asked(), layer="layer4.2"))
    assert re.search(r'<li id="u217" class="s3 p25"><a href="/wide/l/layer4.2/u/217">', text)
    style = sprites_style(wide, layer, ServerLinks(wide.slug, wide.mark, asset_marks()))
    assert ".s3 .patches" in style and ".s9 .projections" in style


def test_hostile_names_are_text(tmp_path: Path) -> None:
    """Layer, concept, class and network may be called anything: nothing of it becomes markup or ends a script."""
    bad = '"><script>alert(1)</script>{{7*7}}</p><img src=x onerror=alert(1)>\u202e'
    made = wide_atlas(tmp_path / "a.atlas", 3, name=bad, concept=bad, network=bad, classes=(bad, "cat"))
    book = Shelf([made]).book("a")
    text = page_html(book, facts(book, asked(q="script"), layer="l0"))
    walk = Walk()
    walk.feed(text)
    assert walk.forbidden == [] and "<img src=x" not in text and "{{7*7}}" in text
    script = names_script(book, book.layers[0], ServerLinks("a", book.mark, asset_marks()))
    assert "<" not in script


def test_the_names_script_says_what_the_rows_say(shelf: Shelf) -> None:
    """Without a server a script sorts by the same numbers: they are those of the rows, unrounded."""
    book = shelf.book("small")
    layer = book.layers[1]
    script = names_script(book, layer, ServerLinks("small", book.mark, asset_marks()))
    units = json.loads(re.fullmatch(r'LS\.put\("units", "features\.4", (\[.*\])\);\n', script)[1])
    for row, said in zip(unit_rows(book, layer), units, strict=True):
        numbers = [row.unit, row.maximum, row.mean, row.images_above, row.positions_above]
        names = [concept_words(row.name or ""), row.score, row.label or "", "", "\n".join(row.others), row.name or ""]
        assert said == [*numbers, int(row.dead), int(row.shown), *names]
    assert {said[9] for said in units} <= {"", *CLASSES}


def test_find_searches_the_classes_of_all_nine_peaks(shelf: Shelf) -> None:
    """And says by which of them a unit was found, beside its name."""
    book = shelf.book("small")
    layer = book.layers[0]
    labels = {image.id: image.label for image in book.file.images()}
    for text in CLASSES:
        page = facts(book, asked(q=text), layer=layer.name)
        expected = set()
        for row in unit_rows(book, layer):
            images = [peak.image for peak in book.file.peaks(layer.id, row.unit)]
            if text in {labels[image] for image in images} or row.label == text:
                expected.add(row.unit)
        assert set(units_of(page)) == expected
        assert all(text in page.why[unit] for unit in expected)
        assert f"<small>{text}</small>" in page_html(book, page)


def test_find_searches_units_without_pictures_too(tmp_path: Path) -> None:
    """A layer of which few units have pictures shows those; what is searched for is searched among all, and counted."""
    path = wide_atlas(tmp_path / "few.atlas", 30)
    with closing(sqlite3.connect(path)) as atlas, atlas:
        atlas.execute("DELETE FROM sheet WHERE unit >= 6")
    few = Shelf([path])
    book = few.book("few")
    page = facts(book, asked(), layer="layer4.2")
    assert page.show == "tiles"
    assert "6 of 30 units: those with pictures in this atlas; <a" in page_html(book, page)
    page = facts(book, asked(q="wheel", show=""), layer="layer4.2")
    assert units_of(page) == list(range(0, 29, 3)) and page.bare == len(range(6, 29, 3))
    text = page_html(book, page)
    assert "10 of 30 units; 8 of these have no pictures in this atlas" in text
    page = facts(book, asked(q="wheel", show="tiles"), layer="layer4.2")
    assert page.found == 2 and "2 of 30 units: of the 6 with pictures in this atlas; <a" in page_html(book, page)
    # The form says "tiles" only where somebody did.
    assert '<option value="" selected>units with pictures' in page_html(book, facts(book, asked(), layer="layer4.2"))
    few.close()


def test_a_choice_goes_along_to_the_units(wide: Book) -> None:
    """Their links say it; there previous and next are those of the choice, and the way up leads to the same page."""
    page = facts(wide, asked(q="wheel", sort="score", zoom="large"), layer="layer4.2")
    units, layer = units_of(page), wide.layers[0]
    assert f'href="/wide/l/layer4.2/u/{units[0]}?q=wheel&amp;sort=score"' in page_html(wide, page)
    for place in (0, 1, 70, len(units) - 1):
        around = units_around(wide, layer, units[place], asked(q="wheel", sort="score"))
        assert (around.place, around.found, around.text) == (place + 1, len(units), "wheel")
        assert around.previous == (units[place - 1] if place else None)
        assert around.next == (units[place + 1] if place + 1 < len(units) else None)
        assert around.asked == around.up == "q=wheel&sort=score"
    # Pages of sorted units hold 512.
    last = units_of(facts(wide, asked(sort="max", from_="512"), layer="layer4.2"))[-1]
    assert units_around(wide, layer, last, asked(sort="max")).up == "sort=max&from=512"


def test_without_a_choice_the_neighbours_are_those_by_number(wide: Book) -> None:
    """So it is for a unit that is not among the chosen; one without pictures leads up to the page of all."""
    layer = wide.layers[0]
    for query in (asked(), asked(q="zebra"), asked(q="wheel"), asked(sort="unit")):
        around = units_around(wide, layer, 1, query)
        assert (around.previous, around.next, around.asked, around.found) == (0, 2, "", 0)
    assert units_around(wide, layer, WIDE - 1, asked()).up == "show=all"
    assert units_around(wide, layer, 0, asked()).previous is None
    with pytest.raises(UsageError, match="sort"):
        units_around(wide, layer, 0, asked(sort="nonsense"))


def test_why_a_unit_was_found_is_said_once() -> None:
    """Its name is said anyway, and numbers are no reasons."""
    (row,) = rows_of([(1.0, 1.0, 1.0, True, "wheel", True)])
    assert why_found(row, "wheel 0") == ()
    assert why_found(row, "edge CAT") == ("cat", "edge 90", "vertical edge")
