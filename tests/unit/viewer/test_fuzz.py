"""Whatever is asked, in whatever words: the server answers, and never with a bug."""

from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import small_atlas
from tests.helpers.viewing import OWN, addresses, viewing

MANY = settings(max_examples=40 if settings().max_examples < 100 else 2000)
# What a page may mean by a part of its address, and what nobody meant.
WORDS = st.one_of(
    st.sampled_from(
        ["small", "l", "u", "i", "data", "static", "about", "concepts", "compare", "changed", "look", "live", "sheet",
         "sprite", "strata", "sprites", "names", "picture", "0", "1", "-1", "007", "l0", "l1", "l99", "features.1",
         "patches", "classifier.1", "projections.guided.natural", "viewer.css", "0.css", "0.js"]
    ),
    st.sampled_from(["9" * 20, "9" * 3000, "1e5", "²", "٣", "NaN", "..", ".", "", " ", "%", "\x00", "\ud7ff", "🙂",
    "a/b", "a\\b"]),
    st.text(max_size=30),
    st.integers(-(2**70), 2**70).map(str),
)  # fmt: skip
NAMES = st.one_of(
    st.sampled_from(
        [
            "format",
            "sort",
            "order",
            "u",
            "go",
            "q",
            "name",
            "view",
            "method",
            "dead",
            "layer",
            "with",
            "a",
            "only",
            "least",
            "from",
        ]
    ),
    WORDS,
)
VALUES = st.one_of(
    st.sampled_from(["json", "html", "max", "-max", "mean", "features.1:0", "features.1:99", "l0:1", "::", "signal"]),
    WORDS,
)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory) -> Path:
    return small_atlas(tmp_path_factory.mktemp("atlas") / "small.atlas", units=6, images=20)


@pytest.fixture(scope="module")
def browser(atlas):
    with viewing(atlas) as made:
        yield made


@pytest.fixture(scope="module")
def pages(atlas) -> list[str]:
    return [page for page in addresses(Shelf([atlas]), 0, 2) if "format" not in page]


def answered(browser, address: str, **headers: str) -> None:
    """The answer is a page, a redirect within the server, or a refusal in words."""
    answer = browser.get(OWN + address, headers=headers, follow_redirects=False)
    assert answer.status_code < 500, (address, answer.text)
    assert "Traceback" not in answer.text
    assert answer.headers["Content-Security-Policy"]
    location = answer.headers.get("Location", OWN)
    assert (
        location == OWN or location.startswith(f"{OWN}/") or (location[0] == "/" and location[1:2] not in ("/", "\\"))
    )


@MANY
@given(st.lists(WORDS, max_size=7))
def test_any_path_is_answered(browser, parts):
    """No path, of known words or others, in any order, makes the server fail."""
    answered(browser, "/" + "/".join(quote(part, safe="") for part in parts))


@given(data=st.data(), query=st.lists(st.tuples(NAMES, VALUES), max_size=5))
def test_any_query_is_answered(browser, pages, data, query):
    """No query makes a page fail: what it does not know is said, or left alone."""
    page = data.draw(st.sampled_from(pages))
    answered(browser, f"{page}{'&' if '?' in page else '?'}{urlencode(query)}")


@given(query=st.binary(max_size=60), page=st.sampled_from(["/", "/small/", "/small/compare", "/small/l/l0"]))
def test_any_bytes_are_answered(browser, page, query):
    """Nor do bytes that are no text, nor escapes that are none."""
    answered(browser, f"{page}?{quote(query, safe='%&=+;:/')}")


HEADERS = st.sampled_from(
    ["Accept", "Accept-Language", "Cookie", "If-None-Match", "If-Modified-Since", "Range", "Content-Length", "Referer"]
)
PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40).map(str.strip)


@given(data=st.data(), headers=st.dictionaries(HEADERS, PLAIN, max_size=4))
def test_any_headers_are_answered(browser, pages, data, headers):
    """Headers that a client makes up change nothing, or get a refusal."""
    answered(browser, data.draw(st.sampled_from(pages)), **headers)
