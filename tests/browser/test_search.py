"""The search over everything: one dialog on every page, the same answers through a server and from files."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from layerscope.atlas.read import AtlasFile
from layerscope.core.concept_words import concept_words
from layerscope.facts.finding import CONCEPT, find
from tests.browser.conftest import Opened
from tests.browser.places import Folder, Server, Shown, Venue
from tests.browser.test_themes import found_by_axe
from tests.browser.waiting import arrived
from tests.helpers.sweep import swept


def asked(page: Page, words: str) -> Locator:
    """The answers of the dialog, once there are any."""
    page.keyboard.press("Control+k")
    page.locator("#go").fill(words)
    options = page.locator("#offered [role=option]")
    expect(page.locator("dialog.search [role=status]")).to_contain_text(re.compile(r"[A-Z]\w+ \d|Nothing here"))
    return options


def words_of(answers: Locator) -> list[str]:
    return answers.locator("b").all_inner_texts()


def test_typing_answers_at_once_with_tiles(opened: Opened, venue: Venue, atlas: Shown):
    """A concept's words: its units in the order of `layerscope find`, each with its patches; a click opens it."""
    with AtlasFile(atlas.path) as file:
        units = [one for one in find(file, atlas.name) if one.kind == CONCEPT]
    page = opened(venue.image(atlas.image))
    asked(page, concept_words(atlas.name))
    first = page.locator("#offered [aria-label=Units] [role=option]").first
    expect(first.locator("b")).to_have_text(f"{units[0].layer.name} {units[0].unit}")
    expect(first).to_contain_text(concept_words(units[0].name))
    expect(first.locator("img")).to_have_js_property("complete", True)
    assert first.locator("img").evaluate("one => one.naturalWidth") > 0
    first.click()
    arrived(page, f"Unit {units[0].unit}")


@pytest.mark.parametrize("kind", swept(["layer and unit", "layer", "image", "place"], 2))
@pytest.mark.thin(2)
def test_what_means_one_page_leads_there(opened: Opened, venue: Venue, atlas: Shown, kind: str):
    """By Enter, from any page."""
    name, place = atlas.layer.name, len(atlas.layers)
    words, heading = {
        "layer and unit": (f"{name} {atlas.unit}", f"Unit {atlas.unit}"),
        "layer": (name, name),
        "place": (f"{place}/{atlas.unit}", f"Unit {atlas.unit}"),
        "image": (f"i {atlas.image}", f"Image {atlas.image}"),
    }[kind]
    page = opened(venue.page("about"))
    asked(page, words)
    page.keyboard.press("Enter")
    arrived(page, heading)


def test_arrows_choose_and_enter_opens(opened: Opened, venue: Venue, atlas: Shown):
    """The field keeps the focus; what is chosen is told to screen readers."""
    page = opened(venue.network())
    options = asked(page, str(atlas.unit))
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.locator("#go")).to_have_attribute("aria-activedescendant", "option-1")
    expect(page.locator("#offered [aria-selected=true]")).to_have_count(1)
    address = options.nth(1).evaluate("one => one.href")
    page.keyboard.press("Enter")
    page.wait_for_url(address)


@pytest.mark.parametrize("words", swept(["edge", "cat", "nothing so called", "relu", "7"], 2))
def test_dialog_and_page_answer_alike(opened: Opened, server: Server, folder: Folder, atlas: Shown, words: str):
    """What the dialog offers is the beginning of what the page lists; of a server and of files."""
    found = []
    for venue in (server, folder):
        page = opened(venue.search(words))
        expect(page.locator("#answers > *")).not_to_have_count(0)
        pages = {title: words_of(group) for title, group in groups(page, "#answers section", "h2").items()}
        asked(page, words)
        for title, group in groups(page, "#offered [role=group]", ".title").items():
            offered = words_of(group)
            if title in ("Layers", "Names", "Images"):
                assert offered == pages[title][: len(offered)], title
        found.append({title: pages[title] for title in pages if title in ("Layers", "Names", "Images")})
    if words != "nothing so called":
        assert found[0].keys() == found[1].keys() and found[0]


def groups(page: Page, selector: str, head: str) -> dict[str, Locator]:
    every = page.locator(selector)
    titles = [every.nth(at).locator(head).inner_text().split()[0] for at in range(every.count())]
    return {title: every.nth(at) for at, title in enumerate(titles)}


def test_the_index_is_loaded_when_the_search_is_opened(opened: Opened, server: Server, atlas: Shown):
    """Not before, and once."""
    page = opened(server.network())
    page.wait_for_load_state("networkidle")
    requests = opened.watches[0].requests

    def loaded() -> int:
        return sum(one.endswith("/search.js") and "/data/" in one for one in requests)

    assert loaded() == 0
    asked(page, "cat")
    page.keyboard.press("Escape")
    asked(page, "edge")
    assert loaded() == 1


def test_a_servers_page_answers_as_one_types(opened: Opened, server: Server, atlas: Shown):
    """The address holds the words, the field keeps the focus; without scripts a button does it."""
    page = opened(server.page("search"))
    page.get_by_label("Find").press_sequentially("edge")
    expect(page.locator("#answers .answers li")).not_to_have_count(0)
    expect(page).to_have_url(re.compile(r"q=edge$"))
    expect(page.get_by_label("Find")).to_be_focused()
    plain = opened(server.page("search"), java_script_enabled=False)
    plain.get_by_label("Find").fill("edge")
    plain.get_by_role("button", name="Search").click()
    expect(plain.locator("#answers .answers img").first).to_be_attached()


def test_a_choice_goes_along_from_unit_to_unit(opened: Opened, venue: Venue, atlas: Shown):
    """Sorted and searched, n leads to the next hit, and i back to the layer with the same choice, at the unit."""
    page = opened(venue.layer(atlas.layer))
    page.get_by_label("Sort by").select_option("max")
    page.get_by_label("Find").fill(atlas.name.split()[0])
    expect(page.locator(".grid a").first).to_have_attribute("href", re.compile("q=.*sort=max"))
    hits = page.locator(".grid b").all_inner_texts()
    assert len(hits) > 1
    page.locator(".grid a").first.click()
    for number in hits[:3]:
        arrived(page, f"Unit {number}")
        expect(page.locator(".among")).to_contain_text(f"of {len(hits)}")
        page.keyboard.press("n")
    last = hits[: min(4, len(hits))][-1]
    arrived(page, f"Unit {last}")
    expect(page.locator(".among")).to_contain_text(f"of {len(hits)}")
    page.keyboard.press("i")
    arrived(page, atlas.layer.name)
    expect(page.locator(f"#u{last} > a")).to_be_focused()
    assert page.locator(".grid b").all_inner_texts() == hits
    expect(page.get_by_label("Sort by")).to_have_value("max")


def test_sort_show_and_find_act_at_once(opened: Opened, venue: Venue, atlas: Shown):
    """Nothing is pressed; the address says it, and reloading keeps it."""
    page = opened(venue.layer(atlas.layer))
    page.get_by_label("Find").press_sequentially(str(atlas.bare))
    expect(page.locator(".grid b")).to_have_count(1)
    expect(page.get_by_label("Find")).to_be_focused()
    expect(page.locator(".found")).to_contain_text("1 of these has no picture")
    page.reload()
    expect(page.locator(".grid b")).to_have_count(1)
    page.get_by_label("Find").fill("")
    expect(page.locator(".grid b")).not_to_have_count(1)


def test_the_dialog_is_accessible(opened: Opened, server: Server, atlas: Shown):
    """Nothing for axe to find in it, on a wide screen and on a narrow one; nothing to be scrolled sideways."""
    page = opened(server.network(), viewport={"width": 320, "height": 640})
    asked(page, "edge")
    assert found_by_axe(page) == []
    assert page.locator("#offered").evaluate("one => one.scrollWidth <= one.clientWidth")


def test_a_lost_address_keeps_its_place(opened: Opened, server: Server, atlas: Shown):
    """The head is the atlas's, and the suggestion is a link."""
    page = opened(server.network())
    page.goto(f"{server.layer(atlas.layer)}/u/99999")
    arrived(page, "Not here")
    expect(page.locator("header .atlas")).to_be_visible()
    page.locator("main li a").first.click()
    arrived(page, f"Unit {atlas.layer.record.units - 1}")
    opened.watches[-1].forgive("404")
