"""A unit's columns in a browser: methods and views are switched, one column is enlarged, and the address keeps both."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened
from tests.browser.places import Shown, Venue

PHONE = {"width": 400, "height": 800}
# Of the tiles of the first column's projections, those that are seen.
SEEN = """[...document.querySelectorAll('#peaks > li:first-child .projection svg')]
  .filter(one => one.getBoundingClientRect().width).map(one => `${one.dataset.method} ${one.dataset.view}`)"""
# Of every column how wide its patch is.
WIDTHS = "[...document.querySelectorAll('#peaks > li .patch')].map(one => one.getBoundingClientRect().width)"
LEFT = """['projection', 'patch', 'picture']
  .map(kind => document.querySelector(`.enlarged .${kind}`).getBoundingClientRect().left)"""


def large(page: Page) -> list[int]:
    """The columns that are enlarged, from 1: those with the widest patch, if any is wider than others."""
    widths = page.evaluate(WIDTHS)
    return [number for number, width in enumerate(widths, 1) if width > 1.5 * min(widths)]


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.thin(2)
def test_the_switch_shows_one_method_and_view(opened: Opened, venue: Venue, atlas: Shown, scripts: bool):
    """In every column one projection is seen, the one that is chosen, also where no script runs."""
    page = opened(venue.unit(atlas.layer, atlas.unit), java_script_enabled=scripts)
    by = page.get_by_role("group", name="Projection").get_by_role("radio")
    shown = page.locator("#peaks .projection svg:visible")
    expect(shown).to_have_count(9)
    page.get_by_role("radio").last.check()
    expect(shown).to_have_count(9)
    assert by.count() > 1
    for radio in by.all():
        radio.check()
        expect(shown).to_have_count(9)
        expect(shown.first).to_have_attribute("data-method", str(radio.get_attribute("value")))
        expect(shown.first).to_have_attribute("data-view", "signal")


def test_the_address_keeps_method_and_view(opened: Opened, venue: Venue, atlas: Shown):
    """What was chosen stands behind "#", comes back with the address, and leaves what others wrote there."""
    address = venue.unit(atlas.layer, atlas.unit)
    page = opened(f"{address}#q=face")
    first = page.evaluate(SEEN)
    page.get_by_role("radio", name="signal").check()
    assert page.evaluate(SEEN) == [f"{first[0].split()[0]} signal"]
    assert page.url.endswith("#q=face&view=signal")
    again = opened(page.url)
    assert again.evaluate(SEEN) == page.evaluate(SEEN)
    page.get_by_role("radio", name="natural").check()
    assert page.url.endswith("#q=face") and page.evaluate(SEEN) == first
    for nonsense in ("method=nothing", "view=%00&peak=99", "peak=-1", "peak=x"):
        page.goto(f"{address}#{nonsense}")
        assert page.evaluate(SEEN) == first and large(page) == []


def test_one_column_is_enlarged_and_arrows_go_on(opened: Opened, venue: Venue, atlas: Shown):
    """Enter on a column, arrows to its neighbours and no further, Escape makes it small; the focus goes along."""
    page = opened(venue.unit(atlas.layer, atlas.unit))
    assert large(page) == []
    page.locator("#peak-8 .cells").focus()
    page.keyboard.press("Enter")
    assert large(page) == [8] and page.url.endswith("#peak=8")
    for key, number in (("ArrowRight", 9), ("ArrowRight", 9), ("ArrowLeft", 8)):
        page.keyboard.press(key)
        assert large(page) == [number]
        assert page.evaluate("document.activeElement.closest('li').id") == f"peak-{number}"
    page.keyboard.press("Escape")
    assert large(page) == [] and "#" not in page.url
    assert page.evaluate("document.activeElement.closest('li').id") == "peak-8"


def test_a_click_enlarges_and_the_next_makes_small(opened: Opened, venue: Venue, atlas: Shown):
    """On any tile of the column; its links lead on; side by side the projection stands left of the patch."""
    page = opened(venue.unit(atlas.layer, atlas.unit))
    page.locator("#peak-3 .patch").click()
    assert large(page) == [3]
    left = page.evaluate(LEFT)
    assert left == sorted(left) and len(set(left)) == 3
    page.locator("#peak-3").get_by_text("Next", exact=True).click()
    assert large(page) == [4]
    page.locator("#peak-4 .projection").click()
    assert large(page) == []


def test_a_column_is_enlarged_without_scripts(opened: Opened, venue: Venue, atlas: Shown):
    """By its address; a page with scripts understands the same address."""
    page = opened(venue.unit(atlas.layer, atlas.unit), java_script_enabled=False)
    page.locator("#peak-2 .cells").click()
    assert page.url.endswith("#peak-2")
    expect(page.locator("#peak-2").get_by_text("Small again")).to_be_visible()
    page.locator("#peak-2").get_by_text("Next", exact=True).click()
    expect(page.locator("#peak-3").get_by_text("Small again")).to_be_visible()
    expect(page.locator("#peak-2").get_by_text("Small again")).to_be_hidden()
    assert large(opened(page.url)) == [3]


def test_a_phone_has_three_columns_and_no_sideways_scroll(opened: Opened, venue: Venue, atlas: Shown):
    """Small and enlarged; enlarged, its tiles stand below each other as wide as the page."""
    page = opened(venue.unit(atlas.layer, atlas.unit), viewport=PHONE)
    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert (
        page.evaluate("getComputedStyle(document.getElementById('peaks')).gridTemplateColumns.split(' ').length") == 3
    )
    assert page.evaluate(sideways) <= 0
    page.locator("#peak-5 .cells").click()
    assert large(page) == [5] and page.evaluate(WIDTHS)[4] > 0.8 * PHONE["width"]
    assert page.evaluate(sideways) <= 0


def test_a_unit_without_tiles_has_patches_of_the_thumbnails(opened: Opened, venue: Venue, atlas: Shown):
    """Every column shows its picture with two boxes, and a patch that is part of that picture."""
    page = opened(venue.unit(atlas.layer, atlas.bare))
    columns = page.locator("#peaks > li")
    count = columns.count()
    assert count > 0
    expect(columns.locator(".picture rect.box.field")).to_have_count(count)
    expect(columns.locator(".picture rect.box.cut")).to_have_count(count)
    expect(columns.locator(".patch svg use")).to_have_count(count)
    expect(page.locator(".unkept")).to_have_count(0)
