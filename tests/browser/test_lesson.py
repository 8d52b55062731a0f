"""The lesson in a browser: the first page, read and answered with and without scripts, on paper, on any screen."""

import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bench.viewer.server import started
from layerscope.viewer.addresses import layer_key
from tests.browser.conftest import Opened
from tests.browser.places import Server, Shown, Venue
from tests.browser.test_pages import looked_at
from tests.browser.test_themes import found_by_axe
from tests.browser.waiting import arrived

OVERLAP = """() => [...document.querySelectorAll('.lesson article')].filter(one => {
  const [a, b] = [...one.querySelectorAll('.pair img')].map(each => each.getBoundingClientRect());
  return a && b && (a.right > b.left + 1 || Math.abs(a.top - b.top) > 1);
}).length"""


@pytest.fixture(scope="module")
def two(atlas: Shown, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of two atlases."""
    other = Path(shutil.copy(atlas.path, tmp_path_factory.mktemp("two") / "other.atlas"))
    with started("serve", str(atlas.path), str(other)) as found:
        yield f"{found.origin}/"


def test_the_first_page_is_the_lesson(opened: Opened, venue: Venue, atlas: Shown):
    """A server's and an export's: a chapter for each layer, three units in each, projections left of patches."""
    page = opened(venue.home())
    arrived(page, "What the layers of")
    expect(page.locator(".depths li")).to_have_count(5)
    for chapter in page.locator(".chapter[id^=chapter-]").all():
        expect(chapter.locator("article")).to_have_count(3)
    assert page.evaluate(OVERLAP) == 0


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.thin(2)
def test_an_answer_is_seen_when_it_is_asked_for(opened: Opened, venue: Venue, scripts: bool):
    """By a click, and by keys; with and without scripts; its link leads to the unit."""
    page = opened(venue.lesson(), java_script_enabled=scripts)
    first = page.locator(".answer").first
    expect(first.locator("p")).to_be_hidden()
    first.locator("summary").click()
    expect(first.locator("p")).to_be_visible()
    second = page.locator(".answer").nth(1)
    second.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(second.locator("p")).to_be_visible()
    first.locator("a").click()
    expect(page.locator("h1")).to_contain_text("Unit")


def test_the_strip_leads_to_its_chapters(opened: Opened, venue: Venue):
    """Each picture of the strip is a link to its chapter; the field grows from one to the next."""
    page = opened(venue.lesson())
    page.locator(".depths ol a").last.click()
    expect(page.locator("#chapter-5 h2")).to_be_in_viewport()
    area = "all => all.map(one => { const box = one.getBBox(); return box.width * box.height; })"
    areas = page.locator(".depths .seen").evaluate_all(area)
    assert len(areas) == 5 and areas == sorted(areas) and areas[0] < areas[-1]


def test_lines_shapes_and_things_are_three_clicks_away_at_most(opened: Opened, venue: Venue):
    """From the first page one click opens a unit of the first chapter, of one in the middle, of the last."""
    page = opened(venue.home())
    for chapter in (1, 3, 5):
        page.goto(venue.home())
        page.locator(f"#chapter-{chapter} a.pair").first.click()
        expect(page.locator("h1")).to_contain_text("Unit")
        expect(page.locator(".plate .patch svg")).to_have_count(9)


# What an atlas without masks and without classes lacks.
NAMELESS = (
    *(f"DELETE FROM {table}" for table in ("concept", "note")), "UPDATE image SET label = NULL",
    f"UPDATE unit SET class_means = x'{zlib.compress(b'').hex()}'",
    "DELETE FROM statistic WHERE name IN ('classes', 'class_counts', 'dissection')",
)  # fmt: skip
STARTS = ("network", "l/{layer}", "l/{layer}/u/{unit}", "i/{image}", "about", "search?q=1", "compare")


@pytest.fixture(scope="module")
def nameless(atlas: Shown, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(shutil.copy(atlas.path, tmp_path_factory.mktemp("nameless") / "nameless.atlas"))
    with closing(sqlite3.connect(path)) as file, file:
        for statement in NAMELESS:
            file.execute(statement)
    return path


def test_every_depth_is_three_clicks_away_at_most(opened: Opened, atlas: Shown, nameless: Path):
    """From the shelf and from any page, with names and classes and without: the lesson, its chapter, a unit of it.

    Each click is on a link that is seen. The first leads from everywhere to one page, the lesson; from there the first,
    the middle and the last chapter lead to units of their own layer.
    """
    with started("serve", str(atlas.path), str(nameless)) as found:
        for path in (atlas.path, nameless):
            at = f"{found.origin}/{path.stem}"
            of = {"layer": layer_key(atlas.layer), "unit": atlas.unit, "image": atlas.image}
            page = opened(f"{found.origin}/")
            page.locator(f'main a.button[href="/{path.stem}/"]').click()
            expect(page).to_have_url(f"{at}/")
            for start in STARTS:
                page.goto(f"{at}/{start.format(**of)}")
                page.locator(".first a.atlas").click()
                expect(page).to_have_url(f"{at}/")
            for place in (0, 2, 4):
                page.goto(f"{at}/")
                page.locator(".depths ol a").nth(place).click()
                page.locator(f"#chapter-{place + 1} a.pair").first.click()
                expect(page.locator("h1")).to_contain_text(f"of {atlas.layers[place].name}")


def test_answers_are_printed(opened: Opened, venue: Venue):
    """On paper nobody can open a drawer."""
    page = opened(venue.lesson())
    expect(page.locator(".answer p").first).to_be_hidden()
    page.emulate_media(media="print")
    assert visible_height(page) > 10


def visible_height(page: Page) -> float:
    return page.locator(".answer p").first.evaluate("one => one.getBoundingClientRect().height")


def test_the_shelf_of_several_leads_to_their_lessons(opened: Opened, two: str):
    """It opens wide and narrow, axe finds nothing, and the first way on is a lesson."""
    page = opened(two, color_scheme="light")
    expect(page.locator(".on-shelf")).to_have_count(2)
    assert found_by_axe(page) == []
    looked_at(page)
    page.get_by_role("link", name="Start here: the lesson").first.click()
    arrived(page, "What the layers of")


def test_a_narrow_screen_shows_the_lesson_whole(opened: Opened, server: Server):
    """At 320 and 400 px nothing is to be scrolled sideways, and the two sheets of a unit stay side by side."""
    page = opened(server.lesson(), viewport={"width": 400, "height": 800})
    assert page.evaluate(OVERLAP) == 0
    looked_at(page)
