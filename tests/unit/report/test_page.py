"""The page: one file that needs no other, shows every layer, and takes no name of the user's for markup."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from layerscope.api.unit_pages import pages_beside
from layerscope.atlas.codecs import encode
from layerscope.atlas.read import Encoded
from layerscope.core.codecs import CODECS
from layerscope.core.concepts import Note
from layerscope.core.errors import UsageError
from layerscope.facts.reading import reading_parts
from layerscope.lesson.lesson import lesson_of
from layerscope.report import facts_of, sentences, write_page
from layerscope.viewer.app import guarded
from layerscope.viewer.export import ExportChoice, export
from layerscope.viewer.guard import Door
from layerscope.viewer.shelf import Shelf
from tests.helpers.facts import dissection, unit_concept
from tests.helpers.sites import words_of
from tests.helpers.viewing import client

VOID = {"meta", "img", "br", "circle", "line", "polyline"}
HOSTILE = "<script>alert(1)</script>\"'&"


class Read(HTMLParser):
    """The page's elements and its visible text; every element that is opened is closed, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "title"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def written(file, facts, path, notes=(), **options) -> str:
    words = {"title": "What layers see", "next_steps": "layerscope build NET", "figures": {}} | options
    words.setdefault("pages", pages_beside(file, path.parent / "site"))
    return write_page(file, facts, notes, path, **words).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(file, facts, tmp_path_factory) -> str:
    return written(file, facts, tmp_path_factory.mktemp("page") / "report.html")


def test_the_page_needs_nothing_else(page):
    """No script, no frame, no outside address: pictures are inside, links lead to files beside it."""
    read = Read(page)
    assert not {"script", "iframe", "object", "embed", "link", "base", "form"} & {tag for tag, _ in read.tags}
    assert not any(name.startswith("on") for _, attributes in read.tags for name in attributes)
    assert "http" not in re.sub(r'(src|href)="data:[^"]*"', "", page)
    assert "url(" not in page and "@import" not in page
    assert read.all("img")
    for image in read.all("img"):
        assert image["src"].startswith("data:image/")
        assert image["alt"]


def test_pictures_are_the_atlas_s(page, file, facts):
    """As they are stored: a best unit's projections by the layer's own method, and its patches."""
    for layer in facts.layers:
        record = file.layer(layer.name)
        for sheet in (("patches",), ("projections", record.method, "natural")):
            stored = file.encoded_sheet(record.id, layer.best[0].unit, *sheet)
            assert base64.b64encode(stored.pixels).decode() in page
    first = Read(page).all("img")[0]["src"].partition("base64,")[2]
    assert Image.open(io.BytesIO(base64.b64decode(first))).size[0] > 1


def test_each_layer_has_its_section_and_sentences(page, facts):
    """In order, with what is said of it; the claims stand above."""
    read = Read(page)
    assert [s["id"] for s in read.all("section") if "id" in s] == [f"layer{layer.place}" for layer in facts.layers]
    for said in (*sentences.of_run(facts), *(s for layer in facts.layers for s in sentences.of_layer(layer))):
        assert said in read.text
    for layer in facts.layers:
        for unit in layer.best:
            assert sentences.of_unit(unit) in read.text


def test_the_table_holds_the_figures(page, facts):
    """A row for each layer: units, never active, named, concepts, mean level, and the counts by level."""
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    cells = [[re.sub(r"<.*?>", "", cell) for cell in re.findall(r"<td>(.*?)</td>", row, re.DOTALL)] for row in rows]
    for layer in facts.layers:
        own = layer.figures
        levels = [str(own.levels.get(level, 0)) for level in range(1, 6)]
        counts = [str(n) for n in (own.units, own.dead, own.detectors, own.distinct_concepts)]
        expected = [f"{layer.place} ({layer.name})", *counts, f"{own.mean_concept_level:.2f}", *levels]
        assert expected in cells


def test_what_users_name_is_text(file, facts, tmp_path):
    """Names of layers and networks, notes, concepts and titles that look like markup are shown as they are written."""
    first = facts.layers[0]
    units = tuple(replace(unit, concept=unit.concept and HOSTILE) for unit in first.all_units)
    named = replace(first, concepts={HOSTILE: 3}, all_units=units, best=tuple(units[unit.unit] for unit in first.best))
    hostile = replace(facts, network=HOSTILE, source=HOSTILE, layers=(named, *facts.layers[1:]))
    notes = [Note(layer=first.name, unit=unit.unit, kind="describe", text=HOSTILE) for unit in first.best]
    path = tmp_path / "r.html"
    read = Read(written(file, hostile, path, notes, title=HOSTILE, next_steps=HOSTILE, figures={HOSTILE: path}))
    assert not read.all("script")
    assert read.text.count("alert(1)") > 6


def test_a_hostile_layer_name_is_text(file, facts, tmp_path, monkeypatch):
    """The atlas's layers are looked up by the name that the page shows."""
    known, first = file.layer(facts.layers[0].name), facts.layers[0]
    monkeypatch.setattr(type(file), "layer", lambda self, name: known)
    read = Read(written(file, replace(facts, layers=(replace(first, name=HOSTILE),)), tmp_path / "r.html"))
    assert not read.all("script")
    assert HOSTILE in read.text


def test_notes_stand_with_their_unit_only(file, facts, tmp_path):
    """A sentence about a unit of one layer is not said of the unit of that number in another."""
    unit = facts.layers[0].best[0].unit
    notes = [Note(layer=facts.layers[0].name, unit=unit, kind="describe", text="Responds to a -45 degree line.")]
    page = written(file, facts, tmp_path / "r.html", notes)
    first, second = page.index('id="layer1"'), page.index('id="layer2"')
    places = [match.start() for match in re.finditer("-45 degree line", page)]
    assert places and all(first < place < second for place in places)


def test_a_unit_without_pictures_says_so(file, tmp_path):
    """The last unit of the small atlas is dead: no picture, no empty address; a layer without any name is told too."""
    units = [unit_concept(unit, None) for unit in range(11)]
    facts = facts_of(
        file, [dissection({"features.1": [*units, unit_concept(11, "red")], "features.4": [*units, units[0]]})]
    )
    read = Read(written(file, facts, tmp_path / "r.html"))
    assert "not in this atlas" in read.text
    assert all(image["src"].startswith("data:image/") for image in read.all("img"))
    assert "None of 12 units was found" in read.text


@pytest.mark.parametrize(
    ("trainings", "words"), [(1, "trained network, and the"), (2, "another training"), (3, "2 more")]
)
@pytest.mark.thin(2)
def test_trainings_are_counted_in_words(file, dissections, tmp_path, trainings, words):
    """One, another, several."""
    chosen = [dissections[0], *dissections[1:] * 2][:trainings]
    assert words in Read(written(file, facts_of(file, chosen), tmp_path / "r.html")).text


def test_a_page_is_whole_or_not_there(file, facts, tmp_path):
    """It replaces what was there; where it cannot be written, one sentence says so and nothing is left behind."""
    (tmp_path / "report.html").write_text("before")
    assert "<!doctype html>" in written(file, facts, tmp_path / "report.html")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(UsageError, match=r"cannot be read or written .*; check the path"):
        written(file, facts, tmp_path / "nowhere" / "report.html")


@pytest.mark.parametrize("codec", CODECS.own)
@pytest.mark.thin(2)
def test_tiles_of_every_codec_are_shown(file, facts, tmp_path, monkeypatch, codec):
    """Whatever an atlas was built with: each picture is a data URL of the type that its bytes have."""
    stored = Encoded(codec, encode(np.full((96, 96, 3), 99, np.uint8), codec))
    monkeypatch.setattr(file, "encoded_sheet", lambda *key: stored)
    page = written(file, facts, tmp_path / "report.html")
    urls = set(re.findall(r'src="data:(image/[a-z]+);base64,([^"]+)"', page))
    ((media, content),) = {url for url in urls if base64.b64decode(url[1]) == stored.pixels}
    with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
        assert Image.MIME[picture.format or ""] == media


def test_the_report_begins_with_the_lesson(page, file):
    """Its chapters, each with its sentence and three units, stand before the claims; no answer is open."""
    lesson = lesson_of(file)
    read, claims = Read(page), page.index("What came out")
    places = [page.index(f'id="chapter-{chapter.place}"') for chapter in lesson.chapters]
    assert places == sorted(places) and places[-1] < claims
    for chapter in lesson.chapters:
        assert chapter.sentence in read.text
    drawers = read.all("details")
    assert not any("open" in attributes for attributes in drawers)
    drawers = [one for one in drawers if one.get("class") != "larger"]
    assert len(drawers) == sum(len(chapter.units) for chapter in lesson.chapters)
    for part in reading_parts(file.run.k, sides=True):
        assert f"{part.term}{part.says}" in words_of(page) and page.index(f"<b>{part.term}") < places[0]


def test_the_followed_picture_is_inside_once(page, file):
    """Its pixels stand in the page one time, and each chapter shows the field of its own step."""
    picture = lesson_of(file).picture
    assert picture is not None
    stored = file.encoded_picture(picture.image)
    assert page.count(base64.b64encode(stored.pixels).decode()) == 1
    for step in picture.steps:
        box = step.field
        assert f'class="seen" d="M{box.left} {box.top}h{box.width}v{box.height}h-{box.width}z"' in page


def test_the_report_says_what_comes_next(page, file):
    """The commands that show more of this atlas, by the names that its files have."""
    text = Read(page).text
    for command in ("serve small.atlas", "live small.atlas torchvision:smallnet", "export small.atlas site/"):
        assert f"layerscope {command}" in text
    assert file.path.name == "small.atlas" and "layerscope build NET" in text


def test_every_table_has_a_frame_that_scrolls(page):
    """Where it is wider than the screen; on a wide one it may take the page's whole width."""
    frames = re.findall(r'<div class="table" role="region" tabindex="0" aria-label="([^"]+)"><table>', page)
    assert len(set(frames)) == page.count("<table>") == page.count("</table></div>") > 1


def test_what_scrolls_is_reached_by_keys_and_links_have_a_colour(page):
    """What its style sheet lets scroll can be focused; a browser's own blue cannot be read on dark ground."""
    kinds = re.findall(r"^(?:\.(\w+)|(\w+)) \{[^}]*overflow-x: auto", page, re.MULTILINE)
    opening = [rf'<div class="{name}"' if name else f"<{tag}" for name, tag in kinds]
    assert len(opening) == 3
    for start in opening:
        assert all('tabindex="0"' in tag for tag in re.findall(rf"{start}\b[^>]*>", page)), start
    assert re.search(r"^a \{ color: var\(--own\); \}", page, re.MULTILINE)


def figures_of(page) -> list[dict[str, str]]:
    """The figures of units, each of which opens."""
    return [one for one in Read(page).all("details") if one.get("class") == "larger"]


def test_every_unit_leads_on(page, file, facts):
    """Each figure opens, has an anchor of its own, and says where its unit's page is and what prints its peaks."""
    figures = figures_of(page)
    assert len(figures) == page.count('<span class="pair">') > len(facts.layers)
    anchors = [one["id"] for one in figures]
    assert len(set(anchors)) == len(anchors)
    links, words = {one["href"] for one in Read(page).all("a")}, Read(page).text
    for anchor in anchors:
        layer, unit = re.fullmatch(r"l/(.+?)/u/(\d+)(?:/\d+)?", anchor).groups()
        assert f"#{anchor}" in links
        assert f"layerscope serve {file.path.name} has its page at /{file.path.stem}/l/{layer}/u/{unit} ." in words
        assert f"layerscope show {file.path.name} {layer} {unit} prints its peaks" in words
    assert not any(link.startswith("site/") for link in links)


def test_units_lead_to_an_export_beside_the_report(file, facts, tmp_path):
    """By relative links, each to a file that is there; a unit that the export lacks has none."""
    export(file.path, tmp_path / "site", ExportChoice(layers=("features.4",)))
    links = [one["href"] for one in Read(written(file, facts, tmp_path / "report.html")).all("a")]
    beside = [link for link in links if link.startswith("site/")]
    assert beside and all((tmp_path / link).is_file() for link in beside)
    assert {link.split("/")[2] for link in beside} == {"features.4"}
    here = figures_of(written(file, facts, tmp_path / "again.html"))
    assert len(beside) == sum(one["id"].startswith("l/features.4/") for one in here)


def test_the_addresses_of_units_are_the_viewer_s(page, file):
    """Whoever serves the atlas finds each of them there."""
    shelf = Shelf([file.path])
    with client(guarded(shelf, Door(host="127.0.0.1", port=8000))) as browser:
        addresses = set(re.findall(r"<code>(/[^<]+/u/[0-9]+)</code>", page))
        assert addresses and all(browser.get(address).status_code == 200 for address in addresses)
