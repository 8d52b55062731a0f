"""Sorting, showing, searching, going to and comparing give the same through a server and from files."""

import json
import re
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concept_words import concept_words
from tests.browser.conftest import Opened
from tests.browser.places import Folder, Server, Shown, Venue
from tests.helpers.sweep import swept


def all_units(venue: Venue, layer: AtlasLayerRecord) -> str:
    """A layer's page with all its units. A server shows at first those with tiles, an export all that it has."""
    return f"{venue.layer(layer)}?show=all" if isinstance(venue, Server) else venue.layer(layer)


def in_grid(page: Page, count: int) -> list[int]:
    """The units of the grid in their order, once there are so many."""
    expect(page.locator(".grid b")).to_have_count(count)
    return [int(number) for number in page.locator(".grid b").all_inner_texts()]


def ask(page: Page, **fields: str) -> None:
    """Fill in the layer page's form and send it."""
    for name, value in fields.items():
        field = page.locator(f"form.choose [name={name}]")
        field.select_option(value) if name in ("sort", "show") else field.fill(value)
    page.locator("form.choose button:not(.zoom)").click()


def test_sorting_is_the_files_order(opened: Opened, venue: Venue, atlas: Shown):
    """By highest activation: the order of the numbers in the atlas, the other way round where that is wished."""
    with AtlasFile(atlas.path) as file:
        maxima = file.unit_statistics(atlas.layer.id).maximum
    expected = sorted(range(len(maxima)), key=lambda unit: (-maxima[unit], unit))
    page = opened(all_units(venue, atlas.layer))
    assert in_grid(page, len(expected)) == list(range(len(expected)))
    ask(page, sort="max")
    expect(page.locator(".grid b").first).to_have_text(str(expected[0]))
    assert in_grid(page, len(expected)) == expected
    page.get_by_label("reversed").check()
    page.locator("form.choose button:not(.zoom)").click()
    expect(page.locator(".grid b").first).to_have_text(str(expected[-1]))
    assert in_grid(page, len(expected)) == expected[::-1]


# Numbers, names, and numbers of which there may be none; the orders between are made as one of these.
@pytest.mark.parametrize("sort", swept(["mean", "share", "name", "sparsity", "score"], 2))
def test_every_order_is_the_same_in_both_places(
    opened: Opened, server: Server, folder: Folder, atlas: Shown, sort: str
):
    """A server sorts in Python, files in the page's script: one order."""
    found = []
    for address in (f"{server.layer(atlas.layer)}?show=all&sort={sort}", f"{folder.layer(atlas.layer)}#sort={sort}"):
        page = opened(address)
        expect(page.locator("form.choose [name=sort]")).to_have_value(sort)
        found.append(in_grid(page, atlas.layer.record.units))
    assert found[0] == found[1]


def test_searching_finds_units_by_name_and_number(opened: Opened, venue: Venue, atlas: Shown):
    """By the concept's name all units that bear it; by a number that unit; by nonsense none, in words."""
    with AtlasFile(atlas.path) as file:
        rows = file.concepts(atlas.layer.id)
    named = {row.unit for row in rows if row.best is not None and row.best.concept == atlas.name}
    page = opened(all_units(venue, atlas.layer))
    ask(page, q=atlas.name)
    expect(page.locator(".found")).to_contain_text(f"of {atlas.layer.record.units}")
    for unit in named:
        expect(page.locator(".grid b").get_by_text(str(unit), exact=True)).to_be_visible()
    ask(page, q=str(atlas.unit))
    assert in_grid(page, 1) == [atlas.unit]
    ask(page, q="nosuchname")
    expect(page.locator(".grid b")).to_have_count(0)


def test_a_layer_is_filtered_by_codes_and_by_words(opened: Opened, venue: Venue, atlas: Shown):
    """A direction's code and its words find the same units, though the code ends with a number; no code is shown."""
    with AtlasFile(atlas.path) as file:
        layer = file.layers[0]
        best = {row.unit: row.best.concept for row in file.concepts(layer.id) if row.best is not None}
    code = next(concept for concept in best.values() if concept.startswith("edge ") and "-" not in concept)
    named = sorted(unit for unit, concept in best.items() if concept == code)
    page = opened(all_units(venue, layer))
    for text in (code, concept_words(code)):
        ask(page, q=text)
        assert in_grid(page, len(named)) == named
        # A score may stand behind the words.
        expect(page.locator(".grid")).not_to_contain_text(re.compile(re.escape(code) + r"(?![.\d])"))
        expect(page.locator(".grid .closest").first).to_contain_text(concept_words(code))


def test_units_without_pictures_are_shown_when_asked_for(opened: Opened, server: Server, atlas: Shown):
    """At first those that the build kept tiles of, and it says how many of how many; all of them by the same form."""
    page = opened(server.layer(atlas.layer))
    units = atlas.layer.record.units
    expect(page.locator(".found")).to_contain_text(f"{len(atlas.tiled)} of {units} units")
    ask(page, show="all")
    assert in_grid(page, units) == list(range(units))


def test_an_index_of_names_leads_to_their_units(opened: Opened, venue: Venue, atlas: Shown):
    """The index shows the concept with its best unit, and lists the others; it narrows as one types."""
    page = opened(venue.page("concepts"))
    name = page.locator("b").get_by_text(concept_words(atlas.name), exact=True)
    entry = page.locator(".index .answers > li", has=name).first
    every = page.locator(".index .answers > li:visible")
    before = every.count()
    page.get_by_label("Find").fill(atlas.name)
    expect(every).not_to_have_count(before)
    entry.locator("summary").click()
    entry.locator("details a").get_by_text(f"{atlas.layer.name} {atlas.unit}", exact=True).click()
    expect(page.locator(".closest").first).to_contain_text(concept_words(atlas.name))


def test_units_stand_side_by_side(opened: Opened, venue: Venue, atlas: Shown):
    """Two units of an address, each with its number and its sheets; the address is all that is needed."""
    page = opened(venue.compare(atlas.layer, atlas.tiled[:2]))
    for unit in atlas.tiled[:2]:
        expect(page.get_by_role("heading", name=f"Unit {unit} of")).to_be_visible()
    expect(page.locator("main img, main svg image").first).to_be_visible()


def test_a_units_numbers_are_those_of_its_json(opened: Opened, server: Server, atlas: Shown):
    """What the page shows below each column is what ?format=json says, rounded."""
    address = server.unit(atlas.layer, atlas.unit)
    with urllib.request.urlopen(f"{address}?format=json") as answer:
        peaks = json.load(answer)["peaks"]
    shown = [float(text) for text in opened(address).locator(".plate .peaks .value").all_inner_texts()]
    assert shown == pytest.approx([peak["value"] for peak in peaks], rel=0.01)


def test_pointing_at_a_patch_marks_its_partners(opened: Opened, venue: Venue, atlas: Shown):
    """A column and its triangle in the histogram are one peak."""
    page = opened(venue.unit(atlas.layer, atlas.unit))
    page.locator(".peaks [data-mark='2'] .cells").focus()
    marked = page.locator(".marked")
    expect(marked).not_to_have_count(0)
    assert set(marked.evaluate_all("all => all.map(one => one.dataset.mark)")) == {"2"}
    expect(page.locator(".histogram .marked")).to_have_count(1)


def test_an_images_boxes_are_those_of_the_file(opened: Opened, venue: Venue, atlas: Shown):
    """Each unit that counts the image among its best has its box, in px of the source picture."""
    with AtlasFile(atlas.path) as file:
        found = file.peaks_in(atlas.image)
    page = opened(venue.image(atlas.image))
    boxes = {
        (layer, unit): (peak.source_box.left, peak.source_box.top, peak.source_box.width, peak.source_box.height)
        for layer, unit, peak in found
        if peak.source_box is not None
    }
    names = "['x', 'y', 'width', 'height']"
    read = f"all => all.map(one => [one.dataset.mark, ...{names}.map(name => one.getAttribute(name))])"
    rects = page.locator(".stage svg rect.shown[data-mark]").evaluate_all(read)
    shown = {tuple(map(int, mark.split("-"))): tuple(map(float, box)) for mark, *box in rects}
    assert shown.keys() == boxes.keys()
    for key, box in boxes.items():
        assert shown[key] == pytest.approx(box, abs=0.51)
