"""An atlas from a stranger, and one that is not finished: pages of text, in which nothing of theirs runs (S7)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bench.viewer.server import started
from tests.browser.conftest import Opened, exported
from tests.browser.places import Folder, Server
from tests.helpers.atlases import small_atlas
from tests.helpers.viewing import HOSTILE_NAMES, rename_all

PLACES = (
    "", "network", "l/l0", "l/l0?zoom=large", "l/l1/u/0", "l/l0/u/11", "i/0", "concepts", "search?q=0", "about",
    "compare?u=l0:0&u=l0:1", "compare?l=l0&l=l1",
)  # fmt: skip
FILES = ("index", "network", "l/l0/index", "l/l0/u/0", "i/0", "concepts", "search", "about", "compare")
# Markup of all kinds in one name; one without an end; one that turns its surroundings round.
NAMES = {"markup": HOSTILE_NAMES[0], "long": HOSTILE_NAMES[2], "turned": HOSTILE_NAMES[3]}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


# A name that turns its surroundings round is taken apart by the server, to which the tests of its pages see.
@pytest.fixture(scope="module", params=["markup", "long", pytest.param("turned", marks=pytest.mark.wide)])
def hostile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An atlas in which a stranger named everything."""
    path = small_atlas(tmp_path_factory.mktemp("hostile") / "hostile.atlas")
    rename_all(path, NAMES[request.param])
    return path


@pytest.fixture(scope="module")
def served(hostile: Path) -> Iterator[Server]:
    with started("serve", str(hostile)) as found:
        yield Server(origin=found.origin)


@pytest.fixture(scope="module")
def written(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return exported(hostile, tmp_path_factory.mktemp("hostile-site") / "site")


def test_a_strangers_names_are_text_on_served_pages(opened: Opened, served: Server):
    """No dialog, no picture that was not ours, nothing to be scrolled sideways, no complaint; keys still act."""
    page = opened(served.home())
    for place in PLACES:
        page.goto(f"{served.origin}/hostile/{place}")
        expect(page.locator("h1")).to_be_visible()
        assert page.locator("img[src='x'], main script").count() == 0
        assert page.evaluate(SIDEWAYS) <= 0, place
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
    assert opened.watches[0].dialogs == []


def test_a_strangers_names_are_text_in_files(opened: Opened, written: Folder):
    """The same of an export, and of what its scripts put together."""
    page = opened(written.network())
    for name in FILES:
        page.goto(f"{written.origin}/{name}.html")
        expect(page.locator("h1")).to_be_visible()
        assert page.locator("img[src='x'], main script").count() == 0
    page.goto(f"{written.origin}/compare.html#u=l0:0&u=l0:1")
    expect(page.locator("#compared section")).to_have_count(2)
    page.goto(f"{written.origin}/search.html#q=0")
    expect(page.locator("#answers .answers a")).not_to_have_count(0)
    assert page.locator("img[src='x'], main script").count() == 0
    page.goto(f"{written.origin}/l/l0/index.html#sort=max")
    expect(page.locator(".units section h2").first).to_contain_text("of 12")
    assert opened.watches[0].dialogs == []


def test_an_unfinished_atlas_says_so(opened: Opened, tmp_path: Path):
    """What is there is shown, with a notice on every page."""
    path = small_atlas(tmp_path / "begun.atlas", finished=False)
    with started("serve", str(path)) as found:
        page = opened(f"{found.origin}/begun/")
        for place in ("", "network", "l/features.1", "l/features.1/u/0", "about"):
            page.goto(f"{found.origin}/begun/{place}")
            expect(page.locator(".notice")).to_contain_text("still being built")


def test_an_atlas_that_is_taken_away_is_said(opened: Opened, tmp_path: Path):
    """A page of it says so; the server goes on, and shows it again when it is back."""
    path = small_atlas(tmp_path / "gone.atlas")
    with started("serve", str(path)) as found:
        page = opened(f"{found.origin}/gone/")
        expect(page.locator("h1")).to_be_visible()
        path.rename(tmp_path / "elsewhere")
        page.goto(f"{found.origin}/gone/about")
        expect(page.locator("main")).to_contain_text(re.compile("gone.atlas"))
        (tmp_path / "elsewhere").rename(path)
        page.goto(f"{found.origin}/gone/about")
        expect(page.locator("h1")).to_contain_text("About")
    opened.watches[-1].forgive("503")
