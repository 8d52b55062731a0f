"""The server's answers: what is kept, what is not there, where an address leads, and what a bug says."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from layerscope.atlas.write import AtlasWriter
from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import small_atlas
from tests.helpers.viewing import viewing


@pytest.fixture(scope="module")
def atlas(tmp_path_factory) -> Path:
    return small_atlas(tmp_path_factory.mktemp("atlas") / "small.atlas", units=6, images=20)


@pytest.fixture
def copy(atlas, tmp_path) -> Path:
    return Path(shutil.copy(atlas, tmp_path / "small.atlas"))


PICTURES = ("sheet/0/0/patches", "sprite/0/0/patches", "sprites/0.css", "names/0.js")


def mark(atlas: Path) -> str:
    (book,) = Shelf([atlas])
    return book.mark


@pytest.mark.parametrize("what", PICTURES)
def test_what_belongs_to_a_state_is_kept_for_ever(atlas, what):
    """Under the atlas's present mark a picture never changes; under another, or in a page, the browser asks again."""
    with viewing(atlas) as browser:
        kept = browser.get(f"/small/data/{mark(atlas)}/{what}")
        assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        old = browser.get(f"/small/data/0123456789ab/{what}")
        assert old.headers["Cache-Control"] == "no-cache"
        assert old.content == kept.content
        assert browser.get("/small/").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "page", ["/", "/small/", "/small/l/features.1", "/small/l/features.1?sort=max", "/static/viewer.css"]
)
def test_an_unchanged_page_is_not_sent_again(copy, page):
    """The mark that came with a page gets a 304 without a body, also in a list; after a change the page comes anew."""
    with viewing(copy) as browser:
        first = browser.get(page)
        tag = first.headers["ETag"]
        for tags in (tag, f'"other", W/{tag}', "*"):
            again = browser.get(page, headers={"If-None-Match": tags})
            assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert browser.get(page, headers={"If-None-Match": '"other"'}).status_code == 200
        os.utime(copy, (0, 0))
        changed = browser.get(page, headers={"If-None-Match": tag})
        assert changed.status_code == (304 if page.startswith("/static") else 200)


def test_head_is_get_without_a_body(atlas):
    """HEAD gives the status and headers of GET."""
    with viewing(atlas) as browser:
        for page in ("/", "/small/", "/nowhere/", "/static/viewer.css"):
            got, asked = browser.get(page), browser.head(page)
            assert asked.status_code == got.status_code
            assert asked.headers == got.headers


@pytest.mark.parametrize(
    "page, words",
    [
        ("/smal/", "there is no atlas &#34;smal&#34; here; did you mean small?"),
        ("/zzz/", "there are small"),
        ("/small/l/featuers.1", "did you mean features.1"),
        ("/small/l/features.1/u/6", "units 0 to 5"),
        ("/small/i/20", "no image 20"),
        ("/static/nothing.js", "there is no such file"),
        ("/small/nothing", "there is nothing at this address"),
    ],
)
def test_what_is_not_there_is_said(atlas, page, words):
    """A 404 says in a sentence what is not there, and what there is instead."""
    with viewing(atlas) as browser:
        answer = browser.get(page)
        assert answer.status_code == 404
        assert words in answer.text
        assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "page, links",
    [
        ("/small/l/featuers.1", ["/small/l/features.1", "/small/l/features.4"]),
        ("/small/l/featuers.1/u/3", ["/small/l/features.1/u/3", "/small/l/features.1"]),
        ("/small/l/features.1/u/6", ["/small/l/features.1/u/5", "/small/l/features.1"]),
        ("/small/i/20", ["/small/i/19"]),
        ("/small/nothing", ["/small/search?q=nothing"]),
        ("/smal/", ["/small/"]),
    ],
)
def test_what_is_not_there_keeps_the_place(atlas, page, links):
    """A 404 stands below the head of its atlas, and what it may have meant are links that lead somewhere."""
    with viewing(atlas) as browser:
        text = browser.get(page).text
        for link in links:
            assert f'<li><a href="{link}">' in text
            assert browser.get(link).status_code == 200
        if page.startswith("/small/"):
            assert '<a href="/small/about" data-place="about"' in text and "data-search" in text
        assert browser.get("/small/data/0123456789ab/strata/0/5").status_code == 404


def test_an_atlas_without_a_slash_is_found(atlas):
    """/NAME leads to /NAME/, by a path that holds whatever host and scheme a proxy shows."""
    with viewing(atlas) as browser:
        answer = browser.get("/small", follow_redirects=False)
        assert answer.headers["Location"] == "/small/"
        assert browser.get("/small").status_code == 200


def test_json_says_the_same(atlas):
    """?format=json gives the page's values, unrounded."""
    with viewing(atlas) as browser:
        answer = browser.get("/small/l/features.1/u/0?format=json")
        assert answer.headers["Content-Type"] == "application/json"
        (book,) = Shelf([atlas])
        peak = book.file.peaks(book.layer("features.1").id, 0)[0]
        assert repr(peak.value) in answer.text
        assert json.loads(answer.text)["unit"] == 0


def test_a_removed_atlas_is_missed(copy, atlas):
    """An atlas that goes away is a 503 that says so, and is there again when it is back; the others go on."""
    other = Path(shutil.copy(copy, copy.with_name("other.atlas")))
    with viewing(copy, other) as browser:
        assert browser.get("/small/").status_code == 200
        copy.unlink()
        gone = browser.get("/small/")
        assert gone.status_code == 503
        assert "small.atlas was removed" in gone.text
        assert str(copy.parent) not in gone.text
        assert "ETag" not in browser.get("/").headers
        assert browser.get("/other/").status_code == 200
        shutil.copy(atlas, copy)
        assert browser.get("/small/").status_code == 200


@pytest.mark.parametrize("left", [0, 100, 5000, 20_000])
def test_an_atlas_cut_while_served_is_missed(copy, left):
    """An atlas that is overwritten with a part of itself is a 503, not a failure."""
    with viewing(copy) as browser:
        assert browser.get("/small/").status_code == 200
        with copy.open("r+b") as file:
            file.truncate(left)
        answer = browser.get("/small/")
        assert answer.status_code == 503
        assert "small.atlas" in answer.text


def test_an_unfinished_atlas_is_shown_as_it_grows(tmp_path):
    """While it is built, pages say so and nothing of it is kept; what is written next is seen at once."""
    path = small_atlas(tmp_path / "small.atlas", units=6, images=20, finished=False)
    with viewing(path) as browser:
        page = browser.get("/small/")
        assert "still being built" in page.text
        assert "ETag" not in page.headers
        sheet = browser.get(f"/small/data/{mark(path)}/sheet/0/0/patches")
        assert sheet.headers["Cache-Control"] == "no-cache"
        with AtlasWriter.resume(path) as writer, writer.transaction():
            writer.put_notes(0, "describe", {0: "Seen at once."})
        assert "Seen at once" in browser.get("/small/l/features.1/u/0").text


def test_a_bug_says_no_more_than_that(atlas, monkeypatch, capsys):
    """A failure of ours is a page in plain words; its lines are for the terminal."""

    def facts(book, query):
        raise RuntimeError("a secret of the program")

    monkeypatch.setattr("layerscope.viewer.pages.lesson.facts", facts)
    with viewing(atlas) as browser:
        answer = browser.get("/small/")
    assert answer.status_code == 500
    assert "a bug of layerscope" in answer.text
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "please report it" in capsys.readouterr().err


def test_numbers_that_are_not_finite_are_damage(atlas, monkeypatch):
    """JSON has no infinity: a page that holds one is told as damage of the atlas."""

    @dataclass(frozen=True)
    class Facts:
        number: float

    monkeypatch.setattr("layerscope.viewer.pages.about.facts", lambda *_: Facts(float("inf")))
    with viewing(atlas) as browser:
        answer = browser.get("/small/about?format=json")
    assert answer.status_code == 503
    assert "not finite" in answer.text
