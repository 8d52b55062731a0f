"""What a hostile atlas, address or name can do: nothing. S1 to S5 and S14, on requests, are in test_guard."""

import contextlib
import io
import sqlite3
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from layerscope.core.errors import AtlasError, NotAnAtlas
from layerscope.viewer.guard import HEADERS, POLICY
from layerscope.viewer.render import LONGEST, environment, shown
from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import small_atlas
from tests.helpers.viewing import HOSTILE_NAMES, addresses, rename_all, viewing


@pytest.fixture(scope="module")
def atlas(tmp_path_factory) -> Path:
    return small_atlas(tmp_path_factory.mktemp("atlas") / "small.atlas", units=6, images=20)


@pytest.fixture(scope="module")
def pages(atlas) -> list[str]:
    return addresses(Shelf([atlas]), 1, 2)


def changed(atlas: Path, place: Path, *statements: tuple[str, tuple]) -> Path:
    """A copy of an atlas with these changes."""
    copy = place / "changed.atlas"
    copy.write_bytes(atlas.read_bytes())
    with contextlib.closing(sqlite3.connect(copy)) as connection, connection:
        for statement, values in statements:
            connection.execute(statement, values)
    return copy


def test_every_route_is_strict(atlas, pages):
    """S5: all kinds of answers of all routes carry the headers, those that say "unchanged" and "not here" too."""
    with viewing(atlas) as browser:
        for page in [*pages, "/nowhere", "/small/l/nothing", "/small/i/999999", "/small"]:
            first = browser.get(page, follow_redirects=False)
            assert first.status_code in (200, 303, 307, 404), (page, first.text)
            again = browser.get(page, headers={"If-None-Match": first.headers.get("ETag", "")}, follow_redirects=False)
            assert again.status_code == (304 if "ETag" in first.headers else first.status_code)
            for answer in (first, again):
                assert {name: answer.headers[name] for name in HEADERS} == HEADERS, page


class Inline(HTMLParser):
    """Collects what the policy would block, and what a name should not have become."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag == "script"
        given = dict(attrs)
        self.found += [f"{tag} {name}" for name in given if name.startswith("on") or name in ("style", "srcdoc")]
        self.found += [f"{name}={value}" for name, value in attrs if (value or "").strip().lower()[:11] == "javascript:"
                       and name in ("href", "src", "action", "formaction", "xlink:href")]  # fmt: skip
        if tag == "style" or (tag == "script" and "src" not in given) or tag in ("iframe", "base"):
            self.found.append(tag)
        if tag == "img" and given.get("src") == "x":
            self.found.append("an image out of a name")

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.found.append(f"script: {data[:40]}")
        self._in_script = False


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
@pytest.mark.thin(2)
def test_names_stay_text(atlas, tmp_path, name):
    """S6, S7: whatever things are called, no page holds inline script, style or handlers, nor an endless line."""
    copy = tmp_path / "hostile.atlas"
    copy.write_bytes(atlas.read_bytes())
    rename_all(copy, name)
    with viewing(copy) as browser:
        for page in addresses(Shelf([copy]), 1):
            answer = browser.get(page, follow_redirects=False)
            assert answer.status_code in (200, 303, 404), (page, answer.text)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            seen = Inline()
            seen.feed(answer.text)
            assert seen.found == [], page
            assert "{{7*7}}" in answer.text or "49" not in name
            assert "n" * (LONGEST + 1) not in answer.text
            assert not {"\x00", "\u202e"} & set(answer.text)


def test_templates_hold_nothing_inline():
    """S6: as they are written, templates ask for nothing that the policy forbids, and nothing is marked safe."""
    names = environment().list_templates()
    assert len(names) > 8
    for name in names:
        source = environment().loader.get_source(environment(), name)[0]
        assert "|safe" not in source.replace(" ", ""), name
        assert "autoescape" not in source, name
        if name.endswith(".html") and "alone" not in name:
            for word in (" style=", "<style", " onclick=", " onload=", "javascript:"):
                assert word not in source, (name, word)


@given(st.text(max_size=3000))
def test_shown_texts_are_short_and_plain(text):
    """S7: a text is cut, and keeps no character that hides or turns others."""
    result = shown(text)
    assert len(result) <= LONGEST + 1
    result.encode()
    assert not any(c in result for c in "\x00\x1b\u202e\u2066\u200f")
    plain = text[:LONGEST]
    assert len(text) > LONGEST or result == plain or any(not c.isprintable() for c in plain)


SECRET = "layerscope-secret-b1f0"
TRAVERSALS = (
    "/../{0}", "/%2e%2e/{0}", "/..%2f{0}", "/static/../{0}", "/static/..%2f..%2f{0}", "/static/%2e%2e/{0}",
    "/%5c..%5c{0}",
    "/static/..%5c{0}", "//etc/passwd", "/static//etc/passwd", "/static/%00{0}", "/small/../../{0}",
    "/small/l/..%2f{0}",
    "/small/data/x/picture/..%2f{0}", "/static/link", "/static/vendor/../../guard.py", "/static/guard.py",
    "/small.atlas",
    "/small/data/x/sheet/0/0/..%2f{0}", "/file:///etc/passwd", "/static/vendor/VENDOR.toml", "/small/i/..%2f..%2fetc",
)  # fmt: skip


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_to_the_file_system(atlas, path):
    """S9: addresses name things in an atlas, and the viewer's own files by a list; there is no path to follow."""
    (atlas.parent / SECRET).write_text(SECRET * 9)
    with viewing(atlas) as browser:
        answer = browser.get(path.format(SECRET), follow_redirects=True)
        assert answer.status_code == 404
        assert SECRET * 2 not in answer.text
        assert str(atlas.parent) not in answer.text


def test_messages_hold_no_paths(atlas):
    """What is said of a layer that is not there names the atlas, not where it lies."""
    with viewing(atlas) as browser:
        text = browser.get("/small/l/featuers.1").text
        assert "small.atlas" in text
        assert "features.1" in text
        assert str(atlas.parent) not in text


STRANGE = (
    "CREATE VIEW concepts AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
    "CREATE TRIGGER t AFTER INSERT ON image BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE v USING fts5(text)",
    "CREATE TABLE loose (anything)",
)


@pytest.mark.parametrize("statement", STRANGE)
def test_schemas_of_strangers_are_refused(atlas, tmp_path, statement):
    """A file with views, triggers, virtual or loosely typed tables was not written by layerscope: it is not opened."""
    copy = changed(atlas, tmp_path, (statement, ()))
    with pytest.raises(NotAnAtlas, match="is not an atlas that layerscope wrote"):
        Shelf([copy])


def test_a_lacking_table_is_damage(atlas, tmp_path):
    """A table or column that is missing is said in a sentence, on every page, and is no bug."""
    copy = changed(atlas, tmp_path, ("ALTER TABLE image DROP COLUMN label", ()), ("DROP TABLE sheet", ()))
    with viewing(copy) as browser:
        for page in addresses(Shelf([copy]), 1):
            assert browser.get(page, follow_redirects=False).status_code in (200, 303, 404, 503), page


HUGE = (
    ("UPDATE layer SET units = 1000000000000", ()),
    ("UPDATE run SET k = 1000000000", ()),
    ("UPDATE layer SET field = ?", ("[" * 100_000,)),
    ("UPDATE layer SET field = ?", ('{"rows": ["1/0", 1, 1], "cols": [1, 1, 1], "note": null}',)),
    ("UPDATE layer SET map_rows = -5", ()),
    ("UPDATE run SET input = ?", ('{"channels": "many"}',)),
    ("UPDATE run SET methods = ?", ("7",)),
    ("UPDATE unit SET histogram = ?", (b"x",)),
    ("UPDATE unit SET class_means = zeroblob(10)", ()),
    ("UPDATE unit SET unit = unit + 100", ()),
    ("UPDATE peak SET image = 2, rank = rank + 50", ()),
    ("UPDATE peak SET value = 9e999", ()),
    ("UPDATE statistic SET value = ?", ('{"a":',)),
    ("UPDATE statistic SET value = ?", ("[]",)),
    ("UPDATE statistic SET value = ?", ('"text"',)),
    ("UPDATE sheet SET scales = zeroblob(3)", ()),
    ("UPDATE sheet SET scales = zeroblob(4000)", ()),
    ("UPDATE sheet SET pixels = zeroblob(100)", ()),
    ("UPDATE image SET width = 0, height = -1", ()),
    ("UPDATE edge SET source = node", ()),
)


@pytest.mark.parametrize("statement, values", HUGE, ids=[f"{n}" for n in range(len(HUGE))])
@pytest.mark.thin(6)
def test_senseless_values_are_no_bug(atlas, tmp_path, statement, values):
    """S11: values that no build writes give pages that say so, or pages without them: never a failure of ours."""
    copy = changed(atlas, tmp_path, ("PRAGMA foreign_keys = OFF", ()), (statement, values))
    try:
        shelf = Shelf([copy])
        pages = addresses(shelf, 1)
    except AtlasError:
        pages = ["/", "/changed/", "/changed/about", "/changed/i/0", "/changed/l/l0", "/changed/l/l0/u/0"]
    with viewing(copy) as browser:
        for page in pages:
            answer = browser.get(page, follow_redirects=False)
            assert answer.status_code in (200, 303, 404, 503), (page, answer.text)


@settings(max_examples=12 if settings().max_examples < 100 else 400)
@given(data=st.data())
def test_flipped_bytes_are_no_bug(atlas, pages, tmp_path_factory, data):
    """S11: an atlas with damaged bytes is refused in a sentence, or shown as far as it can be read."""
    content = bytearray(atlas.read_bytes())
    page_size = 4096
    page = data.draw(st.integers(0, len(content) // page_size - 1))
    for place in data.draw(st.lists(st.integers(0, page_size - 1), min_size=1, max_size=20)):
        content[page * page_size + place] ^= data.draw(st.integers(1, 255))
    copy = tmp_path_factory.mktemp("flipped") / "small.atlas"
    copy.write_bytes(content)
    try:
        with viewing(copy) as browser:
            for address in data.draw(st.lists(st.sampled_from(pages), min_size=4, max_size=8)):
                answer = browser.get(address, follow_redirects=False)
                assert answer.status_code in (200, 303, 404, 503), (address, answer.text)
    except AtlasError as refused:
        assert str(copy) in str(refused)


def as_format(name: str, side: int = 8) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side)).save(buffer, name)
    return buffer.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    "codec, content, served",
    [("jpeg", as_format("JPEG"), "image/jpeg"), ("png", as_format("PNG"), "image/png"),
     ("webp", as_format("WEBP"), "image/webp"),
     ("jpeg", as_format("PNG"), None), ("png", as_format("GIF"), None), ("webp", as_format("TIFF"), None),
     ("jpeg", SVG, None),
     ("svg", SVG, None), ("image/svg+xml", SVG, None), ("png", b"", None), ("jpeg", b"\xff\xd8\xff", None)],
)  # fmt: skip
def test_only_pictures_are_served_as_pictures(atlas, tmp_path, codec, content, served):
    """A stored picture goes out under the type that its bytes have, if they are one of three; never as SVG."""
    copy = changed(atlas, tmp_path, ("UPDATE picture SET codec = ?, pixels = ?", (codec, content)))
    with viewing(copy) as browser:
        shelf = Shelf([copy])
        (book,) = shelf
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            (image,) = connection.execute("SELECT min(image) FROM picture").fetchone()
        answer = browser.get(f"/changed/data/{book.mark}/picture/{image}")
    assert answer.status_code == (200 if served else 404)
    assert not served or answer.headers["Content-Type"] == served


def test_a_bomb_is_not_opened(atlas, tmp_path):
    """A few bytes that claim a huge picture are refused before they are decoded."""
    copy = changed(atlas, tmp_path, ("UPDATE sheet SET codec = 'png', pixels = ?", (as_format("PNG", 5000),)))
    with viewing(copy) as browser:
        (book,) = Shelf([copy])
        answer = browser.get(f"/changed/data/{book.mark}/sprite/0/0/patches")
    assert answer.status_code == 503
    assert "5000 x 5000\N{NO-BREAK SPACE}px" in answer.text


def test_the_export_has_the_policy_too():
    """What the server says in a header, static pages say in themselves."""
    source = environment().loader.get_source(environment(), "base.html")[0]
    assert "Content-Security-Policy" in source
    assert "default-src 'none'" in POLICY
