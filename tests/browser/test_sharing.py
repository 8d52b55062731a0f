"""Handing a page on: its address with its state, its figure, its values and a citation, as the clipboard gets them."""

import io
import json
import re
from urllib.parse import parse_qsl, urlsplit
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened
from tests.browser.places import SLUG, Folder, Server, Shown, Venue, layer_key
from tests.browser.test_try import hosted
from tests.browser.waiting import arrived

CLIPBOARD = ["clipboard-read", "clipboard-write"]
READ = "navigator.clipboard.readText()"
KINDS = "navigator.clipboard.read().then(items => items.flatMap(item => item.types))"
# What is written on canvases from now on.
WRITTEN = """() => {
  window.written = [];
  const write = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
    window.written.push(text);
    write.call(this, text, ...where);
  };
}"""


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


def test_a_figure_is_of_what_is_on_screen(opened: Opened, server: Server, atlas: Shown):
    """Its address says method, view and the peak that is enlarged, and follows them."""
    page = opened(server.unit(atlas.layer, atlas.unit))
    link, button = page.get_by_role("link", name="Figure as PNG"), page.locator("[data-copy=figure]")
    first = page.locator(".choice input[name=method]:checked").get_attribute("value")
    assert f"method={first}" in (link.get_attribute("href") or "")
    page.locator(".choice input[name=method]").last.check()
    page.locator("#peaks .cells").nth(1).click()
    chosen = page.locator(".choice input[name=method]:checked").get_attribute("value")
    assert chosen != first
    for address in (link.get_attribute("href") or "", button.get_attribute("data-from") or ""):
        words = dict(parse_qsl(urlsplit(address).query))
        assert words["method"] == chosen and words["peak"] == "2" and words["view"]


def test_an_export_s_figure_is_drawn_from_its_page(opened: Opened, folder: Folder, atlas: Shown):
    """On a host: the tiles that are on screen lie in the PNG, where they are on screen; by another method
    it is another; an enlarged peak is alone in it, and named. It goes to the clipboard, or into a file."""
    with hosted(folder) as host:
        page = opened(host.unit(atlas.layer, atlas.unit), permissions=CLIPBOARD)
        page.locator(".share").get_by_role("button", name="Copy figure").click()
        expect(page.locator(".share button", has_text="Copied")).to_have_count(1)
        assert page.evaluate(KINDS) == ["image/png"]

        page.evaluate(WRITTEN)

        def saved() -> np.ndarray:
            page.evaluate("written.length = 0")
            with page.expect_download() as found:
                page.locator("[data-draw=save]").click()
            assert found.value.suggested_filename.endswith(f"-{atlas.unit}.png")
            with Image.open(found.value.path()) as picture:
                return np.asarray(picture.convert("RGB")).astype(int)

        whole = saved()
        assert "The 9 highest activations in 160 images of" in page.evaluate("written.join(' ')")
        projections = as_on_screen(page, whole)
        page.locator(".choice input[name=method]").last.check()
        other = saved()
        assert as_on_screen(page, other) == projections
        assert np.abs(other[projections] - whole[projections]).max() > 30
        page.locator("#peaks .cells").nth(1).click()
        assert saved().shape != whole.shape
        assert "Peak 2 of the 9 highest activations in 160 images of" in page.evaluate("written.join(' ')")


def as_on_screen(page: Page, figure: np.ndarray) -> slice:
    """Holds a figure's first patch and projection to the screen's; the rows of the projections."""
    top = bottom = 0
    for row in ("patch", "projection"):
        shot, (left, top) = on_screen(page, row)
        bottom = top + shot.shape[0]
        part = figure[top:bottom, left : left + shot.shape[1]]
        assert part.shape == shot.shape and np.abs(coarse(part) - coarse(shot)).mean() < 4, row
    return slice(top, bottom)


def coarse(tile: np.ndarray) -> np.ndarray:
    """A tile in few px and without its border, where a screen's px are cut and hard edges smoothed."""
    picture = Image.fromarray(tile[6:-6, 6:-6].astype(np.uint8))
    return np.asarray(picture.resize((12, 12), Image.Resampling.BOX)).astype(int)


def on_screen(page: Page, row: str) -> tuple[np.ndarray, tuple[int, int]]:
    """The first visible tile of a row as the screen has it, twice as large, and where it is in the figure: px."""
    tile = page.locator(f"#peaks li:first-child .{row} svg.tile:visible").first
    box, first = tile.bounding_box(), page.locator("#peaks li:first-child .tile:visible").first.bounding_box()
    assert box and first
    with Image.open(io.BytesIO(tile.screenshot())) as shot:
        large = shot.convert("RGB").resize(
            (round(2 * box["width"]), round(2 * box["height"])), Image.Resampling.BILINEAR
        )
    offset = 2 * (20 + box["x"] - first["x"]), 2 * (20 + 30 + box["y"] - first["y"])
    return np.asarray(large).astype(int), (round(offset[0]), round(offset[1]))


def test_from_a_folder_a_figure_is_not_offered(opened: Opened, folder: Folder, atlas: Shown):
    """Browsers let no script have the px of a folder's files: no button that would do nothing, and the way out."""
    page = opened(folder.unit(atlas.layer, atlas.unit))
    expect(page.locator("[data-draw]:visible")).to_have_count(0)
    expect(page.locator(".share")).to_contain_text("layerscope figure draws them from the atlas")


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
@pytest.mark.thin(2)
def test_sharing_without_scripts(opened: Opened, venue: Venue, atlas: Shown, kind: str):
    """What needs a script is not there; place, values and citation are."""
    address = venue.unit(atlas.layer, atlas.unit) if kind == "unit" else venue.layer(atlas.layer)
    page = opened(address, java_script_enabled=False)
    expect(page.locator(".share button:visible")).to_have_count(0)
    expect(page.locator(".share code")).to_contain_text(layer_key(atlas.layer))
    page.get_by_text("Cite", exact=True).click()
    expect(page.locator("#bibtex")).to_be_visible()
    arrived(page, atlas.layer.name)
