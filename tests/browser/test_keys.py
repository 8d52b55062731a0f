"""Every key of the help does what the help says, and each can be switched off."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened
from tests.browser.places import Server, Shown, Venue
from tests.browser.waiting import arrived


def focused(page: Page) -> int:
    """The place in the grid that has the focus."""
    return page.evaluate("[...document.querySelectorAll('.grid a')].indexOf(document.activeElement)")


def columns(page: Page) -> int:
    return page.evaluate("getComputedStyle(document.querySelector('ul.grid')).gridTemplateColumns.split(' ').length")


def test_arrows_and_letters_move_in_the_grid(opened: Opened, venue: Venue, atlas: Shown):
    """A letter leads into the grid; then both kinds move by one and by a row, Home, End and pages go far."""
    address = venue.layer(atlas.layers[2])
    page = opened(f"{address}?show=all" if venue.name == "http" else address)
    across, units = columns(page), page.locator(".grid a").count()
    section = page.locator("ul.grid").first.locator("a").count()
    behind = section if section < units else 0
    page.keyboard.press("l")
    assert focused(page) == 0
    for pressed, at in (
        ("l", 1), ("ArrowRight", 2), ("h", 1), ("ArrowLeft", 0), ("j", across), ("ArrowDown", 2 * across),
        ("k", across), ("ArrowUp", 0), ("ArrowUp", 0), ("End", units - 1), ("ArrowRight", units - 1), ("Home", 0),
        ("PageDown", behind), ("PageUp", 0),
    ):  # fmt: skip
        page.keyboard.press(pressed)
        assert focused(page) == at, pressed
    page.keyboard.press("l")
    number = page.locator(".grid b").nth(1).inner_text()
    page.keyboard.press("Enter")
    arrived(page, f"Unit {number}")


def test_the_grid_is_one_stop_for_tab(opened: Opened, server: Server, atlas: Shown):
    """Tab passes the grid as one thing, and comes back to the unit that had the focus."""
    page = opened(server.layer(atlas.layer))
    page.keyboard.press("l")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    assert not page.evaluate("Boolean(document.activeElement.closest('.grid'))")
    page.keyboard.press("Shift+Tab")
    assert focused(page) == 1


def test_letters_lead_to_neighbours(opened: Opened, venue: Venue, atlas: Shown):
    """n and p: the next unit and the one before; u and o: the layer before and the one behind."""
    before, layer = atlas.layers[-2:]
    page = opened(venue.unit(layer, 1))
    page.keyboard.press("n")
    arrived(page, "Unit 2")
    page.keyboard.press("p")
    arrived(page, "Unit 1")
    page.keyboard.press("u")
    arrived(page, before.name)
    page.keyboard.press("o")
    arrived(page, layer.name)


def test_s_makes_the_grid_large_and_small_again(opened: Opened, venue: Venue, atlas: Shown):
    """At a glance, large, at a glance; the large one shows stored sheets."""
    page = opened(venue.layer(atlas.layer))
    units = page.locator(".units")
    expect(units).not_to_have_class(re.compile("large"))
    page.keyboard.press("s")
    expect(units).to_have_class(re.compile("large"))
    expect(page.locator(".units .pair img").first).to_have_js_property("complete", True)
    page.keyboard.press("s")
    expect(units).not_to_have_class(re.compile("large"))


def test_g_and_control_k_open_the_search(opened: Opened, venue: Venue, atlas: Shown):
    """Letters are letters there; Escape closes it, and letters are keys again. Control and k do so in a field, too."""
    page = opened(venue.layer(atlas.layer))
    for pressed in ("g", "Control+k"):
        page.keyboard.press(pressed)
        expect(page.locator("#go")).to_be_focused()
        page.keyboard.type("su")
        expect(page.locator("#go")).to_have_value("su")
        page.keyboard.press("Escape")
        expect(page.locator("#go")).to_be_hidden()
        page.keyboard.press("/")
        expect(page.get_by_label("Find")).to_be_focused()


def test_slash_searches_everything_where_nothing_on_the_page_can_be(opened: Opened, venue: Venue, atlas: Shown):
    """A unit has no list to search."""
    page = opened(venue.unit(atlas.layer, atlas.unit))
    page.keyboard.press("/")
    expect(page.locator("#go")).to_be_focused()


def test_i_leads_up_to_the_unit_s_place(opened: Opened, venue: Venue, atlas: Shown):
    """The layer opens with the unit in sight and in focus."""
    page = opened(venue.unit(atlas.layer, atlas.bare))
    page.keyboard.press("i")
    arrived(page, atlas.layer.name)
    link = page.locator(f"#u{atlas.bare} > a")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()


def test_the_help_opens_lists_and_closes(opened: Opened, venue: Venue, atlas: Shown):
    """?: the list, while it is open no key acts; Escape closes it, and so does its button."""
    page = opened(venue.layer(atlas.layer))
    help_box = page.get_by_role("dialog")
    page.keyboard.press("?")
    expect(help_box).to_be_visible()
    expect(help_box.locator("dt")).not_to_have_count(0)
    page.keyboard.press("o")
    expect(page.locator("h1")).to_have_text(atlas.layer.name)
    page.keyboard.press("Escape")
    expect(help_box).to_be_hidden()
    page.get_by_role("button", name="Keys").click()
    help_box.get_by_role("button", name="Close").click()
    expect(help_box).to_be_hidden()


def test_single_letters_can_be_switched_off(opened: Opened, venue: Venue, atlas: Shown):
    """WCAG 2.1.4: without them letters do nothing, on the next page too, and arrows still move."""
    page = opened(venue.layer(atlas.layer))
    page.keyboard.press("?")
    page.get_by_label("Use keys of a single letter").uncheck()
    page.keyboard.press("Escape")
    page.goto(venue.layer(atlas.layers[-2]))
    page.keyboard.press("u")
    page.keyboard.press("g")
    expect(page.locator("h1")).to_have_text(atlas.layers[-2].name)
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.locator(".grid a").first.focus()
    page.keyboard.press("ArrowRight")
    assert focused(page) == 1


def test_every_key_of_the_help_is_bound(opened: Opened, server: Server, atlas: Shown):
    """What the list promises has a journey here: the list is exactly the keys that these tests press."""
    page = opened(server.layer(atlas.layer))
    page.keyboard.press("?")
    listed = set(page.locator("dialog#help kbd").all_inner_texts())
    assert listed == {*"←↓↑→hjklpnuoisgv/?", "Ctrl", "K", "Home", "End", "PgUp", "PgDn", "Enter", "Esc"}


@pytest.mark.parametrize("key", ["Control+u", "Alt+s", "Meta+g"])
def test_keys_with_a_modifier_are_the_browsers(opened: Opened, server: Server, atlas: Shown, key: str):
    """Nothing of ours happens."""
    page = opened(server.layer(atlas.layer))
    page.keyboard.press(key)
    expect(page.locator("h1")).to_have_text(atlas.layer.name)
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_a_journey_by_keys_alone(opened: Opened, server: Server, atlas: Shown):
    """From the home page to a layer, a unit, one of its images, and back, without a pointer."""
    page = opened(server.home())
    page.get_by_role("link", name="The network").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(server.network())
    page.keyboard.press("g")
    page.keyboard.type(atlas.layer.name)
    page.keyboard.press("Enter")
    arrived(page, atlas.layer.name)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    arrived(page, f"Unit {atlas.tiled[0]}")
    page.goto(server.unit(atlas.layer, atlas.unit))
    page.locator(".peaks a", has_text="image").first.focus()
    page.keyboard.press("Enter")
    arrived(page, "Image")
    page.go_back()
    arrived(page, f"Unit {atlas.unit}")
