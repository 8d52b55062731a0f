"""A phone, a sheet of paper and a wall: the head in one row, pictures that print, and a page that stands straight."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened
from tests.browser.places import Server, Shown, Venue, pages
from tests.browser.waiting import arrived
from tests.helpers.sweep import swept

PHONE = {"viewport": {"width": 400, "height": 800}, "has_touch": True, "is_mobile": True}
WALL = {"width": 1920, "height": 1080}
KINDS = ("network", "layer", "unit", "image", "compare", "about")
LEFT = "one => one.getBoundingClientRect().left + parseFloat(getComputedStyle(one).paddingLeft)"
EDGES = """all => all.map((one) => getComputedStyle(one))
  .map(({outlineWidth, outlineStyle, outlineOffset}) => `${outlineWidth} ${outlineStyle} ${outlineOffset}`)"""
# Words that a line ends in the middle of: each letter of a word of letters must stand on one line.
BROKEN_WORDS = """() => {
  const found = [], range = document.createRange();
  const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode;
    for (const word of text.data.matchAll(/\\b[A-Za-z]{3,14}\\b/g)) {
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((one) => Math.round(one.top))).size > 1) found.push(word[0]);
    }
  }
  return found;
}"""


# Of pages that share one head and one frame every other, and of widths the narrowest; all in the whole run.
@pytest.mark.parametrize("kind", swept(KINDS, 2))
def test_the_head_takes_one_row_on_a_phone(opened: Opened, server: Server, atlas: Shown, kind: str):
    """At 400 px: one row, the atlas named in it, all else in a menu; no keys, which a finger has not."""
    page = opened(pages(server, atlas)[kind], **PHONE)
    head = page.locator(".masthead").bounding_box()
    assert head and head["height"] <= 56
    expect(page.locator(".masthead .atlas")).to_be_visible()
    expect(page.locator("kbd:visible")).to_have_count(0)
    expect(page.locator("nav[aria-label=Main]")).to_be_hidden()


def test_the_menu_opens_and_leads_on(opened: Opened, venue: Venue, atlas: Shown):
    """By a finger, also without scripts; beside it, it closes."""
    for scripts in (True, False):
        page = opened(venue.layer(atlas.layer), **PHONE, java_script_enabled=scripts)
        page.get_by_role("button", name="Menu").tap()
        expect(page.locator("nav[aria-label=Main]")).to_be_visible()
        page.locator("nav[aria-label=Main] a", has_text="About").tap()
        arrived(page, "About")
        expect(page.locator("nav[aria-label=Main]")).to_be_hidden()


def test_g_searches_in_a_narrow_window(opened: Opened, server: Server, atlas: Shown):
    """Though what it presses stands in the menu."""
    page = opened(server.layer(atlas.layer), viewport={"width": 500, "height": 700})
    page.keyboard.press("g")
    expect(page.locator("#go")).to_be_focused()


@pytest.mark.parametrize("width", swept([320, 400, 600], 3))
def test_a_grid_takes_the_width(opened: Opened, venue: Venue, atlas: Shown, width: int):
    """Two units a row, with no more than a few px between the second and the edge."""
    page = opened(venue.layer(atlas.layer), viewport={"width": width, "height": 800})
    grid, second = (page.locator(one).bounding_box() for one in ("ul.grid >> nth=0", "ul.grid li >> nth=1"))
    assert grid and second and grid["y"] == second["y"]
    assert 0 <= grid["x"] + grid["width"] - second["x"] - second["width"] <= 4


@pytest.mark.parametrize("kind", swept(["two layers", "about", "unit", "compare"], 2))
def test_no_word_is_broken_on_a_phone(opened: Opened, server: Server, atlas: Shown, kind: str):
    """A line ends between words: a table that is too wide is scrolled."""
    assert opened(pages(server, atlas)[kind], **PHONE).evaluate(BROKEN_WORDS) == []


@pytest.mark.parametrize("kind", swept([*KINDS[1:], KINDS[0]], 2))
def test_head_and_page_stand_straight_on_a_wall(opened: Opened, server: Server, atlas: Shown, kind: str):
    """At 1920 px they begin at one edge."""
    page = opened(pages(server, atlas)[kind], viewport=WALL)
    head, main, foot = (page.locator(one).evaluate(LEFT) for one in (".masthead", "main", ".colophon"))
    assert head == pytest.approx(main, abs=1) == pytest.approx(foot, abs=1)


def printed(page: Page, folder: Path) -> bytes:
    """The page on paper, without grounds, as a browser prints unless it is told otherwise."""
    return page.pdf(path=folder / "printed.pdf", format="A4", print_background=False)


@pytest.mark.parametrize("kind", swept(["layer", "network", "unit"], 2))
@pytest.mark.thin(2)
def test_pictures_are_printed(opened: Opened, venue: Venue, atlas: Shown, tmp_path: Path, kind: str):
    """Also those that are grounds of what they show, as sprites are; no head, no form, no key."""
    page = opened(pages(venue, atlas)[kind])
    page.wait_for_load_state("networkidle")
    paper = printed(page, tmp_path)
    assert len(re.findall(rb"/Subtype /Image", paper)) >= 2
    page.emulate_media(media="print")
    for gone in (".masthead", ".choose", ".share", ".steps"):
        expect(page.locator(f"{gone}:visible")).to_have_count(0)


def test_large_projections_are_set_apart_as_patches_are(opened: Opened, venue: Venue, atlas: Shown):
    """A hairline between the nine of either kind."""
    page = opened(venue.layer(atlas.layer))
    page.keyboard.press("s")
    expect(page.locator(".pair img").first).to_be_visible()
    masks = page.locator(".pair img").evaluate_all("all => all.map(one => getComputedStyle(one).maskImage)")
    assert masks and "none" not in masks


@pytest.mark.parametrize("kind", swept(["unit", "layer", "compare", "network", "images", "look"], 2))
def test_a_white_picture_ends_somewhere(opened: Opened, server: Server, atlas: Shown, kind: str):
    """Every picture has a hairline around it, inside its edge, in either scheme of colours."""
    for scheme in ("light", "dark"):
        page = opened(pages(server, atlas)[kind], color_scheme=scheme)
        edges = page.locator("main :is(img, .tile:not(.unkept), .grid i)").evaluate_all(EDGES)
        assert edges and set(edges) == {"1px solid -1px"}


def test_on_paper_boxes_stand_beside_their_units(opened: Opened, venue: Venue, atlas: Shown):
    """As on a screen, though a sheet is as narrow as a phone held sideways: no layer of an image fills a page."""
    page = opened(venue.image(atlas.image), viewport={"width": 703, "height": 1000})
    page.emulate_media(media="print")
    for whole, left, right in ((".of-image", ".stage", ".facts"), (".look-row", ".look-boxes", ".firings")):
        row = page.locator(whole).first
        one, other = (row.locator(part).first.bounding_box() for part in (left, right))
        assert one and other and one["x"] + one["width"] <= other["x"] and abs(one["y"] - other["y"]) < 40, whole
