"""On a projector: large, without forms, by a button or a key, from page to page with arrows; and back."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Opened
from tests.browser.places import Server, Shown, Venue
from tests.browser.waiting import arrived

PROJECTOR = {"width": 1920, "height": 1080}


def test_a_unit_is_presented_and_left(opened: Opened, venue: Venue, atlas: Shown):
    """v: no head, no forms, a larger plate that fits the screen; arrows go on, presenting; Escape leaves."""
    page = opened(venue.unit(atlas.layer, atlas.unit), viewport=PROJECTOR)
    before = page.locator(".peaks .patch .tile").first.bounding_box()
    page.keyboard.press("v")
    expect(page.locator(".masthead")).to_be_hidden()
    expect(page.locator(".share")).to_be_hidden()
    expect(page).to_have_url(re.compile("[?&#]present"))
    after = page.locator(".peaks .patch .tile").first.bounding_box()
    assert before and after and after["width"] > 1.1 * before["width"]
    last = page.locator(".peaks .patch .tile").last.bounding_box()
    assert last and last["y"] + last["height"] <= PROJECTOR["height"]
    page.keyboard.press("ArrowRight")
    arrived(page, f"Unit {atlas.unit + 1}")
    expect(page.locator(".masthead")).to_be_hidden()
    page.keyboard.press("PageUp")
    arrived(page, f"Unit {atlas.unit}")
    page.keyboard.press("Escape")
    expect(page.locator(".masthead")).to_be_visible()
    assert "present" not in page.url


def test_a_presentation_is_an_address(opened: Opened, venue: Venue, atlas: Shown):
    """Opened by whoever gets it, it is one from the first frame on; its buttons do what its keys do."""
    word = "?present" if isinstance(venue, Server) else "#present"
    page = opened(f"{venue.unit(atlas.layer, atlas.unit)}{word}")
    expect(page.locator(".masthead")).to_be_hidden()
    page.get_by_role("button", name="Next").click()
    arrived(page, f"Unit {atlas.unit + 1}")
    page.get_by_role("button", name="Leave the presentation").click()
    expect(page.locator(".masthead")).to_be_visible()
    expect(page.locator(".slides")).to_be_hidden()


def test_a_layer_is_presented_large(opened: Opened, venue: Venue, atlas: Shown):
    """With tiles as they are stored; an arrow leads to the next layer, and whoever opens a unit goes on presenting."""
    before, layer = atlas.layers[-2:]
    page = opened(venue.layer(before))
    page.get_by_role("button", name="Present").click()
    expect(page.locator(".units")).to_have_class(re.compile("large"))
    expect(page.locator(".choose")).to_be_hidden()
    # Of a server the large layer is another page.
    arrived(page, before.name)
    page.keyboard.press("ArrowRight")
    arrived(page, layer.name)
    expect(page.locator(".masthead")).to_be_hidden()
    page.locator(".grid a").first.click()
    arrived(page, "Unit")
    expect(page.locator(".masthead")).to_be_hidden()


def test_a_lesson_is_presented_slide_by_slide(opened: Opened, venue: Venue, atlas: Shown):
    """One chapter at a time, forth and back; the address says which, and behind "#" or "?" leads there again."""
    page = opened(venue.lesson())
    expect(page.locator("h1")).to_contain_text("What the layers of")
    slides = page.locator("[data-slide]")
    page.keyboard.press("v")
    for key, shown in (("ArrowRight", 1), ("PageDown", 2), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        expect(slides.nth(shown)).to_be_visible()
        expect(page.locator("[data-slide]:visible")).to_have_count(1)
    expect(page).to_have_url(re.compile("[?&#]present=2"))
    again = opened(page.url)
    expect(again.locator("[data-slide]").nth(1)).to_be_visible()
    expect(again.locator("[data-slide]:visible")).to_have_count(1)
