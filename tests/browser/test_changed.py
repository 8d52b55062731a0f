"""What changed between two atlases, as somebody finds it: from the first page to two units side by side, by clicks."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bench.viewer.server import started
from tests.browser.conftest import Opened
from tests.browser.places import SLUG, Server, Shown
from tests.browser.test_pages import looked_at
from tests.browser.test_themes import found_by_axe
from tests.browser.waiting import arrived
from tests.helpers.changing import changed


@pytest.fixture(scope="module")
def two(atlas: Shown, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The atlas beside a copy, in whose last layer two units changed places and one is dead."""
    path = tmp_path_factory.mktemp("two") / "after.atlas"
    first, second, third = atlas.tiled[:3]
    with changed(path, atlas.path, atlas.layer.id) as rows:
        rows.swap(first, second)
        rows.kill(third)
    with started("serve", str(atlas.path), str(path)) as found:
        yield Server(origin=found.origin)


def walked(page: Page, atlas: Shown) -> None:
    """From the first page to the table, to the layer, to a pair side by side."""
    page.get_by_role("link", name="What changed between these").click()
    arrived(page, "What changed")
    expect(page.locator(".sides dd")).to_have_count(2)
    expect(page.locator(".changes tbody tr").first).to_contain_text(atlas.layer.name)
    expect(page.locator(".became > li").first).to_contain_text("dead")
    page.locator(".changes tbody a", has_text=atlas.layer.name).first.click()
    expect(page.locator("h2#units")).to_contain_text(atlas.layer.name)
    page.locator(".only a", has_text="moved").click()
    expect(page.locator(".became > li")).to_have_count(2)
    page.locator(".became a", has_text="Side by side").first.click()
    arrived(page, "Units side by side")
    expect(page.locator(".abreast section")).to_have_count(2)
    expect(page.locator(".abreast section").last).to_contain_text("after")


def test_what_changed_is_three_clicks_from_side_by_side(opened: Opened, two: Server, atlas: Shown):
    """And Back leads back to where one was in the list."""
    page = opened(two.home())
    walked(page, atlas)
    page.go_back()
    expect(page.locator(".became > li")).to_have_count(2)


def test_it_reads_without_scripts(opened: Opened, two: Server, atlas: Shown):
    """By links and a form alone."""
    page = opened(two.home(), java_script_enabled=False)
    walked(page, atlas)
    page.goto(two.page("changed"))
    page.get_by_label("The same from").fill("0.9")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("main")).to_contain_text("by 0.9 or more")
    page.get_by_role("link", name="The other way round").click()
    expect(page.locator(".sides dd").first).to_contain_text("after")


ADDRESSES = ("changed", "changed?l={layer}", "changed?only=matched", "compare?a=after&l={layer}&order=worst")


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.thin(2)
def test_the_pages_fit_and_are_accessible(opened: Opened, two: Server, atlas: Shown, address: str):
    """Wide and at 320 px, light and dark; each picture is there."""
    page = opened(two.page(address.format(layer=atlas.layer.name)), color_scheme="light")
    assert found_by_axe(page) == []
    page.emulate_media(color_scheme="dark")
    assert found_by_axe(page, "color-contrast", "link-in-text-block") == []
    looked_at(page)
    assert SLUG in page.url
