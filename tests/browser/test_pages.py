"""Every page opens without a complaint, asks nobody else, fits a small screen, and reads without scripts."""

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from layerscope.core.concept_words import CLOSEST, concept_words
from tests.browser.conftest import Opened
from tests.browser.places import SERVED, STATIC, Folder, Server, Shown, Venue, pages
from tests.browser.waiting import arrived
from tests.helpers.sweep import swept

NARROW: ViewportSize = {"width": 320, "height": 640}
BROKEN = "[...document.images].filter(one => one.complete && one.src && !one.naturalWidth).map(one => one.src)"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def looked_at(page: Page) -> None:
    """One heading, no picture missing, and nothing to be scrolled sideways, on a wide screen and on a narrow one."""
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate(BROKEN) == []
    assert page.evaluate(SIDEWAYS) <= 0
    page.set_viewport_size(NARROW)
    assert page.evaluate(SIDEWAYS) <= 0


# Every other page every time; test_themes.py takes the ones between.
@pytest.mark.parametrize("kind", swept(SERVED, 2))
@pytest.mark.thin(2)
def test_a_served_page_opens_wide_and_narrow(opened: Opened, server: Server, atlas: Shown, kind: str):
    """No error, no request that fails or leaves; the page is whole at 1280 and at 320 px."""
    looked_at(opened(pages(server, atlas)[kind]))


@pytest.mark.parametrize("kind", swept(STATIC, 2))
@pytest.mark.thin(2)
def test_a_page_opens_from_a_file(opened: Opened, folder: Folder, atlas: Shown, kind: str):
    """The same of the export's pages, with nothing but files to ask for."""
    looked_at(opened(pages(folder, atlas)[kind]))


def test_two_layers_fit_a_phone(opened: Opened, server: Server, atlas: Shown):
    """Neither of their tables has to be scrolled sideways."""
    page = opened(pages(server, atlas)["two layers"], viewport={"width": 400, "height": 800})
    widths = page.evaluate("[...document.querySelectorAll('.table')].map((one) => one.scrollWidth - one.clientWidth)")
    assert widths == [0, 0]


def test_pages_read_without_scripts(opened: Opened, venue: Venue, atlas: Shown):
    """From the network to a layer, a unit, the next one and an image by links alone; pictures and numbers are there."""
    page = opened(venue.network(), java_script_enabled=False)
    page.locator(".layer-cover h2 a", has_text=atlas.layer.name).click()
    expect(page.locator("h1")).to_have_text(atlas.layer.name)
    expect(page.locator(".units .grid li")).not_to_have_count(0)
    page.goto(venue.unit(atlas.layer, atlas.unit))
    expect(page.locator(".closest")).to_contain_text(f"{CLOSEST}: {concept_words(atlas.name)}")
    expect(page.locator(".plate .peaks > li")).to_have_count(9)
    page.locator(".peaks a", has_text=f"image {atlas.image}").first.click()
    expect(page.locator("h1")).to_contain_text(f"Image {atlas.image}")
    # What only a script could do is not shown without one.
    expect(page.locator("#keys")).to_be_hidden()
    expect(page.locator("#theme")).to_be_hidden()


def test_forms_work_without_scripts(opened: Opened, server: Server, atlas: Shown):
    """Sorting and searching for a unit are plain forms of a server's page."""
    page = opened(server.layer(atlas.layer), java_script_enabled=False)
    page.get_by_label("Sort by").select_option("max")
    page.locator("form.choose button").click()
    expect(page.locator("form.choose [name=sort]")).to_have_value("max")
    page.get_by_role("link", name="Search").click()
    page.get_by_label("Find").fill(f"{atlas.layer.name} {atlas.unit}")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("h1")).to_contain_text(f"Unit {atlas.unit}")


def test_an_address_that_names_nothing_is_a_page_with_a_sentence(opened: Opened, server: Server, atlas: Shown):
    """A unit, a layer and a page that are not there: 404, in words that name it, with a way on."""
    page = opened(server.network())
    for address, named in (
        (server.unit(atlas.layer, 9999), "unit 9999"), (server.page("l/nolayer"), '"nolayer"'),
        (server.page("nothing"), "nothing"),
    ):  # fmt: skip
        answer = page.goto(address)
        assert answer is not None and answer.status == 404
        arrived(page, "Not here")
        expect(page.locator("main")).to_contain_text(named)
        expect(page.locator("main a[href]")).not_to_have_count(0)
    opened.watches[-1].forgive("404")


def test_back_leads_back(opened: Opened, venue: Venue, atlas: Shown):
    """The browser's own Back undoes each step, with the page's choices as they were."""
    page = opened(venue.network())
    page.locator(".layer-cover h2 a", has_text=atlas.layer.name).click()
    arrived(page, atlas.layer.name)
    page.get_by_label("Find").fill(str(atlas.unit))
    page.keyboard.press("Enter")
    expect(page.locator(".found")).to_contain_text("of")
    page.locator(".grid a").first.click()
    arrived(page, "Unit")
    page.go_back()
    arrived(page, atlas.layer.name)
    expect(page.get_by_label("Find")).to_have_value(str(atlas.unit))
    expect(page.locator(".found")).to_contain_text("of")
