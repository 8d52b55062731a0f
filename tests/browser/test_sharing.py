"""Handing a page on: its address with its state, its figure, its values and a citation, as the clipboard gets them."""

import json
import re
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened
from tests.browser.places import SLUG, Folder, Server, Shown, Venue, layer_key
from tests.browser.waiting import arrived

CLIPBOARD = ["clipboard-read", "clipboard-write"]
READ = "navigator.clipboard.readText()"
KINDS = "navigator.clipboard.read().then(items => items.flatMap(item => item.types))"


def copied(page: Page, name: str) -> str:
    """What a button of this name puts into the clipboard."""
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator(".share button", has_text="Copied")).to_have_count(1)
    return page.evaluate(READ)


def test_a_link_holds_the_page_s_state(opened: Opened, venue: Venue, atlas: Shown):
    """Order, search and zoom, so that whoever opens it sees the same; of this machine's address it is said."""
    state = "sort=max&zoom=large"
    mark = "?" if isinstance(venue, Server) else "#"
    page = opened(f"{venue.layer(atlas.layer)}{mark}{state}", permissions=CLIPBOARD)
    expect(page.locator(".units")).to_have_class(re.compile("large"))
    assert copied(page, "Copy link") == page.url and page.url.endswith(f"{mark}{state}")
    expect(page.locator(".handed-on")).to_contain_text("on this machine only")
    again = opened(page.url)
    expect(again.locator(".units")).to_have_class(re.compile("large"))
    expect(again.locator("form.choose [name=sort]")).to_have_value("max")


def test_the_place_below_the_atlas_is_the_same_everywhere(opened: Opened, server: Server, folder: Folder, atlas: Shown):
    """A server's, with an ending, is an export's."""
    key = layer_key(atlas.layer)
    page = opened(server.unit(atlas.layer, atlas.unit), permissions=CLIPBOARD)
    assert copied(page, "Copy") == f"{SLUG}/l/{key}/u/{atlas.unit}"
    page = opened(folder.unit(atlas.layer, atlas.unit), permissions=CLIPBOARD)
    assert copied(page, "Copy") == f"l/{key}/u/{atlas.unit}.html"


def test_large_tiles_are_in_an_export_s_address(opened: Opened, folder: Folder, atlas: Shown):
    """s puts them there and takes them away; a reload changes nothing."""
    page = opened(folder.layer(atlas.layer))
    page.keyboard.press("s")
    expect(page).to_have_url(re.compile("#.*zoom=large"))
    page.reload()
    expect(page.locator(".units")).to_have_class(re.compile("large"))
    expect(page.locator(".units .pair img").first).to_be_visible()
    page.keyboard.press("s")
    expect(page.locator(".units")).not_to_have_class(re.compile("large"))
    assert "zoom" not in page.url


def test_a_figure_goes_to_the_clipboard(opened: Opened, server: Server, atlas: Shown):
    """As a PNG; as files of both kinds it can be loaded, under a name that says what it is."""
    page = opened(server.unit(atlas.layer, atlas.unit), permissions=CLIPBOARD)
    page.get_by_role("button", name="Copy figure").click()
    expect(page.locator(".handed-on")).to_contain_text("in the clipboard")
    assert page.evaluate(KINDS) == ["image/png"]
    link = page.get_by_role("link", name="Figure as PDF")
    assert link.get_attribute("download") == f"{SLUG}-{layer_key(atlas.layer)}-{atlas.unit}.pdf"
    with page.expect_download() as found:
        link.click()
    assert found.value.path().read_bytes().startswith(b"%PDF")


def test_live_is_handed_on_as_every_page(opened: Opened, server: Server, atlas: Shown):
    """Its link brings what is chosen; its figure is what is on the screen, and there is none before a picture."""
    page = opened(server.page("live"), permissions=CLIPBOARD)
    figure = page.get_by_role("button", name="Copy figure")
    expect(figure).to_be_disabled()
    page.locator(".thumbs a").first.click()
    expect(figure).to_be_enabled()
    expect(page.locator("#chosen")).to_be_visible()
    link = copied(page, "Copy link")
    assert link == page.url and "image=" in link and "unit=" in link
    figure.click()
    expect(page.locator(".handed-on")).to_contain_text("in the clipboard")
    assert page.evaluate(KINDS) == ["image/png"]
    wide, high = page.evaluate("LS.figure().then(createImageBitmap).then((one) => [one.width, one.height])")
    assert wide > page.locator("#stage").evaluate("stage => stage.width") < high
    expect(page.get_by_role("link", name="Values as JSON")).to_be_visible()
    expect(page.locator("#bibtex")).to_contain_text("@")


def test_an_export_offers_no_figure(opened: Opened, folder: Folder, atlas: Shown):
    """Nobody is there to draw it: it is absent, not broken."""
    page = opened(folder.unit(atlas.layer, atlas.unit))
    expect(page.locator(".share")).to_be_visible()
    expect(page.locator(".share", has_text="igure")).to_have_count(0)


def test_a_page_can_be_cited(opened: Opened, venue: Venue, atlas: Shown):
    """Tool, paper, network and unit, as BibTeX."""
    page = opened(venue.unit(atlas.layer, atlas.unit), permissions=CLIPBOARD)
    page.get_by_text("Cite", exact=True).click()
    text = copied(page, "Copy BibTeX")
    assert text == page.locator("#bibtex").inner_text()
    for word in ("@software{layerscope", "Zeiler, Matthew D.", "worldnet", f"unit {atlas.unit} of {atlas.layer.name}"):
        assert word in text


def test_values_are_a_link_away(opened: Opened, venue: Venue, atlas: Shown):
    """As JSON, of the unit on the page."""
    page = opened(venue.unit(atlas.layer, atlas.unit))
    address = page.get_by_role("link", name="Values as JSON").evaluate("one => one.href")
    assert address == page.locator("link[rel=alternate]").evaluate("one => one.href")
    with urlopen(address) as answer:
        assert json.load(answer)["unit"] == atlas.unit


@pytest.mark.parametrize("kind", ["unit", "layer"])
def test_sharing_without_scripts(opened: Opened, venue: Venue, atlas: Shown, kind: str):
    """What needs a script is not there; place, values and citation are."""
    address = venue.unit(atlas.layer, atlas.unit) if kind == "unit" else venue.layer(atlas.layer)
    page = opened(address, java_script_enabled=False)
    expect(page.locator(".share button:visible")).to_have_count(0)
    expect(page.locator(".share code")).to_contain_text(layer_key(atlas.layer))
    page.get_by_text("Cite", exact=True).click()
    expect(page.locator("#bibtex")).to_be_visible()
    arrived(page, atlas.layer.name)
