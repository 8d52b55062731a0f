"""The lesson as others read it: by keys alone, by ear, on a narrow screen, without scripts, in a copy of some layers.

Pages of an export are files; the same is asked of a server.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened, exported
from tests.browser.places import Folder, Server, Shown, Venue
from tests.browser.test_lesson import nameless as nameless  # a fixture

NARROW = {"width": 400, "height": 800}
# The names that a screen reader tells of what is in the way of Tab; two links to one place may be called alike.
NAMES = """all => all.map(one =>
  [one.getAttribute("aria-label") || one.textContent.trim().replace(/\\s+/g, " "), one.href])"""
PAIR = re.compile(r"^Unit \d+ of .+: its projections and patches$")
HELD = "one => one.scrollWidth <= one.clientWidth + 1"


def test_keys_alone_lead_through_a_chapter(opened: Opened, venue: Venue):
    """From the strip to a chapter; there the pair, its question, the answer that it opens, and the link in it."""
    page = opened(venue.lesson())
    page.locator(".depths ol a").nth(2).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#chapter-3 h2")).to_be_in_viewport()
    chapter = page.locator("#chapter-3")
    stops = [chapter.locator("h2 a"), chapter.locator("a.pair").first, chapter.locator("summary").first]
    for stop in stops:
        page.keyboard.press("Tab")
        expect(stop).to_be_focused()
    answer = chapter.locator(".answer").first
    expect(answer.locator("a")).to_be_hidden()
    page.keyboard.press("Space")
    expect(answer.locator("a")).to_be_visible()
    page.keyboard.press("Tab")
    expect(answer.locator("a")).to_be_focused()
    said = answer.locator("a").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(said)


def test_a_screen_reader_is_told_what_there_is(opened: Opened, venue: Venue):
    """Chapters are regions with headings, units have names; an answer is not told before it is asked for."""
    page = opened(venue.lesson())
    for number in range(1, 6):
        chapter = page.get_by_role("region", name=re.compile(rf"^{number} "))
        expect(chapter.get_by_role("heading", level=2)).to_have_count(1)
        expect(chapter.get_by_role("article", name=re.compile(r"^Unit \d+$"))).to_have_count(3)
        expect(chapter.get_by_role("link", name=PAIR)).to_have_count(3)
        expect(chapter.get_by_role("figure", name=re.compile("^The picture again: "))).to_have_count(1)
    unit = page.get_by_role("article").first
    answered = unit.get_by_role("link", name=re.compile(r"^Unit \d+ of [^:]+$"))
    question = unit.get_by_role("group")
    expect(question).to_contain_text(re.compile("What have these .* in common"))
    assert unit.aria_snapshot().endswith("in common?")
    expect(answered).to_have_count(0)
    question.locator("summary").click()
    expect(answered).to_have_count(1)
    named = page.locator("main a[href]").evaluate_all(NAMES)
    assert all(name for name, _ in named)
    places: dict[str, set[str]] = {}
    for name, address in named:
        if re.search(r"Unit \d+ of|^All \d", name):
            places.setdefault(name, set()).add(address)
    assert places and all(len(found) == 1 for found in places.values())


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.thin(2)
def test_the_followed_picture_is_the_units_own(opened: Opened, venue: Venue, atlas: Shown, scripts: bool):
    """Where a chapter says that a unit counts the picture among its nine, the unit's page shows that image."""
    page = opened(venue.lesson(), java_script_enabled=scripts)
    image = page.locator(".depths .quiet a").inner_text()
    told = page.locator(".followed figcaption a").evaluate_all("all => all.map(one => one.href)")
    assert told
    for address in told:
        page.goto(address)
        expect(page.locator("main").get_by_role("link", name=image, exact=True).first).to_be_attached()


@pytest.mark.parametrize("screen", [NARROW, None])
@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.thin(4)
def test_a_unit_is_taken_apart(opened: Opened, venue: Venue, screen: dict[str, int] | None, scripts: bool):
    """Its parts stand to the right of it, from the last layer to the first; each leads to the page of its unit."""
    how = {"viewport": screen} if screen else {}
    page = opened(venue.lesson(), java_script_enabled=scripts, **how)
    whole, part = page.locator(".tree > li > a"), page.locator(".tree > li > ul > li > a").first
    left, right = whole.bounding_box(), part.bounding_box()
    assert left and right and right["x"] > left["x"]
    if screen:
        assert page.locator("#made-of .scroll").evaluate(HELD) and page.locator("html").evaluate(HELD)
    for link in (whole, part):
        said = re.search(r"([\w.]+), unit (\d+)", link.inner_text())
        assert said
        address = page.url
        link.click()
        expect(page.locator("h1")).to_contain_text(f"Unit {said[2]} of {said[1]}")
        page.goto(address)


def chapters(page: Page, lesson: str, starts: list[str], layers: list[str]) -> None:
    """From each page one click leads to the lesson, and from there two to a unit of each chapter."""
    for start in starts:
        page.goto(start)
        page.locator(".first a.atlas").click()
        expect(page).to_have_url(lesson)
    for place, layer in enumerate(layers):
        page.goto(lesson)
        page.locator(".depths ol a").nth(place).click()
        page.locator(f"#chapter-{place + 1} a.pair").first.click()
        expect(page.locator("h1")).to_contain_text(f"of {layer}")


def test_every_depth_of_a_copy_is_three_clicks_away(
    opened: Opened, folder: Folder, atlas: Shown, nameless: Path, tmp_path: Path
):
    """From its first page and from any other; of a whole copy, and of one of three layers that nobody has named."""
    names = [layer.name for layer in atlas.layers]
    some = names[::2]
    words = [word for name in some for word in ("--layers", name)]
    of_three = exported(nameless, tmp_path / "three", *words)
    page = opened(folder.lesson())
    for copy, layers in ((folder, names), (of_three, some)):
        starts = [copy.network(), copy.layer(atlas.layers[2]), copy.unit(atlas.layer, atlas.unit), copy.page("about")]
        chapters(page, copy.lesson(), starts, layers)


def test_a_server_leads_back_by_the_same_clicks(opened: Opened, server: Server, atlas: Shown):
    """Without scripts, too: from the pages of network and unit."""
    page = opened(server.network(), java_script_enabled=False)
    starts = [server.network(), server.unit(atlas.layer, atlas.unit)]
    chapters(page, server.lesson(), starts, [layer.name for layer in atlas.layers])
