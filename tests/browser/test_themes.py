"""Light and dark, by the system's wish and by the reader's; and nothing for accessibility's checker to find."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import Opened
from tests.browser.places import SERVED, Folder, Server, Shown, Venue, pages
from tests.helpers.sweep import swept

NARROW: ViewportSize = {"width": 320, "height": 640}
TOO_SMALL = """[...document.querySelectorAll('button, select, input:not([type=checkbox]), .grid a, nav.steps a')]
  .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.width < 24 || box.height < 24)).map(([text]) => text)"""


def brightness(page: Page) -> float:
    """Of the page's ground, 0 to 255."""
    read = "[document.body, document.documentElement].map(one => getComputedStyle(one).backgroundColor)"
    for colour in page.evaluate(read):
        levels = [float(part) for part in colour.partition("(")[2].rstrip(")").replace(",", " ").split()[:4]]
        if len(levels) == 3 or levels[3]:
            return sum(levels[:3]) / 3
    return 255.0


def test_the_systems_scheme_is_followed(opened: Opened, venue: Venue):
    """Dark where dark is wished for, light otherwise."""
    assert brightness(opened(venue.network(), color_scheme="light")) > 200
    assert brightness(opened(venue.network(), color_scheme="dark")) < 60


def test_a_chosen_theme_outlives_the_page(opened: Opened, venue: Venue, atlas: Shown):
    """Dark against the system's wish, on the next page from its first frame on; and back to the system's."""
    page = opened(venue.network(), color_scheme="light")
    page.get_by_label("Theme").select_option("dark")
    assert brightness(page) < 60
    page.goto(venue.layer(atlas.layer))
    assert brightness(page) < 60
    expect(page.get_by_label("Theme")).to_have_value("dark")
    page.get_by_label("Theme").select_option("")
    assert brightness(page) > 200


def found_by_axe(page: Page, *rules: str) -> list[str]:
    """Axe's findings by these rules, or by all, each with the first place.

    It may not read style sheets again: from files nothing can be.
    """
    options = {"resultTypes": ["violations"], "preload": False, **({"runOnly": list(rules)} if rules else {})}
    result = Axe().run(page, options=options)
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in result.response["violations"]]


@pytest.mark.parametrize("kind", swept([*SERVED[1:], SERVED[0]], 2))
@pytest.mark.thin(2)
def test_a_page_is_accessible(opened: Opened, server: Server, atlas: Shown, kind: str):
    """Nothing for axe to find, in either scheme's colours; at 320 px all targets are large enough for a finger.

    That is 24 px for buttons, fields and tiles that lead somewhere, but not for links within a sentence.
    """
    page = opened(pages(server, atlas)[kind], color_scheme="light")
    assert found_by_axe(page) == []
    page.emulate_media(color_scheme="dark")
    assert found_by_axe(page, "color-contrast", "link-in-text-block") == []
    page.set_viewport_size(NARROW)
    assert page.evaluate(TOO_SMALL) == []


@pytest.mark.parametrize("kind", ["unit", "layer"])
def test_axe_finds_nothing_on_a_small_screen(opened: Opened, folder: Folder, atlas: Shown, kind: str):
    """At 320 px, of the export."""
    assert found_by_axe(opened(pages(folder, atlas)[kind], viewport=NARROW)) == []
