"""The lesson is the first page, on a server and in an export: questions before answers, tiles explained, all linked."""

import html as entities
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.lesson.lesson import lesson_of
from layerscope.viewer.addresses import layer_key
from layerscope.viewer.export import ExportChoice, planned
from layerscope.viewer.pages.representatives import representatives
from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import small_atlas
from tests.helpers.books import named_atlas
from tests.helpers.sites import Seen
from tests.helpers.viewing import viewing
from tests.helpers.wide import wide_atlas

BAD = '"><img src=x onerror=alert(1)><script>alert(1)</script>{{7*7}}'
HELD = ("How to read the tiles", "Where a tile is plain gray, the way back does not lead, or hardly")


@pytest.fixture(scope="module")
def atlas(tmp_path_factory) -> Path:
    return named_atlas(tmp_path_factory.mktemp("lesson") / "named.atlas")


@pytest.fixture(scope="module")
def shelf(atlas) -> Iterator[Shelf]:
    made = Shelf([atlas])
    yield made
    made.close()


@pytest.fixture(scope="module")
def page(atlas) -> str:
    with viewing(atlas) as browser:
        return browser.get("/named/").text


def text_of(page: str) -> str:
    """The words that a reader sees, in one line."""
    return re.sub(r"\s+", " ", entities.unescape(re.sub(r"<[^>]*>", " ", page)))


def exported(atlas: Path, *paths: str, **choice: bool) -> list[str]:
    """Pages of an export."""
    with planned(atlas, ExportChoice(**choice)) as plan:  # type: ignore[arg-type]
        pieces = {piece.path: piece for piece in plan.pieces}
        return [plan.content(pieces[path]).decode() for path in paths]


def test_a_single_atlas_opens_with_its_lesson(atlas, tmp_path):
    """The shelf's own page stands there of several, and as JSON; each of them leads to its lesson first."""
    with viewing(atlas) as browser:
        assert browser.get("/", follow_redirects=False).headers["Location"] == "/named/"
        assert "What the layers of" in browser.get("/").text
        assert json.loads(browser.get("/?format=json").text)["atlases"][0]["slug"] == "named"
    other = small_atlas(tmp_path / "other.atlas", units=3)
    with viewing(atlas, other) as browser:
        home = browser.get("/", follow_redirects=False)
        assert home.status_code == 200 and home.text.index('href="/other/"') < home.text.index('href="/other/network"')
    other.unlink()


def test_an_atlas_that_is_gone_is_told_on_the_shelf(tmp_path):
    """There is no lesson to lead to."""
    path = small_atlas(tmp_path / "gone.atlas", units=3)
    with viewing(path) as browser:
        path.unlink()
        answer = browser.get("/", follow_redirects=False)
        assert answer.status_code == 200 and "gone.atlas cannot be shown now" in answer.text


def test_every_chapter_stands_on_the_page(page, shelf):
    """With its sentence, its layer, and its three units, each with a question and a link."""
    lesson = lesson_of(shelf.book("named").file)
    seen = Seen()
    seen.feed(page)
    assert {f"chapter-{chapter.place}" for chapter in lesson.chapters} <= seen.ids
    links = {address for tag, name, address in seen.links if (tag, name) == ("a", "href")}
    for chapter in lesson.chapters:
        assert chapter.sentence in text_of(page)
        assert f"/named/l/{chapter.layer.name}" in links
        assert {f"/named/l/{chapter.layer.name}/u/{one.unit}" for one in chapter.units} <= links
    units = sum(len(chapter.units) for chapter in lesson.chapters)
    assert page.count("<summary>What have these") == units


def test_the_answer_is_hidden_until_it_is_asked_for(page, shelf):
    """Every name stands inside a closed drawer that follows its question, and in no label before it."""
    lesson = lesson_of(shelf.book("named").file)
    assert not re.search(r"<details[^>]* open", page)
    before = re.sub(r"<details class=\"answer\">.*?</details>", "", page, flags=re.DOTALL)
    for chapter in lesson.chapters:
        for one in chapter.units:
            if one.shows.phrase:
                assert one.shows.because in text_of(page)
                assert entities.escape(one.shows.because) not in before


def test_projections_stand_left_and_tiles_are_explained(page):
    """As in the paper; what a gray tile is, is said in words that are not hidden."""
    first = page[page.index('class="pair') :]
    assert first.index(">projections<") < first.index(">patches<")
    section = page[page.index('class="reading"') : page.index("</section>")]
    assert "<details" not in section and all(words in section for words in HELD)
    assert "on the right" in section and "on the left" in section


def test_the_pictures_boxes_are_those_of_the_facts(page, shelf):
    """Dark outside a path of the field's own edges, px of the source picture; in the strip and in its chapter."""
    picture = lesson_of(shelf.book("named").file).picture
    assert picture is not None
    for step in picture.steps:
        box = step.field
        path = f'class="seen" d="M{box.left} {box.top}h{box.width}v{box.height}h-{box.width}z"'
        assert page.count(path) >= 2
    assert f'viewBox="0 0 {picture.width} {picture.height}"' in page


def test_json_is_the_same_lesson(atlas, shelf):
    """Chapters, units and the picture, under the atlas's own names."""
    with viewing(atlas) as browser:
        found = json.loads(browser.get("/named/?format=json").text)["lesson"]
    lesson = lesson_of(shelf.book("named").file)
    assert [one["title"] for one in found["chapters"]] == [one.title for one in lesson.chapters]
    assert [unit["shows"]["thing"] for one in found["chapters"] for unit in one["units"]] == [
        unit.shows.thing for one in lesson.chapters for unit in one.units
    ]
    assert found["picture"]["image"] == (lesson.picture.image if lesson.picture else None)


def test_the_lesson_is_an_exports_first_page(atlas, page):
    """The same chapters, and the network beside it; every page with tiles says what they are."""
    with AtlasFile(atlas) as file:
        key = layer_key(file.layers[0])
    first, network, layer, unit = exported(
        atlas, "index.html", "network.html", f"l/{key}/index.html", f"l/{key}/u/0.html"
    )
    chapters = [text_of(one[one.index("<main") :]).partition("Go on")[0] for one in (page, first)]
    assert chapters[0] == chapters[1]
    assert 'href="network.html"' in first
    for text in (first, network, layer, unit):
        assert all(words in text for words in HELD)


@pytest.mark.parametrize("projections", [True, False])
def test_without_photographs_the_lesson_says_so(atlas, projections):
    """No picture, the field alone to scale; without projections either, no tile: the questions and answers stay."""
    (first,) = exported(atlas, "index.html", photographs=False, projections=projections)
    assert "Photographs were left out of this copy." in text_of(first) and "<image" not in first
    assert ("tiles of its units were left out" in text_of(first)) != projections
    assert first.count('<svg class="depth"') >= 2 and "patches.jpg" not in first
    assert ("projections-" in first) == projections
    with closing(sqlite3.connect(atlas)) as file:
        sources = {source for (source,) in file.execute("SELECT source FROM image")}
    assert not [source for source in sources if source in first]


def test_a_layer_without_concepts_tells_the_classes_it_fires_most_for(tmp_path):
    """In the lesson and on a unit's page, where nobody named it."""
    path = small_atlas(tmp_path / "small.atlas", units=6, images=20)
    with viewing(path) as browser:
        lesson, unit = text_of(browser.get("/small/").text), text_of(browser.get("/small/l/features.4/u/0").text)
    assert "nobody has named this layer's units" in lesson and "It fires most for" in lesson
    assert re.search(r"fires most for \w+( ?, \w+)* no closest concept is known: this layer was not dissected", unit)


def test_one_layer_has_a_lesson(tmp_path):
    """Without a strip of chapters, and without pictures where the atlas keeps none."""
    path = wide_atlas(tmp_path / "wide.atlas", 9)
    with viewing(path) as browser:
        page = browser.get("/wide/").text
    assert page.count('id="chapter-') == 1 and 'class="depths"' not in page and "<image" not in page


def test_names_from_strangers_are_text(tmp_path):
    """Network, layer, concept and class may be called anything."""
    path = wide_atlas(tmp_path / "a.atlas", 9, name=BAD, concept=BAD, network=BAD, classes=(BAD, "cat"))
    with viewing(path) as browser:
        page = browser.get("/a/").text
    assert "<img src=x" not in page and "<script>alert" not in page and "{{7*7}}" in page and "&lt;img src=x" in page


def test_a_cover_is_of_the_level_that_its_layer_is_about(tmp_path):
    """Lines, where most units are lines, though a colour scores higher: what layers are covered by, everywhere."""
    path = named_atlas(tmp_path / "named.atlas")
    with closing(sqlite3.connect(path)) as atlas, atlas:
        changed = "level = 1, concept = CASE unit WHEN 4 THEN 'red' ELSE 'edge 0' END"
        atlas.execute(f"UPDATE concept SET {changed} WHERE layer = 1")
        atlas.execute("UPDATE concept SET score = 0.9 WHERE layer = 1 AND unit = 4")
    made = Shelf([path])
    book = made.book("named")
    (first,) = representatives(book, book.layers[1], 1)
    assert first.name == "edge 0" and first.unit != 4
    assert {one.name for one in representatives(book, book.layers[1], 3)} >= {"edge 0", "red"}
    made.close()


def test_concepts_are_told_in_words(tmp_path):
    """The code of an edge stays in JSON; a reader reads what it is."""
    path = named_atlas(tmp_path / "named.atlas")
    with closing(sqlite3.connect(path)) as atlas, atlas:
        atlas.execute("UPDATE concept SET level = 1, concept = 'edge 90' WHERE layer = 1")
    with viewing(path) as browser:
        for page in ("", "network", "concepts", "l/features.4", "l/features.4/u/0"):
            text = text_of(browser.get(f"/named/{page}").text)
            assert "vertical edge" in text and "edge 90" not in text, page
        assert json.loads(browser.get("/named/l/features.4/u/0?format=json").text)["guess"]["concept"] == "edge 90"
